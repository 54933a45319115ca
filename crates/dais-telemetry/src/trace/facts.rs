//! What a step did, in plain numbers: what traces are made from.

use std::time::SystemTime;

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its begin.
    pub begin: SystemTime,
    /// Its end, not before its begin.
    pub end: SystemTime,
}

/// What a ballot is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Motion {
    /// Every agent is to learn the signature.
    Adopt,
    /// An accepted signature is to be withdrawn.
    Revoke,
}

impl Motion {
    /// Name as shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Revoke => "revoke",
        }
    }
}

/// A ballot that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Id of the signature.
    pub signature: [u8; 32],
    /// What the ballot is about.
    pub motion: Motion,
    /// The agent that made the signature.
    pub author: u32,
    /// The family of what it describes, where that is known.
    pub family: Option<String>,
    /// Members of the committee.
    pub members: u32,
    /// Addresses that the signature names as sources.
    pub sources: u32,
}

/// What the votes of one step on one ballot amount to.
#[derive(Clone, Debug, PartialEq)]
pub struct Voted {
    /// Id of the signature.
    pub signature: [u8; 32],
    /// What the ballot is about.
    pub motion: Motion,
    /// The round of the ballot, 0 first.
    pub round: u8,
    /// Votes for the motion.
    pub confirmations: u32,
    /// Votes against it.
    pub refutations: u32,
    /// Votes that say too little is known.
    pub abstentions: u32,
    /// Weight of the votes for it.
    pub confirm_weight: f64,
    /// Weight of the votes against it.
    pub refute_weight: f64,
}

/// A ballot that was closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Id of the signature.
    pub signature: [u8; 32],
    /// What the ballot was about.
    pub motion: Motion,
    /// How it ended: `accepted`, `rejected`, `disputed`, `expired`.
    pub outcome: &'static str,
    /// Whether the motion was carried.
    pub carried: bool,
    /// The round in which it ended.
    pub round: u8,
    /// Members of the last committee.
    pub members: u32,
    /// Share of the weight that was needed.
    pub threshold: f64,
    /// Weight of the votes for it.
    pub confirm_weight: f64,
    /// Weight of the votes against it.
    pub refute_weight: f64,
    /// The accepted radius, in spreads; 0 unless a signature was adopted.
    pub radius: f64,
    /// The step in which the ballot was opened.
    pub opened_step: u64,
}

/// A signature that agents learned at the begin of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Id of the signature.
    pub signature: [u8; 32],
    /// Agents that adopted it.
    pub agents: u64,
}

/// What a step added to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When; within the phase `resolve`.
    pub interval: Interval,
    /// Entries added.
    pub entries: u64,
    /// Entries of the ledger afterwards.
    pub tree_size: u64,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepFacts {
    /// The step.
    pub step: u64,
    /// Agents learn what was decided in the step before, observe, detect and describe.
    pub observe: Interval,
    /// Ballots are opened.
    pub publish: Interval,
    /// Agents vote.
    pub vote: Interval,
    /// Ballots are closed and recorded.
    pub resolve: Interval,
    /// Signatures that agents learned at the begin of this step: what was accepted in the one before.
    pub adopted: Vec<Adopted>,
    /// Ballots opened in this step.
    pub published: Vec<Published>,
    /// Votes cast in this step.
    pub voted: Vec<Voted>,
    /// Ballots closed in this step.
    pub decided: Vec<Decided>,
    /// What was added to the ledger, if anything was.
    pub recorded: Option<Recorded>,
}
