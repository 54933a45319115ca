//! What follows from what agents say: the state that ballots, trust and sightings move.
//!
//! The coordinator decides with it while a run lasts, and an audit recomputes the same decisions with it from the ledger.

mod accepted;
mod enforcing;
mod hearing;

mod opening;
pub(crate) mod uncounted;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{AgentId, Decision, Motion, Outcome, Resolution, Signature, SignatureId, TrustBook, committee};
use serde::{Deserialize, Serialize};

use crate::agent::vote::BallotView;
use crate::exchange::bylaws::Bylaws;
use crate::exchange::counts::ExchangeCounts;
use crate::exchange::message::{Adoption, Decisions};
use crate::exchange::open_ballot::{BallotStatuses, OpenBallot};
use crate::exchange::report::Opened;
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;

use accepted::Accepted;

/// What a snapshot keeps of an assembly between two steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AssemblyState {
    trust: TrustBook,
    open: BTreeMap<(SignatureId, u8), OpenBallot>,
    in_force: BTreeMap<SignatureId, Accepted>,
    /// Who sighted each address that is not blocked yet.
    sighters: BTreeMap<IpAddr, BTreeSet<AgentId>>,
    blocked: BTreeSet<IpAddr>,
    counts: ExchangeCounts,
}

/// Open ballots, signatures in force, sightings and trust.
pub(crate) struct Assembly {
    bylaws: Bylaws,
    trust: TrustBook,
    open: BTreeMap<(SignatureId, u8), OpenBallot>,
    in_force: BTreeMap<SignatureId, Accepted>,
    /// Who sighted each address that is not blocked yet.
    sighters: BTreeMap<IpAddr, BTreeSet<AgentId>>,
    blocked: BTreeSet<IpAddr>,
    active: Vec<AgentId>,
    /// The truth about what was accepted since it was last taken.
    truths: Vec<(SignatureId, SignatureTruth)>,
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
            sighters: BTreeMap::new(),
            blocked: BTreeSet::new(),
            active: Vec::new(),
            truths: Vec::new(),
            counts: ExchangeCounts::default(),
        }
    }

    pub(crate) fn state(&self) -> AssemblyState {
        AssemblyState {
            trust: self.trust.clone(),
            open: self.open.clone(),
            in_force: self.in_force.clone(),
            sighters: self.sighters.clone(),
            blocked: self.blocked.clone(),
            counts: self.counts,
        }
    }

    /// Goes back to what a snapshot kept.
    pub(crate) fn restore(&mut self, state: AssemblyState) {
        let AssemblyState { trust, open, in_force, sighters, blocked, counts } = state;
        let (bylaws, active, truths) = (self.bylaws.clone(), Vec::new(), Vec::new());
        *self = Self { bylaws, trust, open, in_force, sighters, blocked, active, truths, counts };
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

    /// The truth about what was accepted since the last call.
    pub(crate) fn take_truths(&mut self) -> Vec<(SignatureId, SignatureTruth)> {
        std::mem::take(&mut self.truths)
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
    pub(crate) fn statuses(&self) -> BallotStatuses {
        self.open.iter().map(|(key, open)| (*key, open.status())).collect()
    }

    /// Ballots opened in step `t`.
    pub(crate) fn opened(&self, t: u32) -> Vec<Opened> {
        let opened = self.open.values().filter(|open| open.ballot.opened() == t && open.ballot.round() == 0);
        let opened = opened.map(|open| Opened {
            signature: open.ballot.signature(),
            motion: open.ballot.motion(),
            author: open.signature.author,
            family: open.truth.family,
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

    /// Resolves every open ballot, in the order of signature ids; what agents are to learn goes to `decisions`.
    pub(crate) fn resolve(&mut self, t: u32, seed: &[u8; 32], decisions: &mut Decisions) -> Vec<Decision> {
        let mut closed = Vec::new();
        for key in self.open.keys().copied().collect::<Vec<_>>() {
            let Some(open) = self.open.get_mut(&key) else { continue };
            let trust = &self.trust;
            let resolution = open.ballot.resolve(t, &self.bylaws.policy, &|agent| trust.weight(agent));
            let decision = match (self.bylaws.mode, resolution) {
                (Mode::Oracle, _) => open.decide_by_truth(t, &self.bylaws),
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
    fn settle(&mut self, open: &OpenBallot, decision: &Decision, decisions: &mut Decisions) {
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
                self.counts.accepted_benign += u64::from(open.truth.family.is_none());
                let (signature, radius, truth) = (Arc::clone(&open.signature), decision.radius, open.truth);
                decisions.blocks.extend(signature.sources.iter().map(|&source| (source, id)));
                decisions.adopted.push(Adoption { signature: Arc::clone(&signature), radius });
                self.truths.push((id, truth));
                let matcher = Arc::clone(&open.matcher);
                self.enforce(decision.step, id, signature, matcher, radius, truth);
            }
        }
    }

    /// Ends step `t`: the record of trust fades.
    pub(crate) fn adjourn(&mut self, t: u32) {
        self.trust.forget(t);
    }
}
