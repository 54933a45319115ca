//! What witnesses, coordinator and fellow witnesses say to one another.

use dais_ledger::{Checkpoint, ConsistencyProof, NoteSignature, Refused};
use dais_protocol::AgentId;

/// A head that the coordinator shows to a witness.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) witness: AgentId,
    pub(crate) checkpoint: Checkpoint,
    /// From the last head that the witness cosigned to this one.
    pub(crate) proof: ConsistencyProof,
}

/// A cosignature, or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) witness: AgentId,
    pub(crate) checked: Result<NoteSignature, Refused>,
}

/// What a shard's witnesses say about what they were shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Testimony {
    /// To the coordinator.
    pub(crate) answers: Vec<Answer>,
    /// To the other witnesses: the checkpoints as they were shown.
    pub(crate) seen: Vec<Checkpoint>,
}
