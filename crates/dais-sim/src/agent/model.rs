//! What an agent has learned of its own normal traffic: rarity of categories, detectors, means and deviations.

use dais_detect::{
    Columns, Detector, Ensemble, EnsembleParams, FitError, Judge, Judgement, Scratch, Support, SupportParams, shares,
};
use dais_protocol::{Medoid, REASONS_MAX, Reason, Rows};
use serde::{Deserialize, Serialize};

use crate::agent::window::Window;

/// Reusable buffers of one worker; never part of an agent's state.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) detect: Scratch,
    pub(crate) view: Vec<f32>,
    pub(crate) scores: Vec<f32>,
    pub(crate) distances: Vec<f32>,
}

/// How an agent's own view of a flow is made: scaled numeric values and, for each category, its rarity.
///
/// Rarity is `-ln` of the smoothed frequency `(count + 0.5) / (rows + 0.5 * codes)` in the agent's own baseline window,
/// times `weight`, so that it stands beside values in [0, 1].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct View {
    rarity: Vec<Vec<f32>>,
}

impl View {
    fn learn(window: &Window, code_counts: &[usize], weight: f32) -> Self {
        let rarity = code_counts.iter().enumerate().map(|(k, &codes)| {
            let mut counts = vec![0.5_f32; codes];
            for &code in window.code_column(k) {
                counts[usize::from(code)] += 1.0;
            }
            let total = window.rows() as f32 + 0.5 * codes as f32;
            counts.iter().map(|count| -libm::logf(count / total) * weight).collect()
        });
        Self { rarity: rarity.collect() }
    }

    /// Writes the view of `rows` by column.
    fn write(&self, rows: Rows<'_>, view: &mut Vec<f32>) {
        view.clear();
        let features = rows.numeric.len().checked_div(rows.stride).unwrap_or(0);
        for k in 0..features {
            view.extend_from_slice(&rows.numeric[k * rows.stride..][..rows.rows]);
        }
        for (k, rarity) in self.rarity.iter().enumerate() {
            let codes = &rows.codes[k * rows.stride..][..rows.rows];
            view.extend(codes.iter().map(|&code| rarity[usize::from(code).min(rarity.len() - 1)]));
        }
    }
}

/// One version of an agent's model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Model {
    view: View,
    ensemble: Ensemble,
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// Where the baseline lies, values as they are and codes, if that has been learned.
    support: Option<Support>,
}

/// A feature with a smaller share is no reason.
const REASON_SHARE_MIN: f32 = 0.02;

/// Added to every standard deviation, so that a constant feature does not divide by zero.
const DEVIATION_FLOOR: f32 = 0.05;

impl Model {
    /// Trains on the baseline window, from the model `before` if there is one.
    pub(crate) fn fit(
        before: Option<&Self>,
        window: &Window,
        code_counts: &[usize],
        rarity_weight: f32,
        params: &EnsembleParams,
        seed: u64,
        workspace: &mut Workspace,
    ) -> Result<Self, FitError> {
        let view = View::learn(window, code_counts, rarity_weight);
        let rows = window.view();
        view.write(rows, &mut workspace.view);
        let features = workspace.view.len().checked_div(rows.rows).unwrap_or(0);
        let columns = Columns::new(&workspace.view, rows.rows, features);
        let before = before.map(|model| &model.ensemble);
        let ensemble = params.refit(before, columns, seed, &mut workspace.detect)?;
        let numeric = features - code_counts.len();
        let moments = |k: usize| moments(window.numeric_column(k));
        let (mean, deviation) = (0..numeric).map(moments).unzip();
        Ok(Self { view, ensemble, mean, deviation, support: None })
    }

    /// Learns where the baseline lies. A value outside of a feature's range by up to `margin` of it still counts as inside.
    pub(crate) fn learn_support(&mut self, window: &Window, margin: f32) -> Result<(), FitError> {
        let (values, features) = plain(window.view());
        let codes = (self.mean.len()..features).collect();
        let rows = Columns::new(&values, window.rows(), features);
        self.support = Some(SupportParams { margin, codes }.fit(rows)?);
        Ok(())
    }

    /// What the model can say of a flow with this score at the level `alpha`, if it has learned where its baseline lies.
    pub(crate) fn judge(&self, flow: &Medoid, score: f32, alpha: f32) -> Option<Judgement> {
        let support = self.support.as_ref()?;
        let rows = Rows { rows: 1, stride: 1, numeric: &flow.numeric, codes: &flow.codes };
        let (values, features) = plain(rows);
        let judge =
            Judge { alpha, calibration: Some(self.ensemble.calibration()), support: Some(support), has_drifted: false };
        (features == support.features()).then(|| judge.judge(score, Columns::new(&values, 1, features), 0))
    }

    /// Scores `rows`; higher is stranger. The scores lie in `workspace.scores`.
    pub(crate) fn score(&self, rows: Rows<'_>, workspace: &mut Workspace) {
        self.view.write(rows, &mut workspace.view);
        workspace.scores.clear();
        workspace.scores.resize(rows.rows, 0.0);
        let columns = Columns::new(&workspace.view, rows.rows, self.ensemble.features());
        self.ensemble.score(columns, &mut workspace.scores, &mut workspace.detect);
    }

    /// The features that make a flow strange, those with the largest shares; none where the detector cannot say.
    pub(crate) fn reasons(&self, flow: &Medoid, workspace: &mut Workspace) -> Vec<Reason> {
        let rows = Rows { rows: 1, stride: 1, numeric: &flow.numeric, codes: &flow.codes };
        self.view.write(rows, &mut workspace.view);
        let mut parts = vec![0.0; self.ensemble.features()];
        let columns = Columns::new(&workspace.view, 1, parts.len());
        if self.ensemble.explain(columns, 0, &mut parts, &mut workspace.detect).is_err() {
            return Vec::new();
        }
        shares(&mut parts);
        let mut reasons: Vec<Reason> = (0..).zip(parts).map(|(feature, share)| Reason { feature, share }).collect();
        reasons.sort_by(|a, b| b.share.total_cmp(&a.share));
        reasons.truncate(REASONS_MAX);
        reasons.retain(|reason| reason.share >= REASON_SHARE_MIN);
        reasons.sort_by_key(|reason| reason.feature);
        reasons
    }

    /// Share of the own baseline at least as strange as `score`.
    pub(crate) fn p_value(&self, score: f32) -> f32 {
        self.ensemble.p_value(score)
    }

    /// Beyond this score an alert is so strange that it must not be learned as ordinary.
    pub(crate) fn extreme(&self) -> f32 {
        2.0 * self.ensemble.alert_threshold() - self.ensemble.suspect_threshold()
    }

    /// Deviation of a flow from the own mean, in own standard deviations, by feature.
    pub(crate) fn deviations(&self, numeric: &[f32]) -> Vec<f32> {
        let own = self.mean.iter().zip(&self.deviation);
        numeric.iter().zip(own).map(|(value, (mean, deviation))| (value - mean) / deviation).collect()
    }
}

/// Rows by column, values as they are and then codes, and the number of columns.
fn plain(rows: Rows<'_>) -> (Vec<f32>, usize) {
    let columns = |values: usize| values.checked_div(rows.stride).unwrap_or(0);
    let (numeric, codes) = (columns(rows.numeric.len()), columns(rows.codes.len()));
    let mut values = Vec::with_capacity((numeric + codes) * rows.rows);
    (0..numeric).for_each(|k| values.extend_from_slice(&rows.numeric[k * rows.stride..][..rows.rows]));
    (0..codes).for_each(|k| values.extend(rows.code_column(k).iter().map(|&code| f32::from(code))));
    (values, numeric + codes)
}

fn moments(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance =
        values.iter().map(|&value| (f64::from(value) - mean) * (f64::from(value) - mean)).sum::<f64>() / count;
    (mean as f32, variance.sqrt() as f32 + DEVIATION_FLOOR)
}
