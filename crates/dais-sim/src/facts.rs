//! What happened in a step, for those who watch a run: it decides nothing.

use dais_protocol::{AgentId, Decision, Motion, SignatureId};

use crate::lifecycle::LifecycleEvent;

/// Votes counted on one motion in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteCount {
    /// The signature voted on.
    pub signature: SignatureId,
    /// What is moved.
    pub motion: Motion,
    /// Votes that confirm it.
    pub confirmations: u32,
    /// Votes that refute it.
    pub refutations: u32,
    /// Votes that abstain.
    pub abstentions: u32,
}

/// A ballot that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// The author of the signature.
    pub author: AgentId,
    /// The step in which the signature was published, or its revocation moved.
    pub opened_step: u32,
}

/// What happened in the last step of a world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepFacts {
    /// Agents that took part.
    pub active: u32,
    /// Transitions in agents' lives.
    pub events: Vec<LifecycleEvent>,
    /// Signatures whose ballots were opened, with their authors.
    pub published: Vec<(SignatureId, AgentId)>,
    /// Votes by motion, in the order of signatures.
    pub votes: Vec<VoteCount>,
    /// Ballots that ended.
    pub decided: Vec<Decided>,
    /// Ballots open after the step.
    pub open: usize,
    /// Signatures in force after the step.
    pub in_force: usize,
    /// Entries of the ledger after the step; 0 where the world has none.
    pub entries: u64,
}
