//! What an entry says, in a line and in full.

use dais_ledger::{Entry, Kind};
use dais_protocol::{Challenge, Decision, Sighting, Signature, Vote};
use dais_sim::{Genesis, transitions};
use serde_json::{Value, json};

use crate::args::value::author_name;
use crate::screen::figure::plural;

/// The body of an entry as its writer meant it.
enum Content {
    Genesis(Box<Genesis>),
    Signature(Box<Signature>),
    Vote(Vote),
    Outcome(Decision),
    Sighting(Sighting),
    Challenge(Challenge),
    Lifecycle(Value),
    /// A key or a seal, or what cannot be decoded.
    Bytes,
}

fn decode(entry: &Entry) -> Content {
    let body = &entry.body;
    let decoded = match entry.kind {
        Kind::Genesis => Genesis::decode(body).ok().map(|genesis| Content::Genesis(Box::new(genesis))),
        Kind::Signature => Signature::decode(body).ok().map(|signature| Content::Signature(Box::new(signature))),
        Kind::Vote => Vote::decode(body).ok().map(Content::Vote),
        Kind::Outcome => Decision::decode(body).ok().map(Content::Outcome),
        Kind::Sighting => Sighting::decode(body).ok().map(Content::Sighting),
        Kind::Challenge => Challenge::decode(body).ok().map(Content::Challenge),
        Kind::Lifecycle => transitions(body).map(|all| {
            let each = all.into_iter().map(|(from, to, cause)| json!({ "from": from, "to": to, "cause": cause }));
            Content::Lifecycle(each.collect())
        }),
        Kind::Member | Kind::Seal => None,
    };
    decoded.unwrap_or(Content::Bytes)
}

/// The entry in few words.
pub(super) fn summary(entry: &Entry) -> String {
    match decode(entry) {
        Content::Genesis(run) => {
            format!(
                "run of {} and {}, seed {}",
                plural(run.agents.into(), "agent"),
                plural(run.steps.into(), "step"),
                run.seed.0
            )
        }
        Content::Signature(found) => {
            let (id, sources) = (found.id().short(), plural(found.sources.len() as u64, "source"));
            format!(
                "{id} {}, radius {:.2}, {sources}, {}",
                found.class,
                found.radius,
                plural(found.support.into(), "flow")
            )
        }
        Content::Vote(vote) => {
            format!(
                "{} {} {}, round {}",
                word(&json!(vote.verdict)),
                word(&json!(vote.motion)),
                vote.signature.short(),
                vote.round
            )
        }
        Content::Outcome(decision) => format!(
            "{} {} {}, {} for, {} against",
            word(&json!(decision.motion)),
            decision.signature.short(),
            word(&json!(decision.outcome)),
            decision.confirmations,
            decision.refutations
        ),
        Content::Sighting(sighting) => {
            format!("{} from {}", sighting.signature.short(), plural(sighting.sources.len() as u64, "source"))
        }
        Content::Challenge(challenge) => {
            let Challenge { signature, matches, ordinary, .. } = challenge;
            format!("against {}, {ordinary} of {} ordinary", signature.short(), plural(matches.into(), "match"))
        }
        Content::Lifecycle(events) => {
            let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
            let first = events.first().map(|event| word(&event["from"]));
            let states = first.into_iter().chain(events.iter().map(|event| word(&event["to"])));
            states.collect::<Vec<_>>().join(" > ")
        }
        Content::Bytes => {
            let shown = hex::encode(entry.body.get(..8).unwrap_or(&entry.body));
            let what = match entry.kind {
                Kind::Member => "key ",
                Kind::Seal => "seal ",
                Kind::Genesis
                | Kind::Signature
                | Kind::Vote
                | Kind::Outcome
                | Kind::Sighting
                | Kind::Challenge
                | Kind::Lifecycle => "",
            };
            format!("{what}{shown}… ({})", plural(entry.body.len() as u64, "byte"))
        }
    }
}

/// The body in full; as hexadecimal digits where it is a key, a seal or cannot be decoded.
pub(super) fn body(entry: &Entry) -> Value {
    match decode(entry) {
        Content::Genesis(run) => json!(run),
        Content::Signature(signature) => json!(signature),
        Content::Vote(vote) => json!(vote),
        Content::Outcome(decision) => json!(decision),
        Content::Sighting(sighting) => json!(sighting),
        Content::Challenge(challenge) => json!(challenge),
        Content::Lifecycle(events) => events,
        Content::Bytes => json!({ "hex": hex::encode(&entry.body) }),
    }
}

/// The entry as one JSON object.
pub(super) fn object(index: u64, entry: &Entry) -> Value {
    json!({
        "index": index,
        "step": entry.step,
        "author": author_name(entry.author),
        "kind": entry.kind.name(),
        "leaf": entry.leaf_hash(),
        "body_bytes": entry.body.len(),
        "body": body(entry),
    })
}

/// The name of a state in JSON, as words.
fn word(state: &Value) -> String {
    state.as_str().unwrap_or_default().replace('_', " ")
}
