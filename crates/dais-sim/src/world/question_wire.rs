//! The open ballots of a step as they cross to shards elsewhere: what follows from a signature is left out.

use std::sync::Arc;

use dais_protocol::{AgentId, Matcher, Motion, Signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::agent::vote::{BallotView, Question};

/// A ballot without the id and the matcher of its signature.
#[derive(Serialize, Deserialize)]
struct Ballot {
    motion: Motion,
    round: u8,
    signature: Arc<Signature>,
    pending: Vec<AgentId>,
}

pub(super) fn serialize<S: Serializer>(question: &Arc<Question>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(question.ballots.iter().map(|ballot| Ballot {
        motion: ballot.motion,
        round: ballot.round,
        signature: Arc::clone(&ballot.signature),
        pending: ballot.pending.clone(),
    }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Question>, D::Error> {
    let ballots = Vec::<Ballot>::deserialize(deserializer)?.into_iter().map(|ballot| BallotView {
        id: ballot.signature.id(),
        matcher: Arc::new(Matcher::new(&ballot.signature.pattern)),
        motion: ballot.motion,
        round: ballot.round,
        signature: ballot.signature,
        pending: ballot.pending,
    });
    Ok(Arc::new(Question::new(ballots.collect())))
}
