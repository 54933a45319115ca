//! The page of a comparison of detectors: curves, figures and ranks.

use serde::Serialize;

use super::figure::{Figure, Key};
use super::plot::{Axis, Chart, Line, Pen, Size, Weight};
use super::{ReportError, rendered, words};
use crate::detectors::{Comparison, Curves, DataSetSummary, Eval, EvalResult, Protocol};

/// The largest false positive rate of the close view of the ROC curves.
const CLOSE_FPR: f64 = 0.05;

/// A comparison of detectors as one HTML page: for each data set a table, ROC and precision-recall curves, and over several
/// data sets the mean ranks. Like [`report_html`](super::report_html) it needs nothing but itself.
///
/// # Errors
///
/// [`ReportError::Template`] where the page cannot be put together.
pub fn eval_html(eval: &Eval) -> Result<String, ReportError> {
    rendered("detectors.html", include_str!("detectors.html"), &Page::new(eval))
}

#[derive(Debug, Serialize)]
struct Page {
    version: &'static str,
    title: String,
    subtitle: Vec<String>,
    interrupted: bool,
    rates: Vec<String>,
    sets: Vec<SetView>,
    ranks: Option<RanksView>,
}

/// One data set.
#[derive(Debug, Serialize)]
struct SetView {
    id: String,
    name: String,
    files: Vec<String>,
    facts: Vec<String>,
    notes: Vec<String>,
    rows: Vec<ResultRow>,
    roc: Figure,
    close: Figure,
    precision_recall: Figure,
}

/// One detector in the table of a data set.
#[derive(Debug, Serialize)]
struct ResultRow {
    detector: String,
    pen: &'static str,
    dashed: bool,
    cells: Vec<String>,
}

/// Mean ranks as a drawing.
#[derive(Debug, Serialize)]
struct RanksView {
    datasets: String,
    height: f64,
    ticks: Vec<Tick>,
    rows: Vec<RankRow>,
    /// Where the interval of the best detector begins and how wide it is.
    best: (f64, f64),
    chi2: String,
    p: String,
    critical: String,
    alpha: String,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct RankRow {
    detector: String,
    y: f64,
    x: f64,
    low: f64,
    high: f64,
    rank: String,
    groups: String,
}

impl Page {
    fn new(eval: &Eval) -> Self {
        let names: Vec<&str> = eval.datasets.iter().map(|set| set.name.as_str()).collect();
        let detectors = names_of(eval);
        let rates = eval.results.first().into_iter().flat_map(|result| &result.recall_at_fpr);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            title: names.join(", "),
            subtitle: vec![
                words::counted(detectors.len() as u64, "detector", "detectors"),
                words::counted(eval.datasets.len() as u64, "data set", "data sets"),
                words::counted(eval.seeds.len() as u64, "seed", "seeds"),
                words::seconds(eval.wall_s),
            ],
            interrupted: eval.interrupted,
            rates: rates.map(|at| words::share(Some(at.fpr))).collect(),
            sets: eval.datasets.iter().enumerate().map(|(place, set)| set_view(eval, place, set, &detectors)).collect(),
            ranks: eval.comparison.as_ref().map(ranks_view),
        }
    }
}

/// Names of the detectors in the order of their first appearance, which gives each its pen.
fn names_of(eval: &Eval) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for result in &eval.results {
        if !names.contains(&result.detector.as_str()) {
            names.push(&result.detector);
        }
    }
    names
}

fn set_view(eval: &Eval, place: usize, set: &DataSetSummary, detectors: &[&str]) -> SetView {
    let results = eval.by_area(&set.name);
    let pen =
        |result: &EvalResult| Pen::Series(detectors.iter().position(|name| *name == result.detector).unwrap_or(0));
    let row = |result: &&EvalResult| ResultRow {
        detector: result.detector.clone(),
        pen: pen(result).name(),
        dashed: pen(result).dashed(),
        cells: cells(result, eval.seeds.len()),
    };
    let attack_share = set.attacks as f64 / set.scored.max(1) as f64;
    let learned = match set.protocol {
        Protocol::Novelty => "benign rows learned",
        Protocol::Unsupervised => "rows learned without their labels",
    };
    let figure = |id: &str, drawing: Drawing| drawing.figure(&format!("{id}-{place}"), &results, &pen);
    SetView {
        id: format!("set-{place}"),
        name: set.name.clone(),
        files: set.files.clone(),
        facts: vec![
            format!("protocol {}", set.protocol.name()),
            format!("{} {learned}", words::count(set.learned as u64)),
            format!("{} scored, {} of them attacks", words::count(set.scored as u64), words::share(Some(attack_share))),
            words::counted(set.features as u64, "feature", "features"),
        ],
        notes: set.notes.clone(),
        rows: results.iter().map(row).collect(),
        roc: figure("roc", Drawing::Roc),
        close: figure("close", Drawing::Close),
        precision_recall: figure("pr", Drawing::PrecisionRecall { attack_share }),
    }
}

fn cells(result: &EvalResult, seeds: usize) -> Vec<String> {
    let spread = |mean: f64, std: f64| if seeds > 1 { format!("{mean:.4} ±{std:.4}") } else { format!("{mean:.4}") };
    let mut cells = vec![
        spread(result.auroc_mean, result.auroc_std),
        spread(result.average_precision_mean, result.average_precision_std),
    ];
    cells.extend(result.recall_at_fpr.iter().map(|at| words::share(Some(at.recall_mean))));
    cells.push(format!("{:.1}\u{202f}ms", result.fit_ms));
    cells.push(words::count(result.scored_rows_per_s as u64));
    cells.push(words::bytes(Some(result.model_bytes as f64)));
    cells
}

/// Which curves are drawn.
#[derive(Clone, Copy)]
enum Drawing {
    Roc,
    /// The ROC curves where the false positive rate is small.
    Close,
    PrecisionRecall {
        attack_share: f64,
    },
}

impl Drawing {
    fn figure(self, id: &str, results: &[&EvalResult], pen: &dyn Fn(&EvalResult) -> Pen) -> Figure {
        let line = |result: &&EvalResult| Line {
            pen: pen(result),
            weight: Weight::Fine,
            points: result.curves.as_ref().map(|curves| self.points(curves)).unwrap_or_default(),
        };
        let best = results.first().map(|best| format!(" Largest area: {}, {:.3}.", best.detector, best.auroc_mean));
        let (title, x, y, caption) = match self {
            Self::Roc => (
                "ROC curves",
                Axis::share("false positive rate", 0.25),
                Axis::share("recall", 0.25),
                "A curve towards the upper left is better; guessing is the diagonal.".to_owned(),
            ),
            Self::Close => (
                "ROC curves at few false alarms",
                Axis::share_up_to("false positive rate", CLOSE_FPR, 5.0),
                Axis::share("recall", 0.25),
                "The left edge of the ROC curves, where operators can work.".to_owned(),
            ),
            Self::PrecisionRecall { attack_share } => (
                "Precision and recall",
                Axis::share("recall", 0.25),
                Axis::share("precision", 0.25),
                format!("Guessing has a precision of {}.", words::share(Some(attack_share))),
            ),
        };
        let chart = Chart {
            title: title.to_owned(),
            description: format!("{caption}{}", best.unwrap_or_default()),
            size: Size::Half,
            x,
            y,
            lines: results.iter().map(line).collect(),
            marks: Vec::new(),
            bars: None,
        };
        Figure { drawings: vec![chart.svg(id)], keys: Vec::<Key>::new(), caption }
    }

    fn points(self, curves: &Curves) -> Vec<(f64, Option<f64>)> {
        let points = match self {
            Self::Roc | Self::Close => &curves.roc,
            Self::PrecisionRecall { .. } => &curves.precision_recall,
        };
        let high = if matches!(self, Self::Close) { CLOSE_FPR } else { 1.0 };
        points.iter().filter(|(x, _)| *x <= high).map(|&(x, y)| (x, Some(y))).collect()
    }
}

/// Width of the drawing of ranks, of its names and of its right margin, and height of a row.
const RANKS: (f64, f64, f64, f64) = (760.0, 150.0, 80.0, 22.0);

fn ranks_view(comparison: &Comparison) -> RanksView {
    let (width, names, margin, row) = RANKS;
    let kinds = comparison.ranks.len() as f64;
    let x = |rank: f64| names + 20.0 + (rank - 1.0) / (kinds - 1.0).max(1.0) * (width - names - margin - 40.0);
    let half = comparison.critical_difference / 2.0;
    let clamped = |rank: f64| x(rank.clamp(0.8, kinds + 0.2));
    let rows = comparison.ranks.iter().enumerate().map(|(place, mean)| RankRow {
        detector: mean.detector.clone(),
        y: (place as f64).mul_add(row, 36.0),
        x: x(mean.rank),
        low: clamped(mean.rank - half),
        high: clamped(mean.rank + half),
        rank: format!("{:.2}", mean.rank),
        groups: mean.groups.clone(),
    });
    let rows: Vec<RankRow> = rows.collect();
    let best = rows.first().map_or((0.0, 0.0), |best| (best.low, best.high - best.low));
    RanksView {
        datasets: words::counted(comparison.datasets as u64, "data set", "data sets"),
        height: kinds.mul_add(row, 36.0),
        ticks: (1..=comparison.ranks.len()).map(|rank| Tick { x: x(rank as f64), label: rank.to_string() }).collect(),
        rows,
        best,
        chi2: format!("{:.2}", comparison.friedman_chi2),
        p: if comparison.friedman_p < 0.0001 { "<0.0001".to_owned() } else { format!("{:.4}", comparison.friedman_p) },
        critical: format!("{:.2}", comparison.critical_difference),
        alpha: comparison.alpha.to_string(),
    }
}
