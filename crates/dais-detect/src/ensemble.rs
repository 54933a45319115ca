//! Both detectors together.

pub(crate) mod rank;

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::draw::evenly_spaced;
use crate::explanation::{assert_explained, shares};
use crate::{
    Calibration, CannotExplain, Columns, Detector, Explanation, FitError, ForestParams, IsolationForest,
    NeighbourDistance, NeighbourParams, Scratch,
};

/// How an [`Ensemble`] is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleParams {
    /// The isolation forest, if it takes part.
    pub forest: Option<ForestParams>,
    /// The neighbour distance, if it takes part.
    pub neighbours: Option<NeighbourParams>,
    /// The share of the baseline that lies above the alert threshold; above 0, below 1.
    pub alert_p: f32,
    /// The share of the baseline that lies above the suspect threshold; at least `alert_p`, below 1.
    pub suspect_p: f32,
    /// The share of the forest's trees that a refit grows anew, the oldest first; above 0, at most 1.
    pub refresh_share: f32,
    /// The most baseline rows that are scored for the calibration, at least 1; of more, evenly spaced ones. No
    /// more than the reference points of the neighbour distance are used.
    ///
    /// More rows cost time in every fit and hold the rate of false alarms steadier: with windows of 512 normal rows
    /// of NSL-KDD and 2 % asked for, new normal rows alert at 3.1 ± 1.8 % (128 rows), 2.7 ± 1.3 % (256), 2.5 ± 0.7 % (512).
    pub calibration_max: usize,
}

impl Default for EnsembleParams {
    /// Both detectors, alerts at 2 %, suspicion at 10 %, calibrated on at most 256 rows. The forest has 50 trees of 128 rows,
    /// of which a refit grows 10: beside the neighbours, whole runs find as much with it as with 50 trees of 256 rows that
    /// are all grown anew, with a tenth of the rows to grow from and half the memory.
    fn default() -> Self {
        Self {
            forest: Some(ForestParams { trees: 50, subsample: 128 }),
            neighbours: Some(NeighbourParams::default()),
            alert_p: 0.02,
            suspect_p: 0.10,
            refresh_share: 0.2,
            calibration_max: 256,
        }
    }
}

impl EnsembleParams {
    /// Fits the detectors on the rows of `view` and calibrates them on the same rows.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, and as the detectors that take part.
    pub fn fit(&self, view: Columns<'_>, seed: u64, scratch: &mut Scratch) -> Result<Ensemble, FitError> {
        self.refit(None, view, seed, scratch)
    }

    /// As [`fit`](Self::fit), but of a forest fitted before only a share of the trees is grown anew
    /// ([`refresh_share`](Self::refresh_share)). Neighbours and calibration always follow from `view` alone.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn refit(
        &self,
        before: Option<&Ensemble>,
        view: Columns<'_>,
        seed: u64,
        scratch: &mut Scratch,
    ) -> Result<Ensemble, FitError> {
        self.check()?;
        let neighbours = self.neighbours.as_ref().map(|params| params.fit(view)).transpose()?;
        let forest_before = before.and_then(Ensemble::forest);
        let forest = match (&self.forest, forest_before) {
            (None, _) => None,
            (Some(params), None) => Some(params.fit_in(view, seed, &mut scratch.fit)?),
            (Some(params), Some(before)) => {
                let count = (f32::from(params.trees) * self.refresh_share).round().max(1.0) as u16;
                Some(params.refresh_in(before, count, view, seed, &mut scratch.fit)?)
            }
        };
        // Row `i` of the calibration is a reference point of the neighbours, so that both score the same rows.
        let references = neighbours.as_ref().map_or(view.rows(), NeighbourDistance::references);
        let count = self.calibration_max.min(references);
        let reference = |index| evenly_spaced(index, count, references);

        let neighbours = neighbours.map(|model| {
            let mut scores = vec![0.0; count];
            model.score_references((0..count).map(reference), &mut scores, &mut scratch.neighbour);
            Member::calibrate(model, &scores)
        });
        let forest = forest.map(|model| {
            let row = |index| evenly_spaced(reference(index), references, view.rows());
            let mut scores = vec![0.0; count];
            score_rows(&model, view, row, &mut scores, scratch);
            Member::calibrate(model, &scores)
        });

        let mut surprises = vec![0.0f32; count];
        let own = [forest.as_ref().map(|(_, own)| own), neighbours.as_ref().map(|(_, own)| own)];
        for own in own.into_iter().flatten() {
            for (surprise, &other) in surprises.iter_mut().zip(own) {
                *surprise = surprise.max(other);
            }
        }
        let calibration = Calibration::new(surprises);
        Ok(Ensemble {
            features: view.features(),
            forest: forest.map(|(member, _)| member),
            neighbours: neighbours.map(|(member, _)| member),
            alert_threshold: calibration.quantile(1.0 - self.alert_p),
            suspect_threshold: calibration.quantile(1.0 - self.suspect_p),
            calibration,
        })
    }

    fn check(&self) -> Result<(), FitError> {
        let parameter = |name, value: f32, expected| FitError::Parameter { name, value: value.into(), expected };
        if self.forest.is_none() && self.neighbours.is_none() {
            return Err(FitError::NoDetector);
        }
        if !(self.alert_p > 0.0 && self.alert_p < 1.0) {
            return Err(parameter("alert_p", self.alert_p, "above 0, below 1"));
        }
        if !(self.suspect_p >= self.alert_p && self.suspect_p < 1.0) {
            return Err(parameter("suspect_p", self.suspect_p, "at least alert_p, below 1"));
        }
        if !(self.refresh_share > 0.0 && self.refresh_share <= 1.0) {
            return Err(parameter("refresh_share", self.refresh_share, "above 0, at most 1"));
        }
        if self.calibration_max == 0 {
            return Err(parameter("calibration_max", 0.0, "at least 1"));
        }
        Ok(())
    }
}

/// Scores the rows that `row` names, copied into the scratch unless they are all rows in order.
fn score_rows(
    model: &IsolationForest,
    view: Columns<'_>,
    row: impl Fn(usize) -> usize,
    scores: &mut [f32],
    scratch: &mut Scratch,
) {
    let count = scores.len();
    if count == view.rows() {
        return model.score(view, scores, scratch);
    }
    let mut chosen = std::mem::take(&mut scratch.chosen_rows);
    chosen.clear();
    for feature in 0..view.features() {
        let column = view.column(feature);
        chosen.extend((0..count).map(|index| column[row(index)]));
    }
    model.score(Columns::new(&chosen, count, view.features()), scores, scratch);
    scratch.chosen_rows = chosen;
}

/// A detector with the scores of its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Member<D> {
    model: D,
    calibration: Calibration,
}

impl<D> Member<D> {
    /// The member, and the surprise of every baseline row among the others.
    fn calibrate(model: D, scores: &[f32]) -> (Self, Vec<f32>) {
        let calibration = Calibration::new(scores.to_vec());
        let own = scores.iter().map(|&score| calibration.surprise_of_own(score)).collect();
        (Self { model, calibration }, own)
    }
}

/// Several detectors as one: a row is as strange as the detector says that finds it strangest.
///
/// Each detector's score becomes the *surprise* `-ln p` of its tail p-value among the baseline's own scores, plus
/// [`Calibration::beyond`] above the largest of them. The ensemble's score is the largest surprise; it is
/// calibrated again on the baseline, where each row is left out of the scores it is compared with. So
/// [`p_value`](Self::p_value) keeps its meaning although the larger of two surprises was taken.
///
/// Good where the detectors see different things, as here; not better than the best one where a single
/// detector is right, and weaker there by the share of alerts the other one spends.
///
/// Cost: the sum of its detectors, and two binary searches and logarithms for each row.
///
/// An example is at the top of the crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "EnsembleParts")]
pub struct Ensemble {
    features: usize,
    forest: Option<Member<IsolationForest>>,
    neighbours: Option<Member<NeighbourDistance>>,
    calibration: Calibration,
    alert_threshold: f32,
    suspect_threshold: f32,
}

/// An ensemble as it was written, not yet checked.
#[derive(Deserialize)]
struct EnsembleParts {
    features: usize,
    forest: Option<Member<IsolationForest>>,
    neighbours: Option<Member<NeighbourDistance>>,
    calibration: Calibration,
    alert_threshold: f32,
    suspect_threshold: f32,
}

impl TryFrom<EnsembleParts> for Ensemble {
    type Error = &'static str;

    fn try_from(parts: EnsembleParts) -> Result<Self, Self::Error> {
        let EnsembleParts { features, forest, neighbours, calibration, alert_threshold, suspect_threshold } = parts;
        let of_forest = forest.as_ref().map(|member| member.model.features());
        let of_neighbours = neighbours.as_ref().map(|member| member.model.features());
        let mut of_members = of_forest.into_iter().chain(of_neighbours).peekable();
        if of_members.peek().is_none() || of_members.any(|of_member| of_member != features) {
            return Err("the detectors of an ensemble differ in their number of features");
        }
        if alert_threshold.is_nan() || suspect_threshold.is_nan() {
            return Err("a threshold of an ensemble is not a number");
        }
        Ok(Self { features, forest, neighbours, calibration, alert_threshold, suspect_threshold })
    }
}

impl Ensemble {
    /// The share of the baseline that is at least as strange as a row with this score.
    pub fn p_value(&self, score: f32) -> f32 {
        self.calibration.p_value(score)
    }

    /// The baseline's own scores.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// A row that scores above this is an alert: the `1 - alert_p` quantile of the baseline's own scores.
    pub fn alert_threshold(&self) -> f32 {
        self.alert_threshold
    }

    /// A row that scores above this is suspicious: the `1 - suspect_p` quantile of the baseline's own scores.
    pub fn suspect_threshold(&self) -> f32 {
        self.suspect_threshold
    }

    /// The isolation forest, if it takes part.
    pub fn forest(&self) -> Option<&IsolationForest> {
        self.forest.as_ref().map(|member| &member.model)
    }

    /// The neighbour distance, if it takes part.
    pub fn neighbours(&self) -> Option<&NeighbourDistance> {
        self.neighbours.as_ref().map(|member| &member.model)
    }
}

impl Detector for Ensemble {
    fn features(&self) -> usize {
        self.features
    }

    fn size_bytes(&self) -> usize {
        let calibrations = [
            self.forest.as_ref().map(|member| &member.calibration),
            self.neighbours.as_ref().map(|member| &member.calibration),
            Some(&self.calibration),
        ];
        let scores: usize = calibrations.iter().flatten().map(|calibration| calibration.scores().len()).sum();
        self.forest().map_or(0, IsolationForest::size_bytes)
            + self.neighbours().map_or(0, NeighbourDistance::size_bytes)
            + 4 * scores
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features, &view, scores);
        scores.fill(0.0);
        let mut member_scores = std::mem::take(&mut scratch.member_scores);
        member_scores.resize(view.rows(), 0.0);
        if let Some(member) = &self.forest {
            member.model.score(view, &mut member_scores, scratch);
            raise(scores, &member_scores, &member.calibration);
        }
        if let Some(member) = &self.neighbours {
            member.model.score(view, &mut member_scores, scratch);
            raise(scores, &member_scores, &member.calibration);
        }
        scratch.member_scores = member_scores;
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        contributions.fill(0.0);
        let mut own = vec![0.0; self.features];
        let mut surprises = (0.0f32, 0.0f32);
        let mut add = |model: &dyn Detector, calibration: &Calibration| -> Result<(), CannotExplain> {
            let mut score = [0.0];
            model.score(view.slice(row..row + 1), &mut score, scratch);
            let surprise = calibration.surprise(score[0]);
            model.explain(view, row, &mut own, scratch)?;
            shares(&mut own);
            contributions.iter_mut().zip(&own).for_each(|(sum, share)| *sum += surprise * share);
            surprises = (surprises.0 + surprise, surprises.1.max(surprise));
            Ok(())
        };
        if let Some(member) = &self.forest {
            add(&member.model, &member.calibration)?;
        }
        if let Some(member) = &self.neighbours {
            add(&member.model, &member.calibration)?;
        }
        let (sum, largest) = surprises;
        if sum > 0.0 {
            for contribution in contributions {
                *contribution *= largest / sum;
            }
        }
        Ok(Explanation { base: 0.0, value: largest })
    }
}

/// Raises every score to the surprise of the member's score.
fn raise(scores: &mut [f32], member_scores: &[f32], calibration: &Calibration) {
    for (score, &of_member) in scores.iter_mut().zip(member_scores) {
        *score = score.max(calibration.surprise(of_member));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<f32> {
        let x = (0..200).map(|i| (i % 20) as f32);
        let y = (0..200).map(|i| (i / 20) as f32);
        x.chain(y).collect()
    }

    fn fit(params: &EnsembleParams) -> Result<Ensemble, FitError> {
        params.fit(Columns::new(&grid(), 200, 2), 1, &mut Scratch::default())
    }

    #[test]
    fn the_score_is_the_larger_surprise_of_the_members() {
        let model = fit(&EnsembleParams::default()).unwrap();
        let batch = Columns::new(&[3.0, 19.0, 40.0, 4.0, 9.0, 5.0], 3, 2);
        let mut scratch = Scratch::default();
        let (mut of_forest, mut of_neighbours, mut scores) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        model.forest().unwrap().score(batch, &mut of_forest, &mut scratch);
        model.neighbours().unwrap().score(batch, &mut of_neighbours, &mut scratch);
        model.score(batch, &mut scores, &mut scratch);
        let (forest, neighbours) = (model.forest.as_ref().unwrap(), model.neighbours.as_ref().unwrap());
        for row in 0..3 {
            let a = forest.calibration.surprise(of_forest[row]);
            let b = neighbours.calibration.surprise(of_neighbours[row]);
            assert!((scores[row] - a.max(b)).abs() < 1e-6);
        }
    }

    #[test]
    fn the_thresholds_leave_the_named_shares_of_the_baseline_above() {
        let model = fit(&EnsembleParams { alert_p: 0.05, suspect_p: 0.2, ..EnsembleParams::default() }).unwrap();
        let share = |threshold: f32| {
            let scores = model.calibration().scores();
            scores.iter().filter(|&&score| score > threshold).count() as f32 / scores.len() as f32
        };
        assert!((0.03..=0.05).contains(&share(model.alert_threshold())), "{}", share(model.alert_threshold()));
        assert!((0.15..=0.2).contains(&share(model.suspect_threshold())), "{}", share(model.suspect_threshold()));
        assert!(model.p_value(model.alert_threshold()) < model.p_value(model.suspect_threshold()));
    }

    #[test]
    fn each_detector_can_stand_alone_and_none_is_refused() {
        let params = EnsembleParams::default();
        let alone = fit(&EnsembleParams { neighbours: None, ..params.clone() }).unwrap();
        assert!(alone.neighbours().is_none() && alone.forest().is_some());
        let alone = fit(&EnsembleParams { forest: None, ..params.clone() }).unwrap();
        assert!(alone.neighbours().is_some() && alone.forest().is_none());
        let error = fit(&EnsembleParams { forest: None, neighbours: None, ..params }).unwrap_err();
        assert_eq!(error, FitError::NoDetector);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let params = EnsembleParams::default();
        for (alert_p, suspect_p, calibration_max, name) in [
            (0.0, 0.1, 9, "alert_p"),
            (1.0, 0.1, 9, "alert_p"),
            (f32::NAN, 0.1, 9, "alert_p"),
            (0.2, 0.1, 9, "suspect_p"),
            (0.2, 1.0, 9, "suspect_p"),
            (0.02, 0.1, 0, "calibration_max"),
        ] {
            let error = fit(&EnsembleParams { alert_p, suspect_p, calibration_max, ..params.clone() }).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
