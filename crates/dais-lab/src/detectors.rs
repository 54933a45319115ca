//! Detectors side by side on labelled data: how well they rank attacks before ordinary rows, how fast, and whether their
//! differences mean anything.

mod data;
mod significance;

use std::time::Instant;

use dais_detect::metric::Ranking;
use dais_detect::{Algorithm, FitError, Scratch};
use serde::{Deserialize, Serialize};

use crate::run::Next;
use crate::sweep::Spread;

pub use data::{DataError, DataSet, EvalFiles, Protocol};
pub use significance::{Comparison, MeanRank};

/// Places at which curves are read.
const CURVE_POINTS: u32 = 160;

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalParams {
    /// Detectors, each with its default parameters.
    pub detectors: Vec<Algorithm>,
    /// Seeds of the detectors, and of the halves where rows are halved by lot.
    pub seeds: Vec<u64>,
    /// False positive rates at which recall is read, in (0, 1).
    pub fpr: Vec<f64>,
}

/// How far a comparison has come.
#[derive(Clone, Copy, Debug)]
pub struct EvalProgress<'a> {
    /// Detectors fitted and scored so far, over all data sets and seeds.
    pub done: usize,
    /// How many there are to fit and score.
    pub all: usize,
    /// The data set.
    pub dataset: &'a str,
    /// The detector that comes next.
    pub detector: Algorithm,
}

/// Recall at one false positive rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecallAt {
    /// The false positive rate that is not exceeded.
    pub fpr: f64,
    /// Largest share of attacks that a threshold finds there, mean over seeds.
    pub recall_mean: f64,
    /// Sample standard deviation over seeds.
    pub recall_std: f64,
}

/// Points of the curves of a detector, means over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// False positive rate and recall.
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision.
    pub precision_recall: Vec<(f64, f64)>,
}

/// One detector on one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalResult {
    /// Name of the data set.
    pub dataset: String,
    /// Name of the detector.
    pub detector: String,
    /// Area under the ROC curve, mean over seeds.
    pub auroc_mean: f64,
    /// Its sample standard deviation over seeds.
    pub auroc_std: f64,
    /// Average precision, mean over seeds.
    pub average_precision_mean: f64,
    /// Its sample standard deviation over seeds.
    pub average_precision_std: f64,
    /// Recall at fixed false positive rates.
    pub recall_at_fpr: Vec<RecallAt>,
    /// Milliseconds to learn, on one thread, median over seeds.
    pub fit_ms: f64,
    /// Milliseconds to score all rows, on one thread, median over seeds.
    pub score_ms: f64,
    /// Rows scored in a second on one thread, at the median.
    pub scored_rows_per_s: f64,
    /// Memory of the fitted model, bytes, median over seeds.
    pub model_bytes: u64,
    /// Points of the curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
}

/// A data set as it was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSetSummary {
    /// Its name.
    pub name: String,
    /// The files it was read from.
    pub files: Vec<String>,
    /// Which rows were learned and which scored.
    pub protocol: Protocol,
    /// Numeric features.
    pub features: usize,
    /// Rows learned.
    pub learned: usize,
    /// Rows scored.
    pub scored: usize,
    /// Attacks among the rows scored.
    pub attacks: usize,
    /// Remarks on reading the files: broken rows and the like.
    pub notes: Vec<String>,
}

/// Detectors compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The data sets that were finished.
    pub datasets: Vec<DataSetSummary>,
    /// Each detector on each data set.
    pub results: Vec<EvalResult>,
    /// Whether the detectors differ, over at least two data sets.
    pub comparison: Option<Comparison>,
    /// Whether it was stopped before its end; figures then cover the data sets that were finished.
    pub interrupted: bool,
    /// Most memory held by the process, MiB, where the system says it.
    pub peak_rss_mb: Option<f64>,
    /// Seconds of the whole comparison, without reading the files.
    pub wall_s: f64,
}

impl Eval {
    /// The same without the points of the curves.
    #[must_use]
    pub fn without_curves(&self) -> Self {
        let mut short = self.clone();
        short.results.iter_mut().for_each(|result| result.curves = None);
        short
    }

    /// The results on a data set, the largest area first.
    #[must_use]
    pub fn by_area(&self, dataset: &str) -> Vec<&EvalResult> {
        let mut results: Vec<&EvalResult> = self.results.iter().filter(|result| result.dataset == dataset).collect();
        results.sort_by(|a, b| b.auroc_mean.total_cmp(&a.auroc_mean));
        results
    }
}

/// Fits and scores every detector on every data set with every seed, one after the other on one thread.
///
/// All figures but times are the same for the same files, detectors and seeds.
///
/// # Errors
/// A detector that cannot learn the rows.
pub fn evaluate(
    sets: &[DataSet],
    params: &EvalParams,
    each: &mut dyn FnMut(&EvalProgress<'_>) -> Next,
) -> Result<Eval, FitError> {
    let began = Instant::now();
    let mut eval = Eval {
        seeds: params.seeds.clone(),
        datasets: Vec::new(),
        results: Vec::new(),
        comparison: None,
        interrupted: false,
        peak_rss_mb: None,
        wall_s: 0.0,
    };
    let runs = params.seeds.len() * params.detectors.len();
    for (place, set) in sets.iter().enumerate() {
        let mut progress = |done: usize, detector: Algorithm| {
            each(&EvalProgress { done: place * runs + done, all: sets.len() * runs, dataset: set.name(), detector })
        };
        let Some((summary, results)) = evaluate_one(set, params, &mut progress)? else {
            eval.interrupted = true;
            break;
        };
        eval.datasets.push(summary);
        eval.results.extend(results);
    }
    eval.comparison = Comparison::of(&eval.datasets, &eval.results);
    eval.wall_s = began.elapsed().as_secs_f64();
    Ok(eval)
}

/// What one detector showed, seed by seed.
#[derive(Default)]
struct Trials {
    rankings: Vec<Ranking>,
    fit_ms: Vec<f64>,
    score_ms: Vec<f64>,
    bytes: Vec<f64>,
}

/// Returns nothing if it was stopped.
fn evaluate_one(
    set: &DataSet,
    params: &EvalParams,
    progress: &mut dyn FnMut(usize, Algorithm) -> Next,
) -> Result<Option<(DataSetSummary, Vec<EvalResult>)>, FitError> {
    let mut trials: Vec<Trials> = params.detectors.iter().map(|_| Trials::default()).collect();
    let mut scratch = Scratch::default();
    let mut draw = set.draw(params.seeds.first().copied().unwrap_or_default());
    let mut scores = vec![0.0; draw.attack.len()];
    let mut done = 0;
    for (turn, seed) in params.seeds.iter().enumerate() {
        if turn > 0 && set.drawn_by_seed() {
            draw = set.draw(*seed);
            scores.resize(draw.attack.len(), 0.0);
        }
        for (detector, trials) in params.detectors.iter().zip(&mut trials) {
            if progress(done, *detector) == Next::Stop {
                return Ok(None);
            }
            let began = Instant::now();
            let model = detector.fit(draw.learned(), *seed, &mut scratch)?;
            trials.fit_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
            let began = Instant::now();
            model.score(draw.scored(), &mut scores, &mut scratch);
            trials.score_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
            trials.bytes.push(model.size_bytes() as f64);
            trials.rankings.push(Ranking::of(&scores, &draw.attack));
            done += 1;
        }
    }
    let summary = DataSetSummary {
        name: set.name().to_owned(),
        files: set.files().to_vec(),
        protocol: set.protocol(),
        features: set.features().len(),
        learned: draw.learned_rows,
        scored: draw.attack.len(),
        attacks: draw.attack.iter().filter(|attack| **attack).count(),
        notes: set.notes().to_vec(),
    };
    let result = |(detector, trials): (&Algorithm, &Trials)| trials.result(set.name(), *detector, params, &summary);
    let results = params.detectors.iter().zip(&trials).map(result).collect();
    Ok(Some((summary, results)))
}

impl Trials {
    fn result(&self, dataset: &str, detector: Algorithm, params: &EvalParams, data: &DataSetSummary) -> EvalResult {
        let over_seeds =
            |figure: &dyn Fn(&Ranking) -> Option<f64>| Spread::of(self.rankings.iter().map(figure)).unwrap_or_default();
        let area = over_seeds(&Ranking::auroc);
        let precision = over_seeds(&Ranking::average_precision);
        let recall_at = |&fpr: &f64| {
            let recall = over_seeds(&|ranking| ranking.recall_at_fpr(fpr));
            RecallAt { fpr, recall_mean: recall.mean, recall_std: recall.std }
        };
        // Places lie denser near 0, where operators work.
        let places = (0..=CURVE_POINTS).map(|place| (f64::from(place) / f64::from(CURVE_POINTS)).powi(2));
        let curve = |height: &dyn Fn(&Ranking, f64) -> Option<f64>| {
            places.clone().map(|at| (at, over_seeds(&|ranking| height(ranking, at)).mean)).collect()
        };
        let score_ms = median(&self.score_ms);
        EvalResult {
            dataset: dataset.to_owned(),
            detector: detector.to_string(),
            auroc_mean: area.mean,
            auroc_std: area.std,
            average_precision_mean: precision.mean,
            average_precision_std: precision.std,
            recall_at_fpr: params.fpr.iter().map(recall_at).collect(),
            fit_ms: median(&self.fit_ms),
            score_ms,
            scored_rows_per_s: data.scored as f64 / (score_ms / 1_000.0).max(1e-9),
            model_bytes: median(&self.bytes) as u64,
            curves: Some(Curves { roc: curve(&Ranking::roc), precision_recall: curve(&Ranking::precision_at_recall) }),
        }
    }
}

/// The median: the mean of the two middle values if their number is even, 0 without values.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count.is_multiple_of(2) => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
        count => sorted[count / 2],
    }
}
