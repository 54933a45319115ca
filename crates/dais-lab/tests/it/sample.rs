//! A made-up run with the shape of a real one, to look at reports with.

use std::collections::BTreeMap;

use dais_lab::{
    Alerts, Clock, CurvePoint, Detection, FamilyDetection, Found, LedgerSummary, Series, Signatures, Summary,
    TrustSummary, Votes, Warning,
};
use dais_protocol::{Outcome, SignatureId};
use dais_sim::Mode;
use dais_traffic::{Categorical, Numeric, Schema, Transform};

/// Name of a family that would be markup if it were not escaped.
pub(crate) const HOSTILE: &str = "<script>alert('family')</script>&\"worm\"";
/// Name of a family that is too long for one line.
pub(crate) const LONG: &str = "exfiltration_over_an_alternative_protocol_with_an_unusually_long_family_name";
/// Head of the ledger.
pub(crate) const HEAD: &str = "9f2c4e0d7b61a8835c90d1f24ae7b3380651c9ddf7e2a4b1886305fe12c47a90";

const FAMILIES: [(&str, Option<&str>); 14] = [
    ("port_scan_horizontal", Some("T1046")),
    ("port_scan_vertical", Some("T1046")),
    ("syn_flood", Some("T1498.001")),
    ("brute_force", Some("T1110")),
    ("beacon", Some("T1071.001")),
    ("dns_tunnel", Some("T1071.004")),
    (LONG, Some("T1048")),
    (HOSTILE, None),
    ("worm", Some("T1210")),
    ("neptune", Some("T1499")),
    ("satan", Some("T1595")),
    ("guess_passwd", Some("T1110.001")),
    ("warezmaster", None),
    ("back", Some("T1499.002")),
];

/// A number in [0, 1) that looks drawn and is not.
fn noise(seed: u64) -> f64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 32) & 0xffff_ffff) as f64 / 4_294_967_296.0
}

fn rise(step: f64, start: f64, pace: f64) -> f64 {
    if step < start { 0.0 } else { 1.0 - (-(step - start) / pace).exp() }
}

fn strength(mode: Mode) -> f64 {
    match mode {
        Mode::Isolated => 0.62,
        Mode::Collaborative => 0.79,
        Mode::Oracle => 0.86,
    }
}

fn detection(mode: Mode) -> Detection {
    let strength = strength(mode);
    let families = FAMILIES
        .iter()
        .enumerate()
        .map(|(place, (name, technique))| FamilyDetection {
            name: (*name).to_owned(),
            technique: technique.map(str::to_owned),
            flows: 42_000 / (place as u64 * place as u64 + 1) + 13,
            recall: (place != 12).then(|| (strength + 0.35 * (noise(place as u64) - 0.5)).clamp(0.02, 1.0)),
            delay_steps_median: (place % 5 != 4).then(|| (9.0 - 9.0 * strength + place as f64 * 0.5).round()),
        })
        .collect();
    let curve = (0..14)
        .map(|place| {
            let alert_p = 0.000_5 * 1.6_f64.powi(place);
            let lift = (alert_p / 0.02).powf(0.25);
            CurvePoint { alert_p, fpr: 0.006 + alert_p * 1.05, macro_recall: (strength * lift).min(0.97) }
        })
        .collect();
    Detection {
        recall: Some(strength + 0.07),
        macro_recall: Some(strength),
        precision: Some(0.88 + strength / 20.0),
        f1: Some(0.84),
        fpr: Some(0.006 + 0.021),
        delay_steps_median: Some((9.0 - 9.0 * strength).round()),
        immunity_steps_median: (mode != Mode::Isolated).then_some(6.0),
        families,
        curve,
    }
}

fn schema() -> Schema {
    let numeric = |name: &str, unit: &str| Numeric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        transform: Transform::Log1p,
        low: 0.0,
        high: 12.0,
    };
    Schema {
        name: "flow".to_owned(),
        numeric: vec![numeric("duration", "s"), numeric("bytes_out", "bytes"), numeric("packets_out", "")],
        categorical: vec![Categorical { name: "protocol".to_owned(), values: vec!["tcp".to_owned()] }],
    }
}

/// Signatures of every outcome.
fn found() -> Vec<Found> {
    let outcomes = [Some(Outcome::Accepted), Some(Outcome::Disputed), None, Some(Outcome::Rejected)];
    let one = |(place, outcome): (usize, Option<Outcome>)| Found {
        id: SignatureId::from_bytes([place as u8 + 1; 32]),
        class: "port scan".to_owned(),
        technique: Some("T1046".to_owned()),
        step: 12,
        time: Some("2017-07-05T09:03:00Z".to_owned()),
        site: format!("office-{place}"),
        author: place as u32,
        sources: (0..7).map(|host| [192, 0, 2, host].into()).collect(),
        ports: vec![22, 80],
        flows: 31_415,
        p: 0.002,
        outcome,
        revoked: false,
        votes: Votes { confirm: 9, refute: 1, abstain: 2 },
        truth: Some("port_scan_horizontal".to_owned()),
    };
    outcomes.into_iter().enumerate().map(one).collect()
}

/// The figures of a run with three worlds.
pub(crate) fn summary() -> Summary {
    Summary {
        scenario: "campaigns".to_owned(),
        seed: 7,
        agents: 50,
        adversaries: 15,
        steps: 100,
        steps_planned: 100,
        interrupted: false,
        wall_s: 41.7,
        agent_steps_per_s: 359.7,
        flows: 1_482_311,
        flows_per_s: 35_547.0,
        rates: BTreeMap::new(),
        peak_rss_mb: Some(412.6),
        found: found(),
        alerts: Alerts { alerted: 9_120, matched: 31_204, blocked: 12_004 },
        advice: Vec::new(),
        clock: Clock::default(),
        signatures: Signatures {
            offered: 911,
            published: 402,
            accepted: 268,
            rejected: 97,
            disputed: 21,
            expired: 16,
            revoked: 4,
            accepted_benign: 9,
        },
        votes: 18_733,
        votes_refused: 112,
        messages_per_decision: Some(61.4),
        bytes_per_decision: Some(14_322.0),
        ledger: LedgerSummary {
            entries: 20_418,
            head: Some(HEAD.to_owned()),
            witnesses: 7,
            cosigned: 6,
            split_views: 0,
        },
        ledger_location: Some("ledger.db".to_owned()),
        detection: Mode::ALL.into_iter().map(|mode| (mode, detection(mode))).collect(),
        gap_closed: Some(0.708),
        trust: TrustSummary { honest_mean: Some(0.91), liars_mean: Some(0.13) },
        warning: Some(Warning {
            attackers: 312,
            shared_attackers: 144,
            later_arrivals: 620,
            blocked_on_arrival: 431,
            warning_hours_median: Some(7.4),
            warning_steps_median: Some(11.0),
        }),
        notes: vec!["site-12.log.gz: 3 broken rows left out (line 8812: 18 columns, expected 21)".to_owned()],
        schema: schema(),
    }
}

/// The series of the same run.
pub(crate) fn series() -> Series {
    let steps = 100_u32;
    let by_step = |value: &dyn Fn(f64, u64) -> Option<f64>| -> Vec<Option<f64>> {
        (0..steps).map(|step| value(f64::from(step), u64::from(step))).collect()
    };
    let recall = |mode: Mode| {
        by_step(&|step, place| {
            let attacks = !(30..34).contains(&place) && place > 2;
            let value = 0.35 + (strength(mode) - 0.3) * rise(step, 0.0, 25.0) + 0.3 * (noise(place) - 0.5);
            attacks.then_some(value.clamp(0.0, 1.0))
        })
    };
    let fpr = |mode: Mode| {
        by_step(&|step, place| {
            let learned = if mode == Mode::Isolated { 0.004 } else { 0.012 } * rise(step, 5.0, 20.0);
            Some(0.018 + learned + 0.014 * (noise(place + 500 * mode as u64) - 0.5))
        })
    };
    let shares = |protect: bool| -> Vec<(String, Vec<f64>)> {
        FAMILIES
            .iter()
            .enumerate()
            .map(|(place, (name, _))| {
                let start = 4.0 + 5.5 * place as f64;
                let reached = |step: f64| rise(step, start, 14.0);
                let protected = |step: f64| {
                    let late = if place % 5 == 4 { 40.0 } else { 3.0 + noise(place as u64) * 6.0 };
                    if step < start + late { 0.0 } else { 0.96 }
                };
                let value = |step: u32| if protect { protected(f64::from(step)) } else { reached(f64::from(step)) };
                ((*name).to_owned(), (0..steps).map(|step| (value(step) * 50.0).round() / 50.0).collect())
            })
            .collect()
    };
    let worlds = |value: &dyn Fn(Mode) -> Vec<Option<f64>>| -> BTreeMap<Mode, Vec<Option<f64>>> {
        Mode::ALL.into_iter().map(|mode| (mode, value(mode))).collect()
    };
    Series {
        steps_per_point: 1,
        recall: worlds(&recall),
        fpr: worlds(&fpr),
        reached: shares(false),
        protected: shares(true),
        trust_honest: (0..steps).map(|step| 0.5 + 0.41 * rise(f64::from(step), 4.0, 18.0)).collect(),
        trust_liars: (0..steps).map(|step| 0.5 - 0.37 * rise(f64::from(step), 4.0, 12.0)).collect(),
        trust_end: (0..50)
            .map(|agent| {
                let lies = agent < 15;
                let spread = noise(agent) * noise(agent + 77);
                (if lies { 0.05 + 0.4 * spread } else { 0.98 - 0.3 * spread }, lies)
            })
            .collect(),
        phases: phases(),
    }
}

fn phases() -> Vec<(Mode, String, f64)> {
    let phases =
        [("observe", 7.2), ("publish", 0.9), ("vote", 3.4), ("resolve", 0.31), ("learn", 1.7), ("append", 0.08)];
    Mode::ALL
        .into_iter()
        .flat_map(|mode| {
            let factor = if mode == Mode::Isolated { 0.7 } else { 1.0 };
            phases.map(|(phase, seconds)| (mode, phase.to_owned(), seconds * factor))
        })
        .collect()
}
