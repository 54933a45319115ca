//! How what is said and decided becomes ledger entries.

use dais_ledger::{COORDINATOR, Digest, Entry, Kind, leaf_hash};
use dais_protocol::{AgentId, Challenge, Decision, Seal, Sighting, Signature, VerifyingKey, Vote};

use crate::agent::lifecycle::{Cause, Lifecycle, LifecycleEvent};

pub(crate) fn signature(signature: &Signature) -> Entry {
    Entry { kind: Kind::Signature, step: signature.step, author: signature.author.0, body: signature.encode() }
}

pub(crate) fn sighting(sighting: &Sighting) -> Entry {
    Entry { kind: Kind::Sighting, step: sighting.step, author: sighting.agent.0, body: sighting.encode() }
}

pub(crate) fn challenge(challenge: &Challenge) -> Entry {
    Entry { kind: Kind::Challenge, step: challenge.step, author: challenge.agent.0, body: challenge.encode() }
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

/// What draws the committees of a step: the last head, and the seals on all that was offered after it. No author knows
/// the draw before all others have spoken.
pub(crate) fn draw(root: &[u8; 32], seals: impl Iterator<Item = Seal>) -> [u8; 32] {
    let mut bytes = root.to_vec();
    seals.for_each(|seal| bytes.extend_from_slice(seal.as_bytes()));
    digest_bytes(&leaf_hash(&bytes))
}

pub(crate) fn digest_bytes(digest: &Digest) -> [u8; 32] {
    *digest.as_bytes()
}
