//! Random messages for the property tests.

use std::net::IpAddr;

use dais_protocol::{
    AgentId, Decision, Evidence, Medoid, Motion, Outcome, Pattern, REASONS_MAX, Reason, Sighting, Signature,
    SignatureId, ThreatClass, Verdict, Vote,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use crate::MILLI;

pub(crate) fn motion() -> impl Strategy<Value = Motion> {
    prop_oneof![Just(Motion::Adopt), Just(Motion::Revoke)]
}

pub(crate) fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Confirm), Just(Verdict::Refute), Just(Verdict::Abstain)]
}

pub(crate) fn id() -> impl Strategy<Value = SignatureId> {
    any::<[u8; 32]>().prop_map(SignatureId::from_bytes)
}

pub(crate) fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    btree_set(any::<IpAddr>(), 0..8).prop_map(|set| set.into_iter().collect())
}

/// The default policy without the evidence of a burst: votes alone decide.
pub(crate) fn votes_alone() -> dais_protocol::PolicyParams {
    dais_protocol::PolicyParams { burst: None, ..dais_protocol::PolicyParams::default() }
}

pub(crate) fn evidence() -> impl Strategy<Value = Evidence> {
    let counts = (any::<u32>(), 0.0..=1.0_f64, any::<u32>(), any::<u32>());
    let measures = (0.0..=1.0_f32, -1.0..=1.0_f32, 0.0..=4.0_f32);
    let odd = (any::<u32>(), any::<u32>(), any::<u32>());
    (counts, measures, odd).prop_map(|(counts, measures, (recent, past, past_steps))| Evidence {
        baseline: counts.0,
        matches: (f64::from(counts.0) * counts.1) as u32,
        alerts_matched: counts.2,
        medoid_p: measures.0,
        similarity: measures.1,
        radius: measures.2,
        sources_ordinary: counts.3,
        recent,
        past,
        past_steps,
    })
}

pub(crate) fn vote() -> impl Strategy<Value = Vote> {
    let who = (any::<u32>(), any::<u32>(), any::<u8>());
    (motion(), id(), who, verdict(), 0.0..=1.0_f32, evidence()).prop_map(
        |(motion, signature, (voter, step, round), verdict, confidence, evidence)| Vote {
            motion,
            signature,
            voter: AgentId(voter),
            step,
            round,
            verdict,
            confidence,
            evidence,
        },
    )
}

pub(crate) fn decision() -> impl Strategy<Value = Decision> {
    let outcome = prop::sample::select(vec![Outcome::Accepted, Outcome::Rejected, Outcome::Disputed, Outcome::Expired]);
    let floats = (0.0..=4.0_f32, 0.0..1.0e6_f32, 0.0..1.0e6_f32);
    (motion(), id(), outcome, any::<(u32, u8)>(), floats, any::<[u32; 4]>()).prop_map(
        |(motion, signature, outcome, (step, round), floats, counts)| Decision {
            motion,
            signature,
            outcome,
            step,
            round,
            radius: floats.0,
            voters: counts[0],
            confirm_weight: floats.1,
            refute_weight: floats.2,
            confirmations: counts[1],
            refutations: counts[2],
            abstentions: counts[3],
        },
    )
}

pub(crate) fn sighting() -> impl Strategy<Value = Sighting> {
    (any::<(u32, u32)>(), id(), addresses())
        .prop_map(|((agent, step), signature, sources)| Sighting::new(AgentId(agent), step, signature, sources))
}

/// A signature over a schema of so many features that passes its checks.
pub(crate) fn signature(numeric: usize, categorical: usize) -> impl Strategy<Value = Signature> {
    let codes = vec(btree_set(any::<u16>(), 1..5), categorical);
    // The medoid lies some way towards the edge of the pattern, which is as wide as its spreads allow or narrower.
    let places = (vec(-2.0..2.0_f32, numeric), vec(3.0 / 64.0..=1.0_f32, numeric), codes, vec(-0.9..0.9_f32, numeric));
    let numbers = (MILLI..=1.0_f32, 1..u32::MAX, 0.0..=1.0_f32, 0.0..=1.0_f32);
    let features = (numeric + categorical) as u16;
    let reasons = btree_map(0..features, MILLI..=0.2_f32, 0..=REASONS_MAX.min(numeric + categorical));
    let seen = (addresses(), btree_set(any::<u16>(), 0..8), prop::option::of((id(), 1..9_u8)), reasons);
    let author = (any::<u32>(), any::<u32>(), prop::sample::select(ThreatClass::ALL.to_vec()));
    (author, places, numbers, seen).prop_map(
        move |((author, step, class), places, numbers, (sources, ports, refines, reasons))| {
            let (centre, spread, codes, towards) = places;
            let categories: Vec<Vec<u16>> = codes.into_iter().map(|set| set.into_iter().collect()).collect();
            let pattern = Pattern { centre, spread, categories };
            let radius = numbers.0 * pattern.radius_max();
            let outwards = |k: usize| pattern.centre[k] + towards[k] * radius * pattern.spread[k];
            Signature {
                author: AgentId(author),
                step,
                class,
                medoid: Medoid {
                    numeric: (0..numeric).map(outwards).collect(),
                    codes: pattern.categories.iter().map(|codes| codes[0]).collect(),
                },
                pattern,
                radius,
                sources,
                ports: ports.into_iter().collect(),
                support: numbers.1,
                medoid_p: numbers.2,
                reasons: reasons.into_iter().map(|(feature, share)| Reason { feature, share }).collect(),
                confidence: numbers.3,
                refines: refines.map(|(id, _)| id),
                refinement: refines.map_or(0, |(_, count)| count),
            }
        },
    )
}
