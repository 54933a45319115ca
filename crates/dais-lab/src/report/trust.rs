//! Charts of the trust that agents earned.

use super::figure::{Figure, Key, by_step};
use super::plot::{Axis, Bars, Chart, Line, Pen, Size, Unit, Weight};
use super::words;
use crate::summary::Series;

/// Bins of trust at the end.
const TRUST_BINS: usize = 20;

/// Mean trust by step; nothing where no step was carried out.
pub(super) fn over_time(series: &Series) -> Option<Figure> {
    let groups = [(Pen::Honest, "honest agents", &series.trust_honest), (Pen::Liars, "liars", &series.trust_liars)];
    let groups: Vec<_> = groups.into_iter().filter(|(_, _, values)| !values.is_empty()).collect();
    let steps = groups.iter().map(|(_, _, values)| values.len()).max()?;
    let line = |pen: Pen, values: &[f64]| Line {
        pen,
        weight: Weight::Strong,
        points: by_step(values.iter().map(|value| Some(*value))),
    };
    let chart = Chart {
        title: "Trust over time".to_owned(),
        description: groups
            .iter()
            .map(|(_, label, values)| {
                format!("Mean over {label} at the end: {}.", words::level(values.last().copied()))
            })
            .collect::<Vec<_>>()
            .join(" "),
        size: Size::Half,
        x: Axis::count(series.axis(), steps.saturating_sub(1) as f64, 5.0),
        y: level_axis("mean trust"),
        lines: groups.iter().map(|(pen, _, values)| line(*pen, values)).collect(),
        marks: Vec::new(),
        bars: None,
    };
    Some(Figure {
        drawings: vec![chart.svg("trust")],
        keys: groups.iter().map(|(pen, label, _)| Key { pen: pen.name(), label }).collect(),
        caption: "Mean weight that votes carry, by step.".to_owned(),
    })
}

/// Trust of the agents at the end, binned so that any number of agents is one drawing.
pub(super) fn at_end(series: &Series) -> Option<Figure> {
    let mut drawings = Vec::new();
    let mut keys = Vec::new();
    let alone = series.trust_end.iter().all(|(_, lies)| !lies) || series.trust_end.iter().all(|(_, lies)| *lies);
    let (size, ticks) = if alone { (Size::Half, 6.0) } else { (Size::Flat, 3.0) };
    for (pen, label, lies) in [(Pen::Honest, "honest agents", false), (Pen::Liars, "liars", true)] {
        let trusts: Vec<f64> = series
            .trust_end
            .iter()
            .filter(|(trust, liar)| *liar == lies && trust.is_finite())
            .map(|(trust, _)| *trust)
            .collect();
        if trusts.is_empty() {
            continue;
        }
        let mut counts = vec![0_u64; TRUST_BINS];
        for trust in &trusts {
            let bin = (trust.clamp(0.0, 1.0) * TRUST_BINS as f64) as usize;
            counts[bin.min(TRUST_BINS - 1)] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0) as f64;
        let chart = Chart {
            title: format!("Trust of {label} at the end"),
            description: format!(
                "{}; mean trust {}.",
                words::counted(trusts.len() as u64, "agent", "agents"),
                words::level(words::mean(trusts.iter().copied()))
            ),
            size,
            x: level_axis("trust at the end"),
            y: Axis::count("agents", most * 1.1, ticks),
            lines: Vec::new(),
            marks: Vec::new(),
            bars: Some(Bars { pen, counts }),
        };
        drawings.push(chart.svg(&format!("trust-end-{}", pen.name())));
        keys.push(Key { pen: pen.name(), label });
    }
    (!drawings.is_empty()).then(|| Figure {
        drawings,
        keys,
        caption: format!("Agents by their trust at the end, in {TRUST_BINS} bins."),
    })
}

/// Trust from 0 to 1.
fn level_axis(label: &'static str) -> Axis {
    Axis { label: label.into(), low: 0.0, high: 1.0, tick: 0.2, unit: Unit::Level }
}
