//! What an audit may find wrong with a run's ledger.

use std::fmt;

use dais_ledger::{COORDINATOR, Damage, Entry, Kind};
use dais_protocol::{AgentId, Decision, Motion, SignatureId};
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::Lifecycle;
use crate::audit::genesis::GenesisError;

/// The checks of an audit, in the order in which an entry passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Entries, hashes, tree and heads fit together.
    Log,
    /// Run, members, kinds, steps and authors come in their order, and bodies mean something.
    Record,
    /// Every agent's words are sealed with its key.
    Seals,
    /// Agents' lives follow the table of [`Lifecycle`].
    Lifecycle,
    /// Every outcome follows from votes, trust and rules.
    Decisions,
    /// The heads are sealed with the key of the run.
    Key,
}

impl Check {
    /// Name as shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Record => "record",
            Self::Seals => "seals",
            Self::Lifecycle => "lifecycle",
            Self::Decisions => "decisions",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where in the ledger something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Index of the entry.
    pub index: u64,
    /// Its step.
    pub step: u32,
    /// Its author: an agent, or [`COORDINATOR`].
    pub author: u32,
    /// Its kind.
    pub kind: Kind,
}

impl Place {
    pub(crate) fn of(index: u64, entry: &Entry) -> Self {
        Self { index, step: entry.step, author: entry.author, kind: entry.kind }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.name();
        let Self { index, step, author, .. } = self;
        match *author {
            COORDINATOR => write!(f, "entry {index} ({kind} by the coordinator in step {step})"),
            author => write!(f, "entry {index} ({kind} by {} in step {step})", AgentId(author)),
        }
    }
}

/// The first thing wrong with a run's ledger.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{check} check: {}{wrong}", place.map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct Fault {
    /// The check that found it.
    pub check: Check,
    /// The first bad entry, where the fault lies in one.
    pub place: Option<Place>,
    /// What is wrong.
    pub wrong: Box<Wrong>,
}

impl Fault {
    pub(crate) fn new(check: Check, place: Option<Place>, wrong: Wrong) -> Self {
        Self { check, place, wrong: Box::new(wrong) }
    }

    pub(crate) fn damage(damage: Damage) -> Self {
        Self::new(Check::Log, None, Wrong::Damaged { damage, inside: None })
    }
}

/// What is wrong with a run's ledger.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// The log itself is damaged.
    #[error("{damage}{}", inside.as_ref().map(|inside| format!("; {inside}")).unwrap_or_default())]
    Damaged {
        /// What does not fit.
        damage: Damage,
        /// What a look at the entries' content adds, where the damage does not name the entry by itself.
        inside: Option<Box<Wrong>>,
    },
    /// The log does not begin with the description of a run.
    #[error("the ledger is not that of a run: it does not begin with a genesis entry")]
    NotARun,
    /// The description of the run cannot be read.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The witnesses are not those that follow from seed and rules.
    #[error("the witnesses or their keys are not those that follow from the run's seed and rules")]
    Witnesses,
    /// The members are not the agents `0..agents`, each once.
    #[error("the run has {agents} agents, the member entries are not theirs")]
    Members {
        /// Agents of the run.
        agents: u32,
    },
    /// A member's key is not the one that follows from the run's seed.
    #[error("the key is not the one that follows from the run's seed")]
    MemberKey,
    /// Entries of two steps under one head: the head between them is missing.
    #[error("the head sealed before it is missing: one head covers steps {first} and {second}")]
    HeadMissing {
        /// Step of the first entry.
        first: u32,
        /// Step of this entry.
        second: u32,
    },
    /// A step that does not lie after the one before, or beyond the run's end.
    #[error("step {found} does not follow on step {before}, or lies beyond the run's end")]
    StepOrder {
        /// The step before.
        before: u32,
        /// The step found.
        found: u32,
    },
    /// An entry that has no place where it stands.
    #[error("it does not belong here: {0}")]
    Misplaced(&'static str),
    /// A body that cannot be read.
    #[error("its body cannot be read: {0}")]
    Body(String),
    /// A body that contradicts its entry.
    #[error("its body names another {0} than the entry")]
    Contradiction(&'static str),
    /// A signature that is not fit to be put to a vote.
    #[error("the signature is not fit for a ballot: {0}")]
    Unfit(String),
    /// Words without a seal.
    #[error("no seal follows on what the agent said in this step")]
    Unsealed,
    /// A seal that does not fit.
    #[error("the seal is not the agent's over the entries {first} to {last}")]
    Seal {
        /// First sealed entry.
        first: u64,
        /// Last sealed entry.
        last: u64,
    },
    /// A transition that the table of lifecycles does not have, or that begins elsewhere.
    #[error("the agent is {known:?}, the entry says it went from {from:?} to {to:?}")]
    Transition {
        /// The state that follows from the entries before.
        known: Lifecycle,
        /// The state it is said to come from.
        from: Lifecycle,
        /// The state it is said to go to.
        to: Lifecycle,
    },
    /// A signature was put to a vote though the rules turn it away.
    #[error("the rules open no ballot on this signature: an open or accepted one covers it, or too many are open")]
    NotAdmitted,
    /// An outcome of a ballot that does not end here.
    #[error("no ballot to {} signature {} ends in this step", motion_name(*motion), signature.short())]
    Unfounded {
        /// What was voted on.
        motion: Motion,
        /// The signature.
        signature: SignatureId,
    },
    /// An outcome that is missing.
    #[error(
        "the outcome of the ballot to {} signature {} is missing in step {}",
        motion_name(expected.motion), expected.signature.short(), expected.step
    )]
    OutcomeMissing {
        /// What follows from the votes.
        expected: Box<Decision>,
    },
    /// An outcome that does not follow from the votes.
    #[error("the votes give another outcome: {}", difference(recorded, expected))]
    Outcome {
        /// What is recorded.
        recorded: Box<Decision>,
        /// What follows from the votes.
        expected: Box<Decision>,
    },
    /// The heads are sealed with another key than the run's.
    #[error("the heads are sealed with the key {found}, the run's seed gives {expected}")]
    HeadKey {
        /// Key stored with the log, in hex.
        found: String,
        /// Key that follows from the seed, in hex.
        expected: String,
    },
}

fn motion_name(motion: Motion) -> &'static str {
    match motion {
        Motion::Adopt => "adopt",
        Motion::Revoke => "revoke",
    }
}

/// The fields in which two decisions differ, in words.
fn difference(recorded: &Decision, expected: &Decision) -> String {
    let fields = |decision: &Decision| {
        [
            ("outcome", format!("{:?}", decision.outcome).to_lowercase()),
            ("round", decision.round.to_string()),
            ("radius", decision.radius.to_string()),
            ("committee", decision.voters.to_string()),
            ("confirming weight", decision.confirm_weight.to_string()),
            ("refuting weight", decision.refute_weight.to_string()),
            ("confirmations", decision.confirmations.to_string()),
            ("refutations", decision.refutations.to_string()),
            ("abstentions", decision.abstentions.to_string()),
        ]
    };
    let pairs = fields(recorded).into_iter().zip(fields(expected));
    let differing = pairs.filter(|(a, b)| a.1 != b.1);
    differing.map(|((name, a), (_, b))| format!("{name} {a} recorded, {b} recomputed")).collect::<Vec<_>>().join("; ")
}
