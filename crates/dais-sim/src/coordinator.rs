//! The coordinator: a state machine that gathers what shards say, runs the ballots, records everything in the ledger
//! and hands out what was decided. It holds no traffic and no model.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use dais_ledger::{Entry, Ledger, LedgerError, Storage};
use dais_protocol::{
    AgentId, Ballot, Decision, Matcher, Motion, Outcome, PolicyParams, Resolution, Sighting, Signature, SignatureId,
    TrustBook, TrustParams, VerifyingKey, Vote, VoteParams, VoteRefused, committee, judge,
};

use crate::agent::{BallotView, Question};
use crate::exchange::{ExchangeCounts, ExchangeParams};
use crate::lifecycle::LifecycleEvent;
use crate::message::{Adoption, Decisions, Proposal, Said, Voted};
use crate::statement::Statements;
use crate::tally::Grade;
use crate::world::Mode;
use crate::record;

/// The ledger of a run, on any storage.
pub type RunLedger = Ledger<Box<dyn Storage>>;

/// What the coordinator needs to know before the first step.
pub(crate) struct Founding {
    pub(crate) mode: Mode,
    pub(crate) policy: PolicyParams,
    pub(crate) trust: TrustParams,
    pub(crate) exchange: ExchangeParams,
    pub(crate) vote: VoteParams,
    pub(crate) shape: (usize, usize),
    pub(crate) committee_seed: [u8; 32],
    pub(crate) keys: Vec<VerifyingKey>,
    pub(crate) ledger: Option<RunLedger>,
}

/// A ballot with what it is about.
struct Open {
    ballot: Ballot,
    signature: Arc<Signature>,
    matcher: Arc<Matcher>,
    grade: Grade,
}

/// An accepted signature as the coordinator remembers it.
struct InForce {
    signature: Arc<Signature>,
    matcher: Arc<Matcher>,
    radius: f32,
    grade: Grade,
    challengers: BTreeSet<AgentId>,
}

pub(crate) struct Coordinator {
    founding: Founding,
    trust: TrustBook,
    open: BTreeMap<(SignatureId, u8), Open>,
    in_force: BTreeMap<SignatureId, InForce>,
    sighted: BTreeMap<IpAddr, BTreeSet<AgentId>>,
    blocked: BTreeSet<IpAddr>,
    active: Vec<AgentId>,
    said_sightings: Vec<Sighting>,
    said_events: Vec<LifecycleEvent>,
    counts: ExchangeCounts,
}

impl Coordinator {
    pub(crate) fn new(founding: Founding) -> Self {
        let trust = TrustBook::new(founding.keys.len(), founding.trust.clone());
        Self {
            founding,
            trust,
            open: BTreeMap::new(),
            in_force: BTreeMap::new(),
            sighted: BTreeMap::new(),
            blocked: BTreeSet::new(),
            active: Vec::new(),
            said_sightings: Vec::new(),
            said_events: Vec::new(),
            counts: ExchangeCounts::default(),
        }
    }

    pub(crate) fn counts(&self) -> ExchangeCounts {
        self.counts
    }

    pub(crate) fn trust(&self) -> Vec<f32> {
        (0..self.founding.keys.len()).map(|agent| self.trust.weight(AgentId(agent as u32))).collect()
    }

    pub(crate) fn ledger(&self) -> Option<&RunLedger> {
        self.founding.ledger.as_ref()
    }

    pub(crate) fn into_ledger(self) -> Option<RunLedger> {
        self.founding.ledger
    }

    /// Appends entries of the coordinator's own.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        if let Some(ledger) = &mut self.founding.ledger {
            ledger.append_batch(entries)?;
        }
        Ok(())
    }

    /// Opens ballots on what was offered and challenged in step `t`; the answer is the question to all shards.
    pub(crate) fn open(&mut self, t: u32, said: Vec<Said>) -> Question {
        let mut offers = Vec::new();
        self.active.clear();
        self.said_sightings.clear();
        self.said_events.clear();
        let mut challenges = Vec::new();
        for shard in said {
            offers.extend(shard.proposals);
            challenges.extend(shard.challenges);
            self.active.extend(shard.active);
            self.said_sightings.extend(shard.sightings);
            self.said_events.extend(shard.events);
        }
        self.open_offers(t, offers);
        self.open_challenges(t, challenges);
        let views = self.open.values().map(|open| BallotView {
            motion: open.ballot.motion(),
            round: open.ballot.round(),
            id: open.ballot.signature(),
            signature: Arc::clone(&open.signature),
            matcher: Arc::clone(&open.matcher),
            pending: open.ballot.pending().collect(),
        });
        Question::new(views.collect())
    }

    /// The most trusted author's offer goes first; an offer that an open or accepted signature covers opens no ballot.
    fn open_offers(&mut self, t: u32, mut offers: Vec<Proposal>) {
        self.counts.offered += offers.len() as u64;
        offers.sort_by(|a, b| {
            let weight = |offer: &Proposal| self.trust.weight(offer.signature.author);
            let support = |offer: &Proposal| offer.signature.support;
            weight(b).total_cmp(&weight(a)).then(support(b).cmp(&support(a))).then(a.id.cmp(&b.id))
        });
        let (features, categories) = self.founding.shape;
        for offer in offers {
            if offer.signature.check(features, categories).is_err() {
                self.counts.refused_offers += 1;
            } else if self.covered(&offer.signature) {
                self.counts.covered += 1;
            } else if self.open.len() >= self.founding.exchange.ballots_max {
                self.counts.refused_offers += 1;
            } else {
                self.counts.published += 1;
                let matcher = Arc::new(Matcher::new(&offer.signature.pattern));
                self.open_ballot(t, Motion::Adopt, offer.signature, offer.id, matcher, offer.grade);
            }
        }
    }

    fn covered(&self, signature: &Signature) -> bool {
        let medoid = &signature.medoid;
        let within = |matcher: &Matcher, radius: f32| matcher.distance(&medoid.numeric, &medoid.codes) <= radius;
        let by_accepted = self.in_force.values().any(|accepted| within(&accepted.matcher, accepted.radius));
        by_accepted || self.open.values().any(|open| within(&open.matcher, open.signature.radius))
    }

    fn open_ballot(&mut self, t: u32, motion: Motion, signature: Arc<Signature>, id: SignatureId, matcher: Arc<Matcher>, grade: Grade) {
        let seed = self.committee_seed();
        let members = committee(&seed, &self.active, self.founding.policy.committee_size(0));
        let ballot = Ballot::open(motion, id, signature.author, members, t);
        self.open.insert((id, motion.code()), Open { ballot, signature, matcher, grade });
    }

    /// The root of the last ledger head draws the committee: nobody knows it before the last step is recorded.
    fn committee_seed(&self) -> [u8; 32] {
        let head = self.founding.ledger.as_ref().map(|ledger| ledger.head().head.root);
        head.map_or(self.founding.committee_seed, |root| record::digest_bytes(&root))
    }

    fn open_challenges(&mut self, t: u32, challenges: Vec<(AgentId, SignatureId)>) {
        for (agent, id) in challenges {
            if let Some(accepted) = self.in_force.get_mut(&id) {
                accepted.challengers.insert(agent);
            }
        }
        if self.founding.mode == Mode::Oracle {
            return;
        }
        let needed = self.founding.exchange.challengers_min;
        let due: Vec<SignatureId> =
            self.in_force.iter().filter(|(_, accepted)| accepted.challengers.len() >= needed).map(|(id, _)| *id).collect();
        for id in due {
            let Some(accepted) = self.in_force.get_mut(&id) else { continue };
            accepted.challengers.clear();
            let (signature, matcher, grade) =
                (Arc::clone(&accepted.signature), Arc::clone(&accepted.matcher), accepted.grade);
            self.open_ballot(t, Motion::Revoke, signature, id, matcher, grade);
        }
    }

    /// Counts the votes of step `t`, closes what can be closed, records the step and returns what agents are to learn.
    pub(crate) fn close(&mut self, t: u32, voted: Vec<Voted>) -> Result<Decisions, LedgerError> {
        let mut votes = Vec::new();
        let mut seals = Vec::new();
        for shard in voted {
            votes.extend(shard.votes);
            seals.extend(shard.seals);
        }
        let published = self.open.values().filter(|open| open.is_new(t)).map(|open| Arc::clone(&open.signature));
        let mut statements = Statements::new(published.collect(), std::mem::take(&mut self.said_sightings), votes);
        let unsealed = if self.founding.mode == Mode::Collaborative {
            statements.check(t, &seals, &self.founding.keys)
        } else {
            BTreeSet::new()
        };
        self.counts.refused_seals += unsealed.len() as u64;
        statements.drop_authors(&unsealed);
        self.open.retain(|_, open| !(open.is_new(t) && unsealed.contains(&open.signature.author)));
        let mut entries = statements.entries(t, &seals);
        self.counts.messages += entries.len() as u64;
        self.counts.message_bytes += entries.iter().map(|entry| entry.body.len() as u64).sum::<u64>();
        self.count_votes(statements.votes());
        let mut decisions = Decisions::default();
        let closed = self.resolve(t, &mut decisions);
        entries.extend(closed.iter().map(record::decision));
        entries.extend(self.said_events.chunk_by(|a, b| a.agent == b.agent).filter_map(record::lifecycle));
        self.count_sightings(statements.sightings(), &mut decisions);
        self.trust.forget(t);
        if !entries.is_empty() {
            self.record(&entries)?;
        }
        Ok(decisions)
    }

    fn count_votes(&mut self, votes: &[Vote]) {
        for vote in votes {
            let contradicts = vote.motion == Motion::Adopt
                && self.founding.mode == Mode::Collaborative
                && judge(&vote.evidence, &self.founding.vote).0 != vote.verdict;
            let Some(open) = self.open.get_mut(&(vote.signature, vote.motion.code())).filter(|_| !contradicts) else {
                self.counts.refused_votes += 1;
                continue;
            };
            match open.ballot.record(vote) {
                Ok(()) => self.counts.votes += 1,
                Err(refused) => {
                    self.counts.refused_votes += 1;
                    if let VoteRefused::Equivocation(_) = refused {
                        self.trust.equivocated(vote.voter);
                    }
                }
            }
        }
    }

    /// Resolves every open ballot, in the order of signature ids.
    fn resolve(&mut self, t: u32, decisions: &mut Decisions) -> Vec<Decision> {
        let seed = self.committee_seed();
        let mut closed = Vec::new();
        for key in self.open.keys().copied().collect::<Vec<_>>() {
            let Some(open) = self.open.get_mut(&key) else { continue };
            let trust = &self.trust;
            let resolution = open.ballot.resolve(t, &self.founding.policy, &|agent| trust.weight(agent));
            let decision = match (self.founding.mode, resolution) {
                (Mode::Oracle, _) => open.divine(t, &self.founding),
                (_, Resolution::Open) => continue,
                (_, Resolution::Escalate { round }) => {
                    self.counts.escalated += 1;
                    let size = self.founding.policy.committee_size(round);
                    open.ballot.escalate(committee(&seed, &self.active, size), t);
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
                let signature = Arc::clone(&open.signature);
                decisions.blocks.extend(signature.sources.iter().map(|&source| (source, id)));
                decisions.adopted.push(Adoption { signature: Arc::clone(&signature), radius: decision.radius, grade: open.grade });
                let matcher = Arc::clone(&open.matcher);
                let challengers = BTreeSet::new();
                self.in_force.insert(id, InForce { signature, matcher, radius: decision.radius, grade: open.grade, challengers });
            }
        }
    }

    /// Blocks an address once those who sighted it are trusted enough together.
    fn count_sightings(&mut self, sightings: &[Sighting], decisions: &mut Decisions) {
        for sighting in sightings.iter().filter(|sighting| self.in_force.contains_key(&sighting.signature)) {
            for &source in &sighting.sources {
                if !self.sighted.contains_key(&source) && self.sighted.len() >= self.founding.exchange.sighted_max {
                    self.sighted.pop_first();
                }
                let witnesses = self.sighted.entry(source).or_default();
                witnesses.insert(sighting.agent);
                let trust: f32 = witnesses.iter().map(|&agent| self.trust.weight(agent)).sum();
                if trust >= self.founding.exchange.sighting_trust {
                    self.sighted.remove(&source);
                    decisions.blocks.push((source, sighting.signature));
                }
            }
        }
        let fresh = decisions.blocks.iter().filter(|(source, _)| self.blocked.insert(*source)).count();
        self.counts.blocks += fresh as u64;
    }
}

impl Open {
    fn is_new(&self, t: u32) -> bool {
        self.ballot.motion() == Motion::Adopt && self.signature.step == t
    }

    /// The oracle's decision: the truth for the outcome, the voters' own measures for the radius.
    fn divine(&self, t: u32, founding: &Founding) -> Decision {
        let mut radii: Vec<f32> = self.ballot.votes().iter().map(|vote| vote.evidence.radius).collect();
        radii.retain(|&radius| radius >= founding.vote.radius_min);
        radii.sort_by(f32::total_cmp);
        let lower_third = (radii.len() as f32 * founding.policy.radius_quantile) as usize;
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
