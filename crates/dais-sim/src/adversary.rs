//! Agents that lie.

use dais_protocol::{Evidence, Medoid, Pattern, RADIUS_MAX, Signature, ThreatClass, Verdict};
use dais_traffic::Batch;
use rand_philox::Philox;
use serde::{Deserialize, Serialize};

/// A way of lying; an adversary may combine several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Votes by the toss of a coin.
    RandomVoter,
    /// Confirms what it measured as wrong, refutes what it measured as right.
    Inverter,
    /// Publishes signatures of normal traffic in place of its findings.
    Poisoner,
    /// Neither publishes nor votes.
    Silent,
}

/// A group of adversaries among the agents of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryGroup {
    /// Share of all agents, 0 to 1, rounded to the nearest number of agents.
    pub share: f64,
    /// What they do.
    pub behaviours: Vec<Behaviour>,
}

/// Spread of a poisoned signature: wide enough to hit the normal traffic around its centre.
const POISON_SPREAD: f32 = 0.15;

/// Support a poisoner claims.
const POISON_SUPPORT: u32 = 50;

/// One of the rows that an adversary itself finds ordinary.
pub(crate) fn draw_ordinary(ordinary: &[usize], random: &mut Philox) -> Option<usize> {
    let place = random.bounded(u32::try_from(ordinary.len()).ok().filter(|&count| count > 0)?);
    Some(ordinary[place as usize])
}

/// A signature of normal traffic: of this flow, which stands in this row of the batch.
pub(crate) fn poisoned_signature(template: &Signature, batch: &Batch, row: usize, flow: Medoid) -> Signature {
    let Medoid { numeric, codes } = flow;
    Signature {
        class: ThreatClass::Unknown,
        pattern: Pattern {
            centre: numeric.clone(),
            spread: vec![POISON_SPREAD; numeric.len()],
            categories: codes.iter().map(|&code| vec![code]).collect(),
        },
        radius: RADIUS_MAX,
        medoid: Medoid { numeric, codes },
        sources: batch.endpoints().map(|all| vec![all.source[row]]).unwrap_or_default(),
        ports: batch.endpoints().map(|all| vec![all.destination_port[row]]).unwrap_or_default(),
        support: POISON_SUPPORT,
        medoid_p: 0.001,
        confidence: 1.0,
        ..template.clone()
    }
}

/// What an adversary says instead of what it measured; `None` = nothing.
pub(crate) fn false_vote(
    behaviours: &[Behaviour],
    verdict: Verdict,
    confidence: f32,
    mut evidence: Evidence,
    random: &mut Philox,
) -> Option<(Verdict, f32, Evidence)> {
    let mut said = verdict;
    for behaviour in behaviours {
        said = match behaviour {
            Behaviour::Silent => return None,
            Behaviour::RandomVoter if random.bounded(2) == 0 => Verdict::Confirm,
            Behaviour::RandomVoter => Verdict::Refute,
            Behaviour::Inverter => match said {
                Verdict::Confirm => Verdict::Refute,
                Verdict::Refute => Verdict::Confirm,
                Verdict::Abstain => Verdict::Abstain,
            },
            Behaviour::Poisoner => said,
        };
    }
    if said == verdict {
        return Some((verdict, confidence, evidence));
    }
    // Evidence forged to fit the lie.
    let confirms = said == Verdict::Confirm;
    evidence.radius = if confirms { RADIUS_MAX } else { 0.0 };
    evidence.matches = if confirms { 0 } else { evidence.baseline };
    evidence.medoid_p = if confirms { 0.001 } else { 1.0 };
    Some((said, 1.0, evidence))
}
