//! How what is said and decided becomes ledger entries.

use dais_ledger::{COORDINATOR, Digest, Entry, Kind};
use dais_protocol::{AgentId, Decision, Seal, Sighting, Signature, VerifyingKey, Vote};

use crate::agent::lifecycle::{Cause, Lifecycle, LifecycleEvent};

pub(crate) fn signature(signature: &Signature) -> Entry {
    Entry { kind: Kind::Signature, step: signature.step, author: signature.author.0, body: signature.encode() }
}

pub(crate) fn sighting(sighting: &Sighting) -> Entry {
    Entry { kind: Kind::Sighting, step: sighting.step, author: sighting.agent.0, body: sighting.encode() }
}

pub(crate) fn vote(vote: &Vote) -> Entry {
    Entry { kind: Kind::Vote, step: vote.step, author: vote.voter.0, body: vote.encode() }
}

pub(crate) fn decision(decision: &Decision) -> Entry {
    Entry { kind: Kind::Outcome, step: decision.step, author: COORDINATOR, body: decision.encode() }
}

pub(crate) fn seal(agent: AgentId, step: u32, seal: &Seal) -> Entry {
    Entry { kind: Kind::Seal, step, author: agent.0, body: seal.as_bytes().to_vec() }
}

pub(crate) fn member(agent: AgentId, key: &VerifyingKey) -> Entry {
    Entry { kind: Kind::Member, step: 0, author: agent.0, body: key.as_bytes().to_vec() }
}

/// One entry for all transitions of an agent in a step; body: from, to and cause of each, one byte each.
pub(crate) fn lifecycle(events: &[LifecycleEvent]) -> Option<Entry> {
    let first = events.first()?;
    let body = events.iter().flat_map(|event| [event.from as u8, event.to as u8, event.cause as u8]).collect();
    Some(Entry { kind: Kind::Lifecycle, step: first.step, author: first.agent, body })
}

/// Reads the body of a lifecycle entry: from, to and cause of at least one transition; `None` when it is none.
#[must_use]
pub fn transitions(body: &[u8]) -> Option<Vec<(Lifecycle, Lifecycle, Cause)>> {
    let (triples, rest) = body.as_chunks::<3>();
    if triples.is_empty() || !rest.is_empty() {
        return None;
    }
    let state = |code: u8| Lifecycle::ALL.into_iter().find(|state| *state as u8 == code);
    let why = |code: u8| Cause::ALL.into_iter().find(|cause| *cause as u8 == code);
    triples.iter().map(|&[from, to, cause]| Some((state(from)?, state(to)?, why(cause)?))).collect()
}

/// Digests of all that an agent says in a step, in ledger order; what its seal covers.
pub(crate) fn statement<'a>(
    published: impl Iterator<Item = &'a Signature>,
    sighted: impl Iterator<Item = &'a Sighting>,
    votes: impl Iterator<Item = &'a Vote>,
) -> Vec<[u8; 32]> {
    let entries = published.map(signature).chain(sighted.map(sighting)).chain(votes.map(vote));
    entries.map(|entry| *entry.leaf_hash().as_bytes()).collect()
}

pub(crate) fn digest_bytes(digest: &Digest) -> [u8; 32] {
    *digest.as_bytes()
}
