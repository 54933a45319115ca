//! Charts of detection in the worlds, and what all figures of a report have in common.

use dais_sim::Mode;
use serde::Serialize;

use super::headline::main_world;
use super::plot::{Axis, Chart, Line, Mark, Pen, Size, Weight};
use super::words;
use crate::summary::{CurvePoint, Series, Summary};

/// Steps per step of smoothing: a run of 100 steps is smoothed over 5.
const STEPS_PER_SMOOTHING: usize = 20;
/// How far beyond the largest operating point the trade-off is drawn, as a factor.
const TRADE_OFF_REACH: f64 = 4.0;

/// A chart with what is read around it.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    /// Drawings, from top to bottom.
    pub(super) drawings: Vec<String>,
    /// What the colours mean.
    pub(super) keys: Vec<Key>,
    /// Sentences below.
    pub(super) caption: String,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Key {
    /// Name of the pen in the style sheet.
    pub(super) pen: &'static str,
    /// Its meaning.
    pub(super) label: &'static str,
}

pub(super) fn pen(mode: Mode) -> Pen {
    match mode {
        Mode::Isolated => Pen::Isolated,
        Mode::Collaborative => Pen::Collaborative,
        Mode::Oracle => Pen::Oracle,
    }
}

fn key(mode: Mode) -> Key {
    Key { pen: pen(mode).name(), label: mode.name() }
}

/// Recall by step; nothing where no step had a labelled attack.
pub(super) fn recall_over_time(series: &Series) -> Option<Figure> {
    let worlds: Vec<(Mode, &[Option<f64>])> =
        series.recall.iter().map(|(mode, values)| (*mode, values.as_slice())).collect();
    let (lines, smoothed) = world_lines(&worlds)?;
    let chart = Chart {
        title: "Recall over time".to_owned(),
        description: format!("Share of attack flows found at each step. {}", last_values(&worlds)),
        size: Size::Wide,
        x: Axis::count(series.axis(), last_step(&worlds), 10.0),
        y: Axis::share("attack flows found", 0.25),
        lines,
        marks: Vec::new(),
        bars: None,
    };
    Some(Figure {
        drawings: vec![chart.svg("recall")],
        keys: worlds.iter().map(|(mode, _)| key(*mode)).collect(),
        caption: format!("Found attack flows over all attack flows of the step.{}", smoothing_words(smoothed)),
    })
}

/// False positive rate by step; nothing where no step had a labelled benign flow.
pub(super) fn fpr_over_time(series: &Series) -> Option<Figure> {
    let worlds: Vec<(Mode, &[Option<f64>])> =
        series.fpr.iter().map(|(mode, values)| (*mode, values.as_slice())).collect();
    let (lines, smoothed) = world_lines(&worlds)?;
    let most = lines
        .iter()
        .filter(|line| line.weight != Weight::Pale)
        .flat_map(|line| line.points.iter().filter_map(|(_, value)| *value))
        .fold(0.005_f64, f64::max);
    let high = (most * 1.25).min(1.0);
    let lines = lines.into_iter().filter(|line| line.weight != Weight::Pale).collect();
    let chart = Chart {
        title: "False positive rate over time".to_owned(),
        description: format!("Share of benign flows detected at each step. {}", last_values(&worlds)),
        size: Size::Half,
        x: Axis::count(series.axis(), last_step(&worlds), 5.0),
        y: Axis::share_up_to("benign flows detected", high, 5.0),
        lines,
        marks: Vec::new(),
        bars: None,
    };
    let smoothing = if smoothed > 1 { format!(" Moving means over {smoothed} steps.") } else { String::new() };
    Some(Figure {
        drawings: vec![chart.svg("fpr")],
        keys: worlds.iter().map(|(mode, _)| key(*mode)).collect(),
        caption: format!("Detected benign flows over all benign flows of the step.{smoothing}"),
    })
}

/// Macro recall against false positive rate at other alert levels; nothing where there are no labels.
pub(super) fn trade_off(summary: &Summary) -> Option<Figure> {
    let worlds: Vec<_> = summary.detection.iter().filter(|(_, detection)| !detection.curve.is_empty()).collect();
    let operating = |mode: Mode| {
        let detection = summary.detection.get(&mode)?;
        let at = (detection.fpr?, detection.macro_recall?);
        (at.0.is_finite() && at.1.is_finite()).then_some(at)
    };
    let marks: Vec<Mark> =
        summary.detection.keys().filter_map(|mode| Some(Mark { pen: pen(*mode), at: operating(*mode)? })).collect();
    let reach = marks.iter().map(|mark| mark.at.0).fold(0.0, f64::max) * TRADE_OFF_REACH;
    let most = worlds.iter().flat_map(|(_, detection)| &detection.curve).map(|point| point.fpr).fold(0.0, f64::max);
    let high = if marks.is_empty() { most } else { most.min(reach.max(0.02)) }.clamp(0.001, 1.0);
    let lines: Vec<Line> = worlds
        .iter()
        .map(|(mode, detection)| Line {
            pen: pen(**mode),
            weight: Weight::Strong,
            points: up_to(&detection.curve, high).into_iter().map(|(x, y)| (x, Some(y))).collect(),
        })
        .collect();
    if lines.is_empty() && marks.is_empty() {
        return None;
    }
    let high = marks.iter().map(|mark| mark.at.0).fold(high, f64::max);
    let chart = Chart {
        title: "Macro recall against false positive rate".to_owned(),
        description: "Curves to the left and above are better; the marked points are those of the run.".to_owned(),
        size: Size::Half,
        x: Axis::share_up_to("false positive rate", high, 6.0),
        y: Axis::share("macro recall", 0.25),
        lines,
        marks,
        bars: None,
    };
    Some(Figure {
        drawings: vec![chart.svg("trade-off")],
        keys: summary.detection.keys().map(|mode| key(*mode)).collect(),
        caption: format!(
            "Each world at other alert levels, what was learned unchanged. Up and to the left is better; the marks are \
             the level of the run.{}",
            matched(summary)
        ),
    })
}

/// Macro recall of all worlds at the false positive rate of the first world of the headline, in words: at unlike rates
/// recall alone says little. Empty unless two worlds reach that rate.
fn matched(summary: &Summary) -> String {
    let Some((main, fpr)) = main_world(summary).and_then(|main| Some((main, summary.detection.get(&main)?.fpr?)))
    else {
        return String::new();
    };
    let reached: Vec<String> = summary
        .detection
        .iter()
        .filter_map(|(mode, detection)| {
            let recall = if *mode == main { detection.macro_recall } else { recall_at(&detection.curve, fpr) };
            Some(format!("{} {}", mode.name(), words::share(Some(recall?))))
        })
        .collect();
    if reached.len() < 2 || !fpr.is_finite() {
        return String::new();
    }
    let rate = words::share(Some(fpr));
    format!(" At {rate} false positives, the rate of the {} world: {}.", main.name(), reached.join(", "))
}

/// Macro recall of a curve at a false positive rate, between the points around it; none beyond its ends.
fn recall_at(curve: &[CurvePoint], fpr: f64) -> Option<f64> {
    let reaches = curve.iter().any(|point| point.fpr >= fpr);
    up_to(curve, fpr).last().filter(|_| reaches).map(|(_, recall)| *recall)
}

/// The part of a curve up to a false positive rate, in order of the rate; cut between points where need be.
fn up_to(curve: &[CurvePoint], high: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = curve
        .iter()
        .map(|point| (point.fpr, point.macro_recall))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let inside = points.partition_point(|(x, _)| *x <= high);
    if let (Some(&(x0, y0)), Some(&(x1, y1))) =
        (inside.checked_sub(1).and_then(|at| points.get(at)), points.get(inside))
    {
        let cut = (high, y0 + (y1 - y0) * (high - x0) / (x1 - x0));
        points.truncate(inside);
        points.push(cut);
    } else {
        points.truncate(inside);
    }
    points
}

/// Lines of the worlds and over how many steps they are smoothed; nothing where no value is present.
fn world_lines(worlds: &[(Mode, &[Option<f64>])]) -> Option<(Vec<Line>, usize)> {
    let steps = worlds.iter().map(|(_, values)| values.len()).max()?;
    if worlds.iter().all(|(_, values)| values.iter().all(Option::is_none)) {
        return None;
    }
    let span = (steps / STEPS_PER_SMOOTHING) | 1;
    let mut lines = Vec::new();
    if span > 1 {
        for (mode, values) in worlds {
            lines.push(Line { pen: pen(*mode), weight: Weight::Pale, points: by_step(values.iter().copied()) });
        }
    }
    for (mode, values) in worlds {
        let points = by_step(smooth(values, span).into_iter());
        lines.push(Line { pen: pen(*mode), weight: Weight::Strong, points });
    }
    Some((lines, span))
}

/// Centred moving means over `span` steps of the values that are present. Missing where the step itself and more than
/// half of its neighbours are, so that a pause stays a pause.
fn smooth(values: &[Option<f64>], span: usize) -> Vec<Option<f64>> {
    let reach = span / 2;
    (0..values.len())
        .map(|step| {
            let window = &values[step.saturating_sub(reach)..(step + reach + 1).min(values.len())];
            let present: Vec<f64> = window.iter().filter_map(|value| value.filter(|value| value.is_finite())).collect();
            let enough = values[step].is_some() || present.len() * 2 > window.len();
            enough.then(|| words::mean(present.into_iter())).flatten()
        })
        .collect()
}

fn smoothing_words(span: usize) -> String {
    if span > 1 { format!(" Bold: moving mean over {span} steps; pale: each step.") } else { String::new() }
}

/// Points of a line from values by step.
pub(super) fn by_step(values: impl Iterator<Item = Option<f64>>) -> Vec<(f64, Option<f64>)> {
    values.enumerate().map(|(step, value)| (step as f64, value)).collect()
}

fn last_step(worlds: &[(Mode, &[Option<f64>])]) -> f64 {
    worlds.iter().map(|(_, values)| values.len()).max().unwrap_or(0).saturating_sub(1) as f64
}

fn last_values(worlds: &[(Mode, &[Option<f64>])]) -> String {
    worlds
        .iter()
        .map(|(mode, values)| {
            let last = values.iter().rev().find_map(|value| *value);
            format!("Last value, {}: {}.", mode.name(), words::share(last))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_stays_a_pause_when_smoothed() {
        let values: Vec<Option<f64>> = [1.0, 1.0, 1.0, 1.0].map(Some).into_iter().chain([None; 5]).collect();
        let smooth = smooth(&values, 5);
        assert_eq!(smooth.iter().filter(|value| value.is_some()).count(), 4);
        assert!(smooth[4..].iter().all(Option::is_none));
    }

    #[test]
    fn a_short_pause_is_bridged_when_smoothed() {
        let values = [Some(0.0), Some(0.0), None, Some(1.0), Some(1.0)];
        assert!(smooth(&values, 5)[2].is_some_and(|value| (value - 0.5).abs() < 1e-12));
        assert!(smooth(&values, 1)[2].is_none(), "one step of smoothing is none");
    }

    #[test]
    fn a_curve_is_sorted_and_cut_between_points() {
        let point = |fpr: f64, macro_recall: f64| CurvePoint { alert_p: 0.01, fpr, macro_recall };
        let curve = [point(0.3, 0.9), point(0.1, 0.5), point(f64::NAN, 0.1)];
        let cut = up_to(&curve, 0.2);
        assert_eq!(cut.len(), 2);
        assert!((cut[0].0 - 0.1).abs() < 1e-12);
        assert!((cut[1].0 - 0.2).abs() < 1e-12 && (cut[1].1 - 0.7).abs() < 1e-12);
        assert_eq!(up_to(&curve, 1.0).len(), 2);
        assert_eq!(up_to(&curve, 0.05), []);
        assert_eq!(up_to(&[], 0.5), []);
        assert!(recall_at(&curve, 0.2).is_some_and(|recall| (recall - 0.7).abs() < 1e-12));
        assert!(
            recall_at(&curve, 0.05).is_none() && recall_at(&curve, 0.4).is_none(),
            "beyond its ends a curve is silent"
        );
    }
}
