//! Charts of the spread of attacks against the spread of their signatures.

use serde::Serialize;

use super::figure::{Figure, Key, by_step};
use super::plot::{Axis, Chart, Line, Pen, Size, Weight};
use super::words;
use crate::summary::{Series, Summary};

/// Most families with a small chart of their own.
const FAMILIES_MAX: usize = 12;

/// A small chart of one family.
#[derive(Debug, Serialize)]
pub(super) struct SmallFigure {
    pub(super) name: String,
    pub(super) drawing: String,
}

/// The spread of attacks against the spread of their signatures.
#[derive(Debug, Serialize)]
pub(super) struct Spread {
    pub(super) mean: Figure,
    pub(super) families: Vec<SmallFigure>,
    /// Families without a small chart.
    pub(super) left_out: usize,
}

/// How far attacks and their signatures got, by step; nothing where no family reached an agent.
pub(super) fn spread(summary: &Summary, series: &Series) -> Option<Spread> {
    let axis = series.axis();
    let mut families: Vec<Family<'_>> = series
        .reached
        .iter()
        .zip(&series.protected)
        .filter(|((_, reached), _)| reached.iter().any(|share| *share > 0.0))
        .map(|((name, reached), (_, protected))| Family { name, reached, protected, flows: flows_of(summary, name) })
        .collect();
    if families.is_empty() {
        return None;
    }
    families.sort_by(|a, b| b.flows.cmp(&a.flows).then_with(|| a.name.cmp(b.name)));
    let steps = families.iter().map(|family| family.reached.len()).max().unwrap_or(0);
    let reached = mean_by_step(steps, || families.iter().map(|family| family.reached));
    let protected = mean_by_step(steps, || families.iter().map(|family| family.protected));
    let chart = spread_chart(&axis, "all families, mean", &reached, &protected, Size::Wide);
    let mean = Figure {
        drawings: vec![chart.svg("spread")],
        keys: vec![
            Key { pen: Pen::Attack.name(), label: "reached by the attack" },
            Key { pen: Pen::Signature.name(), label: "protected by a signature" },
        ],
        caption: format!(
            "Share of agents that have met an attack family, and share that apply a signature of it; \
             mean over {} in the collaborative world.",
            words::counted(families.len() as u64, "family", "families")
        ),
    };
    let small = |(place, family): (usize, &Family<'_>)| SmallFigure {
        name: family.name.to_owned(),
        drawing: spread_chart(&axis, family.name, family.reached, family.protected, Size::Small)
            .svg(&format!("spread-{place}")),
    };
    Some(Spread {
        mean,
        families: families.iter().take(FAMILIES_MAX).enumerate().map(small).collect(),
        left_out: families.len().saturating_sub(FAMILIES_MAX),
    })
}

/// Mean over families at each step.
fn mean_by_step<'a, I: Iterator<Item = &'a [f64]>>(steps: usize, families: impl Fn() -> I) -> Vec<f64> {
    (0..steps).filter_map(|step| words::mean(families().filter_map(|shares| shares.get(step).copied()))).collect()
}

struct Family<'a> {
    name: &'a str,
    reached: &'a [f64],
    protected: &'a [f64],
    flows: u64,
}

fn flows_of(summary: &Summary, name: &str) -> u64 {
    let families = summary.detection.values().flat_map(|detection| &detection.families);
    families.filter(|family| family.name == name).map(|family| family.flows).max().unwrap_or(0)
}

fn spread_chart(axis: &str, name: &str, reached: &[f64], protected: &[f64], size: Size) -> Chart {
    let weight = if size == Size::Small { Weight::Fine } else { Weight::Strong };
    let line = |pen, shares: &[f64]| Line { pen, weight, points: by_step(shares.iter().map(|share| Some(*share))) };
    let (ticks, tick) = if size == Size::Small { (5.0, 0.5) } else { (10.0, 0.25) };
    Chart {
        title: format!("Spread of {name}"),
        description: format!(
            "At the end the attack has reached {} of the agents, and {} apply a signature of it.",
            words::share(reached.last().copied()),
            words::share(protected.last().copied())
        ),
        size,
        x: Axis::count(axis.to_owned(), reached.len().saturating_sub(1) as f64, ticks),
        y: Axis::share("agents", tick),
        lines: vec![line(Pen::Attack, reached), line(Pen::Signature, protected)],
        marks: Vec::new(),
        bars: None,
    }
}
