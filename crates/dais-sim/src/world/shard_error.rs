//! Why a shard does not answer.

use serde::{Deserialize, Serialize};

/// What a shard expects to be asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    /// To learn and observe in the step of this number.
    Step(u32),
    /// To vote in the step of this number.
    Validate(u32),
}

/// A call out of turn, a snapshot that cannot be read, or a shard that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ShardError {
    /// The coordinator asked for something else than the shard expects.
    #[error("shard expects {expected:?}, was asked for {asked:?}")]
    OutOfTurn {
        /// What the shard expects.
        expected: Turn,
        /// What it was asked for.
        asked: Turn,
    },
    /// It was asked to stop in the middle of a step.
    #[error("stopped in the middle of a step")]
    Stopped,
    /// The bytes of a snapshot do not decode.
    #[error("snapshot of a shard cannot be read: {0}")]
    Snapshot(String),
    /// A call or a reply cannot be read, or is not the one that was waited for.
    #[error("a message between the coordinator and a shard cannot be used: {0}")]
    Message(String),
    /// A shard elsewhere cannot be reached. Nothing is lost by asking it again.
    #[error("a shard cannot be reached: {0}")]
    Unreachable(String),
}
