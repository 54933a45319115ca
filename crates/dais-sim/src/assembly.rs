//! What follows from what agents say: the state that ballots, trust and sightings move.
//!
//! The coordinator decides with it while a run lasts, and an audit recomputes the same decisions with it from the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{
    AgentId, Ballot, Decision, Matcher, Motion, Outcome, PolicyParams, Resolution, Sighting, Signature, SignatureId,
    TrustBook, TrustParams, Verdict, Vote, VoteParams, VoteRefused, committee, judge,
};
use serde::{Deserialize, Serialize};

use crate::agent::BallotView;
use crate::exchange::{ExchangeCounts, ExchangeParams};
use crate::facts::Opened;
use crate::message::{Adoption, Decisions, Proposal};
use crate::scenario::Rules;
use crate::tally::Grade;
use crate::world::Mode;

/// The rules by which an assembly decides.
#[derive(Clone, Debug)]
pub(crate) struct Bylaws {
    pub(crate) mode: Mode,
    pub(crate) policy: PolicyParams,
    pub(crate) trust: TrustParams,
    pub(crate) exchange: ExchangeParams,
    pub(crate) vote: VoteParams,
    /// Numeric and categorical features of a signature.
    pub(crate) shape: (usize, usize),
    /// Steps an accepted signature stays in force.
    pub(crate) signature_ttl_steps: u32,
    /// Signatures in force at once; the oldest makes room.
    pub(crate) signatures_max: usize,
}

impl Bylaws {
    pub(crate) fn of(rules: &Rules, mode: Mode, shape: (usize, usize)) -> Self {
        Self {
            mode,
            policy: rules.policy.clone(),
            trust: rules.trust.clone(),
            exchange: rules.exchange.clone(),
            vote: rules.agent.vote.clone(),
            shape,
            signature_ttl_steps: rules.agent.signature_ttl_steps,
            signatures_max: rules.agent.signatures_max,
        }
    }
}

/// A ballot with what it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    ballot: Ballot,
    signature: Arc<Signature>,
    matcher: Arc<Matcher>,
    grade: Grade,
}

/// An accepted signature as the assembly remembers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct InForce {
    signature: Arc<Signature>,
    matcher: Arc<Matcher>,
    radius: f32,
    grade: Grade,
    challengers: BTreeSet<AgentId>,
    /// Place in the order of acceptance.
    order: u64,
    expires_step: u32,
}

/// Why a recorded vote was not counted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Uncounted {
    /// No ballot on this motion is open.
    #[error("no such ballot is open")]
    NoBallot,
    /// The vote's own evidence asks for another verdict.
    #[error("its evidence says {}", verdict_name(*.0))]
    AgainstEvidence(Verdict),
    /// The ballot does not admit it.
    #[error(transparent)]
    Refused(#[from] VoteRefused),
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirm => "confirm",
        Verdict::Refute => "refute",
        Verdict::Abstain => "abstain",
    }
}

/// What is known of a ballot while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stands {
    pub(crate) author: AgentId,
    pub(crate) opened_step: u32,
    pub(crate) round: u8,
}

/// The open ballots.
pub(crate) type Standing = BTreeMap<(SignatureId, u8), Stands>;

/// What a snapshot keeps of an assembly between two steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AssemblyState {
    trust: TrustBook,
    open: BTreeMap<(SignatureId, u8), Open>,
    in_force: BTreeMap<SignatureId, InForce>,
    sighted: BTreeMap<IpAddr, BTreeSet<AgentId>>,
    blocked: BTreeSet<IpAddr>,
    counts: ExchangeCounts,
}

/// Open ballots, signatures in force, sightings and trust.
pub(crate) struct Assembly {
    bylaws: Bylaws,
    trust: TrustBook,
    open: BTreeMap<(SignatureId, u8), Open>,
    in_force: BTreeMap<SignatureId, InForce>,
    sighted: BTreeMap<IpAddr, BTreeSet<AgentId>>,
    blocked: BTreeSet<IpAddr>,
    active: Vec<AgentId>,
    counts: ExchangeCounts,
}

impl Assembly {
    /// An assembly of agents `0..agents`, all with the trust of newcomers.
    pub(crate) fn new(agents: usize, bylaws: Bylaws) -> Self {
        Self {
            trust: TrustBook::new(agents, bylaws.trust.clone()),
            bylaws,
            open: BTreeMap::new(),
            in_force: BTreeMap::new(),
            sighted: BTreeMap::new(),
            blocked: BTreeSet::new(),
            active: Vec::new(),
            counts: ExchangeCounts::default(),
        }
    }

    pub(crate) fn state(&self) -> AssemblyState {
        AssemblyState {
            trust: self.trust.clone(),
            open: self.open.clone(),
            in_force: self.in_force.clone(),
            sighted: self.sighted.clone(),
            blocked: self.blocked.clone(),
            counts: self.counts,
        }
    }

    /// Goes back to what a snapshot kept.
    pub(crate) fn restore(&mut self, state: AssemblyState) {
        let AssemblyState { trust, open, in_force, sighted, blocked, counts } = state;
        let (bylaws, active) = (self.bylaws.clone(), Vec::new());
        *self = Self { bylaws, trust, open, in_force, sighted, blocked, active, counts };
    }

    pub(crate) fn bylaws(&self) -> &Bylaws {
        &self.bylaws
    }

    pub(crate) fn counts(&self) -> &ExchangeCounts {
        &self.counts
    }

    pub(crate) fn counts_mut(&mut self) -> &mut ExchangeCounts {
        &mut self.counts
    }

    /// Trust of every agent, by number.
    pub(crate) fn weights(&self) -> &[f32] {
        self.trust.weights()
    }

    /// Begins a step with the agents that take part in it; signatures whose time is over are no longer in force.
    pub(crate) fn convene(&mut self, t: u32, active: Vec<AgentId>) {
        self.active = active;
        self.expire(t);
    }

    fn expire(&mut self, t: u32) {
        self.in_force.retain(|_, accepted| accepted.expires_step > t);
    }

    /// Opens a ballot on every offer that is sound and that no open or accepted signature covers. The most trusted
    /// author's offer goes first. `seed` draws the committees.
    pub(crate) fn offer(&mut self, t: u32, seed: &[u8; 32], mut offers: Vec<Proposal>) {
        self.counts.offered += offers.len() as u64;
        offers.sort_by(|a, b| {
            let weight = |offer: &Proposal| self.trust.weight(offer.signature.author);
            let support = |offer: &Proposal| offer.signature.support;
            weight(b).total_cmp(&weight(a)).then(support(b).cmp(&support(a))).then(a.id.cmp(&b.id))
        });
        let (features, categories) = self.bylaws.shape;
        for offer in offers {
            if offer.signature.check(features, categories).is_err() {
                self.counts.refused_offers += 1;
            } else if self.covered(&offer.signature) {
                self.counts.covered += 1;
            } else if self.open.len() >= self.bylaws.exchange.ballots_max {
                self.counts.refused_offers += 1;
            } else {
                self.counts.published += 1;
                let matcher = Arc::new(Matcher::new(&offer.signature.pattern));
                self.open_ballot(t, seed, Motion::Adopt, offer.signature, offer.id, matcher, offer.grade);
            }
        }
    }

    fn covered(&self, signature: &Signature) -> bool {
        let medoid = &signature.medoid;
        let within = |matcher: &Matcher, radius: f32| matcher.distance(&medoid.numeric, &medoid.codes) <= radius;
        let by_accepted = self.in_force.values().any(|accepted| within(&accepted.matcher, accepted.radius));
        by_accepted || self.open.values().any(|open| within(&open.matcher, open.signature.radius))
    }

    #[expect(clippy::too_many_arguments, reason = "one call for each motion, each with all parts at hand")]
    fn open_ballot(
        &mut self,
        t: u32,
        seed: &[u8; 32],
        motion: Motion,
        signature: Arc<Signature>,
        id: SignatureId,
        matcher: Arc<Matcher>,
        grade: Grade,
    ) {
        let members = committee(seed, &self.active, self.bylaws.policy.committee_size(0));
        let ballot = Ballot::open(motion, id, signature.author, members, t);
        self.open.insert((id, motion.code()), Open { ballot, signature, matcher, grade });
    }

    /// Remembers who challenges what, and opens a revocation ballot on what enough agents have challenged.
    pub(crate) fn challenge(&mut self, t: u32, seed: &[u8; 32], challenges: Vec<(AgentId, SignatureId)>) {
        for (agent, id) in challenges {
            if let Some(accepted) = self.in_force.get_mut(&id) {
                accepted.challengers.insert(agent);
            }
        }
        if self.bylaws.mode == Mode::Oracle {
            return;
        }
        let needed = self.bylaws.exchange.challengers_min;
        let doubted = self.in_force.iter().filter(|(_, accepted)| accepted.challengers.len() >= needed);
        let due: Vec<SignatureId> = doubted.map(|(id, _)| *id).collect();
        for id in due {
            self.move_revocation(t, seed, id);
        }
    }

    /// Opens a revocation ballot, unless one is open or the signature is not in force.
    pub(crate) fn move_revocation(&mut self, t: u32, seed: &[u8; 32], id: SignatureId) {
        if self.is_open(id, Motion::Revoke) {
            return;
        }
        let Some(accepted) = self.in_force.get_mut(&id) else { return };
        accepted.challengers.clear();
        let (signature, matcher, grade) =
            (Arc::clone(&accepted.signature), Arc::clone(&accepted.matcher), accepted.grade);
        self.open_ballot(t, seed, Motion::Revoke, signature, id, matcher, grade);
    }

    /// How many ballots are open.
    pub(crate) fn ballots(&self) -> usize {
        self.open.len()
    }

    /// How many signatures are in force.
    pub(crate) fn signatures(&self) -> usize {
        self.in_force.len()
    }

    /// What voters and watchers may know of every open ballot.
    pub(crate) fn standing(&self) -> Standing {
        self.open.iter().map(|(key, open)| (*key, open.standing())).collect()
    }

    /// Ballots opened in step `t`.
    pub(crate) fn opened(&self, t: u32) -> Vec<Opened> {
        let opened = self.open.values().filter(|open| open.ballot.opened() == t && open.ballot.round() == 0);
        let opened = opened.map(|open| Opened {
            signature: open.ballot.signature(),
            motion: open.ballot.motion(),
            author: open.signature.author,
            family: open.grade.family,
            members: open.ballot.committee().len() as u32,
            sources: open.signature.sources.len() as u32,
        });
        opened.collect()
    }

    pub(crate) fn is_open(&self, id: SignatureId, motion: Motion) -> bool {
        self.open.contains_key(&(id, motion.code()))
    }

    /// The open ballots as voters see them, in the order of signature ids.
    pub(crate) fn views(&self) -> Vec<BallotView> {
        let views = self.open.values().map(|open| BallotView {
            motion: open.ballot.motion(),
            round: open.ballot.round(),
            id: open.ballot.signature(),
            signature: Arc::clone(&open.signature),
            matcher: Arc::clone(&open.matcher),
            pending: open.ballot.pending().collect(),
        });
        views.collect()
    }

    /// Signatures whose ballots were opened in step `t`.
    pub(crate) fn published(&self, t: u32) -> Vec<Arc<Signature>> {
        self.open.values().filter(|open| open.is_new(t)).map(|open| Arc::clone(&open.signature)).collect()
    }

    /// Forgets the ballots that these authors caused in step `t`.
    pub(crate) fn drop_published(&mut self, t: u32, authors: &BTreeSet<AgentId>) {
        self.open.retain(|_, open| !(open.is_new(t) && authors.contains(&open.signature.author)));
    }

    /// Counts votes, and says of each in order why it was not counted.
    pub(crate) fn hear(&mut self, votes: &[Vote]) -> Vec<Result<(), Uncounted>> {
        votes.iter().map(|vote| self.hear_vote(vote)).collect()
    }

    fn hear_vote(&mut self, vote: &Vote) -> Result<(), Uncounted> {
        let heard = self.admit(vote);
        match &heard {
            Ok(()) => self.counts.votes += 1,
            Err(uncounted) => {
                self.counts.refused_votes += 1;
                if let Uncounted::Refused(VoteRefused::Equivocation(_)) = uncounted {
                    self.trust.equivocated(vote.voter);
                }
            }
        }
        heard
    }

    fn admit(&mut self, vote: &Vote) -> Result<(), Uncounted> {
        if vote.motion == Motion::Adopt && self.bylaws.mode == Mode::Collaborative {
            let judged = judge(&vote.evidence, &self.bylaws.vote).0;
            if judged != vote.verdict {
                return Err(Uncounted::AgainstEvidence(judged));
            }
        }
        let open = self.open.get_mut(&(vote.signature, vote.motion.code())).ok_or(Uncounted::NoBallot)?;
        Ok(open.ballot.record(vote)?)
    }

    /// Resolves every open ballot, in the order of signature ids; what agents are to learn goes to `decisions`.
    pub(crate) fn resolve(&mut self, t: u32, seed: &[u8; 32], decisions: &mut Decisions) -> Vec<Decision> {
        let mut closed = Vec::new();
        for key in self.open.keys().copied().collect::<Vec<_>>() {
            let Some(open) = self.open.get_mut(&key) else { continue };
            let trust = &self.trust;
            let resolution = open.ballot.resolve(t, &self.bylaws.policy, &|agent| trust.weight(agent));
            let decision = match (self.bylaws.mode, resolution) {
                (Mode::Oracle, _) => open.divine(t, &self.bylaws),
                (_, Resolution::Open) => continue,
                (_, Resolution::Escalate { round }) => {
                    self.counts.escalated += 1;
                    let size = self.bylaws.policy.committee_size(round);
                    open.ballot.escalate(committee(seed, &self.active, size), t);
                    continue;
                }
                (_, Resolution::Closed(decision)) => decision,
            };
            if let Some(open) = self.open.remove(&key) {
                self.settle(&open, &decision, decisions);
            }
            closed.push(decision);
        }
        closed
    }

    /// Draws the consequences of a closed ballot.
    fn settle(&mut self, open: &Open, decision: &Decision, decisions: &mut Decisions) {
        self.trust.observe_decision(decision, open.ballot.votes(), open.signature.author);
        let id = decision.signature;
        if decision.motion == Motion::Revoke {
            if decision.outcome == Outcome::Accepted {
                self.counts.revoked += 1;
                self.in_force.remove(&id);
                decisions.withdrawn.push(id);
            }
            return;
        }
        decisions.answers.push((open.signature.author, id, decision.outcome));
        match decision.outcome {
            Outcome::Rejected => self.counts.rejected += 1,
            Outcome::Disputed => self.counts.disputed += 1,
            Outcome::Expired => self.counts.expired += 1,
            Outcome::Accepted => {
                self.counts.accepted += 1;
                self.counts.accepted_benign += u64::from(open.grade.family.is_none());
                let (signature, radius, grade) = (Arc::clone(&open.signature), decision.radius, open.grade);
                decisions.blocks.extend(signature.sources.iter().map(|&source| (source, id)));
                decisions.adopted.push(Adoption { signature: Arc::clone(&signature), radius, grade });
                let matcher = Arc::clone(&open.matcher);
                self.enforce(decision.step, id, signature, matcher, radius, grade);
            }
        }
    }

    /// Puts a signature in force from the next step on, as agents do when they learn of it.
    fn enforce(
        &mut self,
        t: u32,
        id: SignatureId,
        signature: Arc<Signature>,
        matcher: Arc<Matcher>,
        radius: f32,
        grade: Grade,
    ) {
        let next = t.saturating_add(1);
        self.expire(next);
        if self.in_force.len() >= self.bylaws.signatures_max {
            let oldest = self.in_force.iter().min_by_key(|(_, accepted)| accepted.order).map(|(id, _)| *id);
            oldest.and_then(|id| self.in_force.remove(&id));
        }
        let expires_step = next.saturating_add(self.bylaws.signature_ttl_steps);
        let order = self.counts.accepted;
        let challengers = BTreeSet::new();
        let accepted = InForce { signature, matcher, radius, grade, challengers, order, expires_step };
        self.in_force.insert(id, accepted);
    }

    /// Blocks an address once those who sighted it are trusted enough together.
    pub(crate) fn sight(&mut self, sightings: &[Sighting], decisions: &mut Decisions) {
        for sighting in sightings.iter().filter(|sighting| self.in_force.contains_key(&sighting.signature)) {
            for &source in &sighting.sources {
                if !self.sighted.contains_key(&source) && self.sighted.len() >= self.bylaws.exchange.sighted_max {
                    self.sighted.pop_first();
                }
                let witnesses = self.sighted.entry(source).or_default();
                witnesses.insert(sighting.agent);
                let trust: f32 = witnesses.iter().map(|&agent| self.trust.weight(agent)).sum();
                if trust >= self.bylaws.exchange.sighting_trust {
                    self.sighted.remove(&source);
                    decisions.blocks.push((source, sighting.signature));
                }
            }
        }
        for (source, _) in &decisions.blocks {
            if self.blocked.len() >= self.bylaws.exchange.sighted_max {
                self.blocked.pop_first();
            }
            self.counts.blocks += u64::from(self.blocked.insert(*source));
        }
    }

    /// Ends step `t`: the record of trust fades.
    pub(crate) fn adjourn(&mut self, t: u32) {
        self.trust.forget(t);
    }
}

impl Open {
    fn standing(&self) -> Stands {
        let opened_step = match self.ballot.motion() {
            Motion::Adopt => self.signature.step,
            Motion::Revoke => self.ballot.opened(),
        };
        Stands { author: self.signature.author, opened_step, round: self.ballot.round() }
    }

    fn is_new(&self, t: u32) -> bool {
        self.ballot.motion() == Motion::Adopt && self.signature.step == t
    }

    /// The oracle's decision: the truth for the outcome, the voters' own measures for the radius.
    fn divine(&self, t: u32, bylaws: &Bylaws) -> Decision {
        let mut radii: Vec<f32> = self.ballot.votes().iter().map(|vote| vote.evidence.radius).collect();
        radii.retain(|&radius| radius >= bylaws.vote.radius_min);
        radii.sort_by(f32::total_cmp);
        let lower_third = (radii.len() as f32 * bylaws.policy.radius_quantile) as usize;
        let radius = radii.get(lower_third).copied().unwrap_or(self.signature.radius);
        let accepted = self.grade.family.is_some();
        Decision {
            motion: self.ballot.motion(),
            signature: self.ballot.signature(),
            outcome: if accepted { Outcome::Accepted } else { Outcome::Rejected },
            step: t,
            round: 0,
            radius: if accepted { radius } else { 0.0 },
            voters: self.ballot.votes().len() as u32,
            confirm_weight: 0.0,
            refute_weight: 0.0,
            confirmations: 0,
            refutations: 0,
            abstentions: 0,
        }
    }
}
