//! What several adversaries forge: evidence that fits a lie, and signatures of ordinary traffic.

use std::net::IpAddr;

use dais_protocol::{Medoid, Motion, Pattern, RADIUS_MAX, Signature, ThreatClass, Verdict, Vote};
use dais_traffic::Batch;

use super::lie::{Scene, Sight};
use crate::agent::observe::{Finding, Observed};
use crate::agent::window::Remembered;

/// Spread of a poisoned signature: with the largest radius as wide as the rules allow.
const POISON_SPREAD: f32 = 0.12;

/// Support a poisoner claims.
const POISON_SUPPORT: u32 = 50;

/// Matches that a forged vote on a revocation claims.
const CLAIMED_MATCHES: u32 = 10;

/// Makes a vote say something else, with evidence that fits.
pub(crate) fn turn(vote: &mut Vote, verdict: Verdict) {
    if vote.verdict == verdict {
        return;
    }
    let evidence = &mut vote.evidence;
    let confirms = verdict == Verdict::Confirm;
    match vote.motion {
        Motion::Adopt => {
            evidence.baseline = evidence.baseline.max(500);
            evidence.radius = if confirms { RADIUS_MAX } else { 0.0 };
            evidence.matches = if confirms { 0 } else { evidence.baseline };
            evidence.medoid_p = if confirms { 0.001 } else { 1.0 };
        }
        Motion::Revoke => {
            evidence.baseline = evidence.baseline.max(CLAIMED_MATCHES);
            evidence.matches = CLAIMED_MATCHES;
            evidence.sources_ordinary = if confirms { CLAIMED_MATCHES } else { 0 };
            evidence.alerts_matched = CLAIMED_MATCHES - evidence.sources_ordinary;
        }
    }
    vote.verdict = verdict;
    vote.confidence = 1.0;
}

/// A signature of ordinary traffic, around one ordinary flow of this batch.
pub(crate) fn poison(scene: &mut Scene<'_>, sight: &Sight<'_>, said: &Observed) -> Option<Finding> {
    let ordinary = sight.ordinary(said);
    let count = u32::try_from(ordinary.len()).ok().filter(|&count| count > 0)?;
    let row = ordinary[scene.random.bounded(count) as usize];
    Some(Finding { signature: signature_around(scene, sight.batch, row), rows: Vec::new() })
}

/// A signature around the flow in this row, as wide as the rules allow.
pub(crate) fn signature_around(scene: &Scene<'_>, batch: &Batch, row: usize) -> Signature {
    let Medoid { numeric, codes } = Remembered::of(batch, row).into();
    Signature {
        author: scene.agent,
        step: scene.step,
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
        reasons: Vec::new(),
        confidence: 1.0,
        refines: None,
        refinement: 0,
    }
}

/// Up to `count` distinct sources of ordinary flows, ascending.
pub(crate) fn victims(sight: &Sight<'_>, said: &Observed, count: usize) -> Vec<IpAddr> {
    let Some(endpoints) = sight.batch.endpoints() else { return Vec::new() };
    let mut sources: Vec<IpAddr> = sight.ordinary(said).into_iter().map(|row| endpoints.source[row]).collect();
    sources.sort_unstable();
    sources.dedup();
    sources.truncate(count);
    sources
}
