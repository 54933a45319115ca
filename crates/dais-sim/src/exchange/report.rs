//! What happened in a step, for those who watch a run: it decides nothing.

use dais_protocol::{AgentId, Decision, Motion, SignatureId};
use dais_traffic::FamilyId;

use crate::agent::lifecycle::LifecycleEvent;

/// A ballot that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The signature it is about.
    pub signature: SignatureId,
    /// What is moved.
    pub motion: Motion,
    /// The author of the signature.
    pub author: AgentId,
    /// The attack family that most of its flows belong to, as the truth says.
    pub family: Option<FamilyId>,
    /// Members of the committee.
    pub members: u32,
    /// Addresses that the signature names as sources.
    pub sources: u32,
}

/// Votes counted on one ballot in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoteCount {
    /// The signature voted on.
    pub signature: SignatureId,
    /// What is moved.
    pub motion: Motion,
    /// The round of the ballot, 0 first.
    pub round: u8,
    /// Votes that confirm it.
    pub confirmations: u32,
    /// Votes that refute it.
    pub refutations: u32,
    /// Votes that abstain.
    pub abstentions: u32,
    /// Trust of those who confirm it, summed.
    pub confirm_weight: f32,
    /// Trust of those who refute it, summed.
    pub refute_weight: f32,
}

/// A ballot that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// The author of the signature.
    pub author: AgentId,
    /// The step in which the signature was published; of a revocation, that of its last round.
    pub opened_step: u32,
    /// Share of the weight that was needed.
    pub threshold: f32,
}

/// What happened in the last step of a world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Agents that took part.
    pub active: u32,
    /// Transitions in agents' lives.
    pub events: Vec<LifecycleEvent>,
    /// Signatures that agents learned at the beginning of the step.
    pub learned: Vec<SignatureId>,
    /// Ballots that were opened.
    pub opened: Vec<Opened>,
    /// Votes by ballot, in the order of signatures.
    pub votes: Vec<VoteCount>,
    /// Ballots that ended.
    pub decided: Vec<Decided>,
    /// Ballots open after the step.
    pub open: usize,
    /// Signatures in force after the step.
    pub in_force: usize,
    /// Entries of the ledger before the step; 0 where the world has none.
    pub entries_before: u64,
    /// Entries of the ledger after the step.
    pub entries: u64,
}
