//! What a world asks its shards, and what they reply: values within a process, bytes beyond it.

use std::sync::Arc;

use dais_ledger::{Checkpoint, SplitView};
use dais_protocol::SignatureId;
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::{Lifecycle, LifecycleEvent};
use crate::agent::vote::Question;
use crate::exchange::message::{Counted, Decisions, Said, Voted};
use crate::truth::tally::{Evaluation, SignatureTruth};
use crate::wire::{self, WireError};
use crate::witness::message::{Shown, Testimony};
use crate::world::question_wire;
use crate::world::shard_error::ShardError;

/// What a shard is asked. Calls to several shards share what they carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Start every agent from its site's baseline.
    Begin,
    /// The public keys of the agents.
    Keys,
    /// The states of the agents' lives.
    Lives,
    /// Learn what was decided, and observe the flows of step `t`.
    Step { t: u32, decisions: Arc<Decisions> },
    /// Count what really happened in step `t`; `truths` are about what was accepted before it.
    Count { t: u32, truths: Arc<Vec<(SignatureId, SignatureTruth)>> },
    /// Vote, and seal all that was said in step `t`.
    Validate {
        t: u32,
        #[serde(with = "question_wire")]
        question: Arc<Question>,
    },
    /// Let witnesses check what they are shown before step `t`, for the first or a further time.
    Testify { t: u32, round: u8, shown: Arc<Vec<Shown>>, time_s: u64 },
    /// Let witnesses compare what all of them were shown.
    Compare {
        t: u32,
        #[serde(with = "checkpoints")]
        seen: Arc<Vec<Checkpoint>>,
    },
    /// All state as bytes.
    Snapshot,
    /// Go back to the state of a snapshot.
    Restore(Arc<Vec<u8>>),
    /// End the agents' lives in step `t`.
    Stop { t: u32 },
    /// Hand over the evaluation of the run that has ended.
    Evaluate,
}

/// What a shard replies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Response {
    Done,
    Keys(Vec<[u8; 32]>),
    Lives(Vec<Lifecycle>),
    Said(Said),
    Counted(Counted),
    Voted(Voted),
    Testimony(Testimony),
    Compared(#[serde(with = "wire::texts")] Vec<SplitView>),
    Snapshot(Vec<u8>),
    Stopped(Vec<LifecycleEvent>),
    Evaluation(Evaluation),
}

mod checkpoints {
    use std::sync::Arc;

    use dais_ledger::Checkpoint;
    use serde::{Deserializer, Serializer};

    use crate::wire::texts;

    pub(super) fn serialize<S: Serializer>(seen: &Arc<Vec<Checkpoint>>, serializer: S) -> Result<S::Ok, S::Error> {
        texts::serialize(seen, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Vec<Checkpoint>>, D::Error> {
        texts::deserialize(deserializer).map(Arc::new)
    }
}

/// One call to one shard.
#[derive(Clone, Debug)]
pub struct Call(pub(crate) Request);

impl Call {
    /// The bytes of the call, in their one form.
    ///
    /// # Errors
    /// A call that cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        wire::encode(&self.0)
    }

    /// Reads a call.
    ///
    /// # Errors
    /// Bytes that are no call, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(bytes).map(Self)
    }

    /// Whether the call changes nothing, so that it may be answered anew each time.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(self.0, Request::Keys | Request::Lives | Request::Snapshot)
    }
}

/// The reply of one shard to one call.
#[derive(Clone, Debug)]
pub struct Reply(pub(crate) Response);

impl Reply {
    /// The bytes of a reply or of its failure, in their one form.
    ///
    /// # Errors
    /// A reply that cannot be encoded.
    pub fn to_bytes(reply: &Result<Self, ShardError>) -> Result<Vec<u8>, WireError> {
        wire::encode(&reply.as_ref().map(|reply| &reply.0))
    }

    /// Reads what a shard replied.
    ///
    /// # Errors
    /// The failure that the shard replies; bytes that are no reply, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ShardError> {
        let reply: Result<Response, ShardError> =
            wire::decode(bytes).map_err(|error| ShardError::Message(error.to_string()))?;
        reply.map(Self)
    }
}
