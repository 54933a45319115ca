//! The tables of a report: figures as text, shares as bars.

use std::collections::BTreeMap;

use dais_sim::Mode;
use serde::Serialize;

use super::figure::pen;
use super::headline::has_collaboration;
use super::words;
use crate::summary::{Detection, FamilyDetection, Series, Summary};

/// Most phases with a row of their own.
const PHASES_MAX: usize = 15;

/// One world's row of the detection table.
#[derive(Debug, Serialize)]
pub(super) struct WorldRow {
    pub(super) name: &'static str,
    pub(super) pen: &'static str,
    /// Recall, macro recall, precision, F1, false positive rate, delay, immunity; empty where the world was left out.
    pub(super) cells: Vec<String>,
}

/// A bar with its figure.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) pen: &'static str,
    /// Length in percent of the longest there can be.
    pub(super) percent: String,
    pub(super) value: String,
    /// A second figure; empty where there is none.
    pub(super) share: String,
}

/// One attack family in all worlds.
#[derive(Debug, Serialize)]
pub(super) struct FamilyRow {
    pub(super) name: String,
    pub(super) technique: String,
    pub(super) flows: String,
    /// Recall in each world that was run.
    pub(super) recall: Vec<Bar>,
    /// Delay in each of them.
    pub(super) delay: Vec<String>,
}

/// A name and a figure.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// One row per world there can be, in fixed order.
pub(super) fn worlds(summary: &Summary) -> Vec<WorldRow> {
    let cells = |detection: &Detection| {
        vec![
            words::share(detection.recall),
            words::share(detection.macro_recall),
            words::share(detection.precision),
            words::level(detection.f1),
            words::share(detection.fpr),
            words::steps(detection.delay_steps_median),
            words::steps(detection.immunity_steps_median),
        ]
    };
    Mode::ALL
        .into_iter()
        .map(|mode| WorldRow {
            name: mode.name(),
            pen: pen(mode).name(),
            cells: summary.detection.get(&mode).map(cells).unwrap_or_default(),
        })
        .collect()
}

/// Whether any figure of any world needed labels and had them.
pub(super) fn has_labels(summary: &Summary) -> bool {
    summary.detection.values().any(|detection| {
        [detection.recall, detection.fpr, detection.precision].iter().any(Option::is_some)
            || detection.families.iter().any(|family| family.flows > 0)
    })
}

/// All families of all worlds, those with most flows first.
pub(super) fn families(summary: &Summary) -> Vec<FamilyRow> {
    let mut by_name: BTreeMap<&str, BTreeMap<Mode, &FamilyDetection>> = BTreeMap::new();
    for (mode, detection) in &summary.detection {
        for family in &detection.families {
            by_name.entry(family.name.as_str()).or_default().insert(*mode, family);
        }
    }
    let mut rows: Vec<(u64, FamilyRow)> = by_name
        .into_iter()
        .map(|(name, worlds)| {
            let flows = worlds.values().map(|family| family.flows).max().unwrap_or(0);
            (flows, family_row(summary, name, flows, &worlds))
        })
        .collect();
    rows.sort_by(|(a_flows, a), (b_flows, b)| b_flows.cmp(a_flows).then_with(|| a.name.cmp(&b.name)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn family_row(summary: &Summary, name: &str, flows: u64, worlds: &BTreeMap<Mode, &FamilyDetection>) -> FamilyRow {
    let technique = worlds.values().find_map(|family| family.technique.clone());
    let bar = |mode: &Mode| {
        let recall = worlds.get(mode).and_then(|family| family.recall);
        Bar {
            label: mode.name().to_owned(),
            pen: pen(*mode).name(),
            percent: percent(recall.unwrap_or(0.0)),
            value: words::share(recall),
            share: String::new(),
        }
    };
    let delay = |mode: &Mode| words::amount(worlds.get(mode).and_then(|family| family.delay_steps_median));
    FamilyRow {
        name: name.to_owned(),
        technique: technique.unwrap_or_else(|| words::NOTHING.to_owned()),
        flows: words::count(flows),
        recall: summary.detection.keys().map(bar).collect(),
        delay: summary.detection.keys().map(delay).collect(),
    }
}

/// Where the time went, slowest first; the many small ones as one.
pub(super) fn phases(series: &Series) -> Vec<Bar> {
    let mut phases: Vec<&(Mode, String, f64)> =
        series.phases.iter().filter(|(_, _, seconds)| seconds.is_finite() && *seconds > 0.0).collect();
    phases.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
    let total: f64 = phases.iter().map(|(_, _, seconds)| seconds).sum();
    let longest = phases.first().map_or(1.0, |(_, _, seconds)| *seconds);
    let bar = |label: String, pen: &'static str, seconds: f64| Bar {
        label,
        pen,
        percent: percent(seconds / longest),
        value: words::seconds(seconds),
        share: words::share(Some(seconds / total)),
    };
    let mut bars: Vec<Bar> = phases
        .iter()
        .take(PHASES_MAX)
        .map(|(mode, phase, seconds)| bar(format!("{} · {phase}", mode.name()), pen(*mode).name(), *seconds))
        .collect();
    let rest = phases.get(PHASES_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        let seconds = rest.iter().map(|(_, _, seconds)| seconds).sum();
        bars.push(bar(format!("{} others", rest.len()), "neutral", seconds));
    }
    bars
}

/// What became of signatures, as shares of those offered; empty where agents did not share.
pub(super) fn signatures(summary: &Summary) -> Vec<Bar> {
    if !has_collaboration(summary) {
        return Vec::new();
    }
    let fate = summary.signatures;
    let most = fate.offered.max(fate.published).max(1) as f64;
    let bar = |label: &str, pen: &'static str, number: u64, of: Option<u64>| Bar {
        label: label.to_owned(),
        pen,
        percent: percent(number as f64 / most),
        value: words::count(number),
        share: of.filter(|of| *of > 0).map_or_else(String::new, |of| words::share(Some(number as f64 / of as f64))),
    };
    vec![
        bar("offered by agents", "neutral", fate.offered, None),
        bar("published (put to the vote)", "neutral", fate.published, None),
        bar("accepted", "signature", fate.accepted, Some(fate.published)),
        bar("rejected", "attack", fate.rejected, Some(fate.published)),
        bar("disputed", "neutral", fate.disputed, Some(fate.published)),
        bar("expired", "neutral", fate.expired, Some(fate.published)),
        bar("revoked after acceptance", "neutral", fate.revoked, Some(fate.published)),
    ]
}

/// How many messages a decision took.
pub(super) fn votes(summary: &Summary) -> Vec<Fact> {
    let fact = |name, value| Fact { name, value };
    vec![
        fact("Votes counted", words::count(summary.votes)),
        fact("Votes turned away", words::count(summary.votes_refused)),
        fact("Messages per decision", words::amount(summary.messages_per_decision)),
        fact("Bytes per decision", words::bytes(summary.bytes_per_decision)),
    ]
}

/// Mean trust at the end; of liars where there are any.
pub(super) fn trust(summary: &Summary) -> Vec<Fact> {
    let fact = |name, value| Fact { name, value: words::level(value) };
    let mut facts = vec![fact("Honest agents, mean", summary.trust.honest_mean)];
    if summary.adversaries > 0 {
        facts.push(fact("Liars, mean", summary.trust.liars_mean));
    }
    facts
}

/// What the run cost.
pub(super) fn cost(summary: &Summary) -> Vec<Fact> {
    let fact = |name, value| Fact { name, value };
    let memory = summary.peak_rss_mb.filter(|mib| mib.is_finite());
    vec![
        fact("Time", words::seconds(summary.wall_s)),
        fact("Flows observed", words::count(summary.flows)),
        fact("Flows per second", words::amount(Some(summary.flows_per_s))),
        fact("Agent-steps per second", words::amount(Some(summary.agent_steps_per_s))),
        fact(
            "Peak memory",
            memory.map_or_else(|| words::NOTHING.to_owned(), |mib| format!("{}\u{202f}MiB", words::amount(Some(mib)))),
        ),
    ]
}

/// How sites warned one another; nothing where flows carry no addresses.
pub(super) fn warning(summary: &Summary) -> Option<Vec<Fact>> {
    let warning = summary.warning?;
    let fact = |name, value| Fact { name, value };
    let blocked = (warning.later_arrivals > 0)
        .then(|| words::share(Some(warning.blocked_on_arrival as f64 / warning.later_arrivals as f64)))
        .map_or_else(String::new, |share| format!(" ({share})"));
    Some(vec![
        fact("Attackers seen", words::count(warning.attackers)),
        fact("Seen at two sites or more", words::count(warning.shared_attackers)),
        fact("Arrivals at a further site", words::count(warning.later_arrivals)),
        fact("Already blocked on arrival", format!("{}{blocked}", words::count(warning.blocked_on_arrival))),
        fact("Median warning", words::hours(warning.warning_hours_median)),
        fact("Median warning in steps", words::steps(warning.warning_steps_median)),
    ])
}

/// A share as the length of a bar.
fn percent(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    format!("{:.2}", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_phases_stand_first_and_the_many_small_ones_last() {
        let mut series = Series::default();
        for place in 0..40_u32 {
            series.phases.push((Mode::Oracle, format!("phase {place}"), f64::from(place % 20)));
        }
        let bars = phases(&series);
        assert_eq!(bars.len(), PHASES_MAX + 1);
        assert_eq!((bars[0].label.as_str(), bars[0].percent.as_str()), ("oracle · phase 19", "100.00"));
        assert_eq!(bars[PHASES_MAX].label, "23 others", "phases that took no time are left out");
    }

    #[test]
    fn a_bar_never_leaves_its_track() {
        assert_eq!(percent(1.7), "100.00");
        assert_eq!(percent(-0.1), "0.00");
        assert_eq!(percent(f64::NAN), "0.00");
    }
}
