//! What a run found: its signatures with what became of them, the worst first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::ControlFlow;

use dais_ledger::{Entry, Kind, Storage, StorageError};
use dais_protocol::{Decision, Motion, Outcome, Signature, SignatureId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::load::Loaded;

/// Signatures that a summary holds at most; the worst stay.
const FOUND_MAX: usize = 1_000;

/// Times before this one, 1980, are no times of a clock but seconds since some beginning.
const CLOCK_MIN_S: f64 = 315_532_800.0;

/// A signature that was put to the vote, with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its id.
    pub id: SignatureId,
    /// What kind of attack its author takes it for.
    pub class: String,
    /// ATT&CK technique of that class, where there is one.
    pub technique: Option<String>,
    /// The step in which it was published.
    pub step: u32,
    /// The time at which that step begins, as RFC 3339 has it; of recorded traffic with times of a clock.
    pub time: Option<String>,
    /// The site whose agent found it.
    pub site: String,
    /// Its author, the agent of that site.
    pub author: u32,
    /// Source addresses of its flows, ascending; the protocol bounds them.
    pub sources: Vec<IpAddr>,
    /// Destination ports of its flows, ascending; the protocol bounds them.
    pub ports: Vec<u16>,
    /// Flows that it was made of.
    pub flows: u32,
    /// How strange its example is to the author's detector, as a p-value.
    pub p: f32,
    /// What its ballot ended with; none where it was open when the run ended.
    pub outcome: Option<Outcome>,
    /// Whether it was accepted and later withdrawn.
    pub revoked: bool,
    /// Votes of the last round of its ballot.
    pub votes: Votes,
    /// What most of its flows are, as the labels say: an attack family or `benign`; none where there are no labels.
    pub truth: Option<String>,
}

/// Votes on a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes {
    /// Votes for it.
    pub confirm: u32,
    /// Votes against it.
    pub refute: u32,
    /// Votes that take no side.
    pub abstain: u32,
}

impl Found {
    /// What became of it, in a word.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        match self.outcome {
            Some(Outcome::Accepted) if self.revoked => "revoked",
            Some(Outcome::Accepted) => "accepted",
            Some(Outcome::Rejected) => "rejected",
            Some(Outcome::Disputed) => "disputed",
            Some(Outcome::Expired) => "expired",
            None => "open",
        }
    }

    /// Whether it was accepted and not withdrawn.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.outcome == Some(Outcome::Accepted) && !self.revoked
    }

    /// Small for what matters most: what stands, then what is undecided, then what was turned down; of equals what was
    /// made of more flows.
    fn order(&self) -> (u8, Reverse<u32>, u32, SignatureId) {
        let rank = match (self.outcome, self.revoked) {
            (Some(Outcome::Accepted), false) => 0_u8,
            (Some(Outcome::Disputed), _) => 1,
            (None, _) => 2,
            (Some(Outcome::Expired), _) => 3,
            (Some(Outcome::Accepted), true) => 4,
            (Some(Outcome::Rejected), _) => 5,
        };
        (rank, Reverse(self.flows), self.step, self.id)
    }

    fn new(id: SignatureId, signature: Signature, clock: &Clock, site: String) -> Self {
        Self {
            id,
            class: signature.class.name().to_owned(),
            technique: signature.class.technique().map(str::to_owned),
            step: signature.step,
            time: clock.time(signature.step),
            site,
            author: signature.author.0,
            sources: signature.sources,
            ports: signature.ports,
            flows: signature.support,
            p: signature.medoid_p,
            outcome: None,
            revoked: false,
            votes: Votes::default(),
            truth: None,
        }
    }

    fn decide(&mut self, decision: &Decision) {
        match decision.motion {
            Motion::Adopt => {
                self.outcome = Some(decision.outcome);
                self.votes = Votes {
                    confirm: decision.confirmations,
                    refute: decision.refutations,
                    abstain: decision.abstentions,
                };
            }
            Motion::Revoke => self.revoked |= decision.outcome == Outcome::Accepted,
        }
    }
}

/// The clock of recorded traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// When the first step begins, in seconds of Unix time; none for traffic without times of a clock.
    pub begin_s: Option<f64>,
    /// Seconds that a step covers, where flows carry times.
    pub step_s: Option<f64>,
}

impl Clock {
    /// The clock of traffic that is loaded.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let begin_s = loaded.begin_s.filter(|begin_s| *begin_s >= CLOCK_MIN_S);
        Self { begin_s, step_s: loaded.source.step_s() }
    }

    /// The time at which a step begins, to the second, as RFC 3339 has it; none where it is no time of a clock.
    #[must_use]
    pub fn time(&self, step: u32) -> Option<String> {
        let time_s = self.begin_s? + f64::from(step) * self.step_s?;
        Timestamp::from_second(time_s.floor() as i64).ok().map(|time| time.to_string())
    }
}

/// The signatures that a ledger holds, the worst first, at most 1,000 of them. `truths` holds the name of the attack
/// family of each signature, as the labels say, or `benign`.
///
/// # Errors
/// A ledger that cannot be read.
pub(crate) fn found(
    storage: &dyn Storage,
    loaded: &Loaded,
    truths: &BTreeMap<SignatureId, String>,
) -> Result<Vec<Found>, StorageError> {
    let clock = Clock::of(loaded);
    let mut by_id: BTreeMap<SignatureId, Found> = BTreeMap::new();
    storage.scan(0..storage.len()?, &mut |row| {
        // The coordinator wrote these entries a moment ago: what does not decode is for an audit to find.
        let Ok(entry) = Entry::decode(row.bytes) else { return ControlFlow::Continue(()) };
        match entry.kind {
            Kind::Signature => {
                if let Ok(signature) = Signature::decode(&entry.body) {
                    let (id, site) = (signature.id(), loaded.source.site_name(signature.author.0));
                    by_id.entry(id).or_insert_with(|| Found::new(id, signature, &clock, site));
                }
            }
            Kind::Outcome => {
                if let Ok(decision) = Decision::decode(&entry.body)
                    && let Some(found) = by_id.get_mut(&decision.signature)
                {
                    found.decide(&decision);
                }
            }
            Kind::Genesis
            | Kind::Member
            | Kind::Sighting
            | Kind::Vote
            | Kind::Lifecycle
            | Kind::Seal
            | Kind::Challenge => {}
        }
        ControlFlow::Continue(())
    })?;
    let mut found: Vec<Found> = by_id.into_values().collect();
    found.sort_by_cached_key(Found::order);
    found.truncate(FOUND_MAX);
    for one in &mut found {
        one.truth = truths.get(&one.id).cloned();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(flows: u32, outcome: Option<Outcome>, revoked: bool) -> Found {
        Found {
            id: SignatureId::from_bytes([flows as u8; 32]),
            class: "port scan".to_owned(),
            technique: None,
            step: 3,
            time: None,
            site: "a".to_owned(),
            author: 0,
            sources: Vec::new(),
            ports: Vec::new(),
            flows,
            p: 0.01,
            outcome,
            revoked,
            votes: Votes::default(),
            truth: None,
        }
    }

    #[test]
    fn what_stands_comes_first_and_what_was_turned_down_last() {
        let mut all = [
            one(90, Some(Outcome::Rejected), false),
            one(80, Some(Outcome::Accepted), true),
            one(5, Some(Outcome::Accepted), false),
            one(9, Some(Outcome::Accepted), false),
            one(70, None, false),
        ];
        all.sort_by_cached_key(Found::order);
        let order: Vec<(u32, &str)> = all.iter().map(|found| (found.flows, found.standing())).collect();
        assert_eq!(order, [(9, "accepted"), (5, "accepted"), (70, "open"), (80, "revoked"), (90, "rejected")]);
    }

    #[test]
    fn a_step_of_recorded_traffic_has_a_time_and_seconds_since_a_beginning_are_none() {
        let clock = Clock { begin_s: Some(1_499_245_200.0), step_s: Some(90.0) };
        assert_eq!(clock.time(2).as_deref(), Some("2017-07-05T09:03:00Z"));
        assert_eq!(Clock { begin_s: None, step_s: Some(90.0) }.time(2), None);
    }
}
