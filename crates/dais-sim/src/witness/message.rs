//! What witnesses, coordinator and fellow witnesses say to one another.

use dais_ledger::{Checkpoint, ConsistencyProof, NoteSignature, Refused};
use dais_protocol::AgentId;
use serde::{Deserialize, Serialize};

use crate::wire;

/// A head that the coordinator shows to a witness.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) witness: AgentId,
    #[serde(with = "wire::text")]
    pub(crate) checkpoint: Checkpoint,
    /// From the last head that the witness cosigned to this one.
    pub(crate) proof: ConsistencyProof,
}

/// What a witness says to the coordinator of a head that it was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) witness: AgentId,
    pub(crate) checked: Checked,
}

/// A cosignature, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Checked {
    /// The line of the cosignature.
    Cosigned(#[serde(with = "wire::text")] NoteSignature),
    /// The proof begins at another size than that of the last head the witness cosigned, which is this one.
    OtherSize(u64),
    /// It refuses, for this reason.
    Refused(String),
}

impl From<Result<NoteSignature, Refused>> for Checked {
    fn from(checked: Result<NoteSignature, Refused>) -> Self {
        match checked {
            Ok(line) => Self::Cosigned(line),
            Err(Refused::Sizes { last, .. }) => Self::OtherSize(last),
            Err(refused) => Self::Refused(refused.to_string()),
        }
    }
}

/// What a shard's witnesses say about what they were shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Testimony {
    /// To the coordinator.
    pub(crate) answers: Vec<Answer>,
    /// To the other witnesses: the checkpoints as they were shown.
    #[serde(with = "wire::texts")]
    pub(crate) seen: Vec<Checkpoint>,
}
