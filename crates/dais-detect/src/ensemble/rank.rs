//! Any detectors together, by the mean of their ranks.

mod member;

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::explanation::{assert_explained, shares};
use crate::{
    Calibration, CannotExplain, Columns, Detector, EcodParams, Explanation, FitError, ForestParams, MahalanobisParams,
    NeighbourParams, Scratch,
};

pub use member::{Member, MemberParams};

/// How a [`RankEnsemble`] is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankEnsembleParams {
    /// The detectors that take part, at least one; one that stands twice counts twice.
    pub members: Vec<MemberParams>,
    /// The most baseline rows each member is calibrated on, at least 1; of more, evenly spaced ones.
    pub calibration_max: usize,
}

impl Default for RankEnsembleParams {
    /// Four that see different things: isolation forest, neighbours, tails, and the shape of the bulk; at most 4,096
    /// rows.
    fn default() -> Self {
        let members = vec![
            MemberParams::IsolationForest(ForestParams::default()),
            MemberParams::Neighbours(NeighbourParams::default()),
            MemberParams::Ecod(EcodParams::default()),
            MemberParams::Mahalanobis(MahalanobisParams::default()),
        ];
        Self { members, calibration_max: 4096 }
    }
}

impl RankEnsembleParams {
    /// Fits every member on the rows of `view` and calibrates it on the same rows.
    ///
    /// # Errors
    /// [`FitError`] if there is no member, for a parameter out of range, and as the members.
    pub fn fit(&self, view: Columns<'_>, seed: u64, scratch: &mut Scratch) -> Result<RankEnsemble, FitError> {
        if self.members.is_empty() {
            return Err(FitError::NoDetector);
        }
        if self.calibration_max == 0 {
            return Err(FitError::Parameter { name: "calibration_max", value: 0.0, expected: "at least 1" });
        }
        view.check_learnable()?;
        let calibrated = |params: &MemberParams| {
            let member = params.fit(view, seed, scratch)?;
            let calibration = Calibration::new(member.own_scores(view, self.calibration_max, scratch));
            Ok(Calibrated { member, calibration })
        };
        let members = self.members.iter().map(calibrated).collect::<Result<_, _>>()?;
        Ok(RankEnsemble { features: view.features(), members })
    }
}

/// A detector with the scores of its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Calibrated {
    member: Member,
    calibration: Calibration,
}

/// Any detectors as one: a row is as strange as they find it on average, each by the rank of its own score.
///
/// Each member's score becomes its tail p-value among the scores of the baseline; where it exceeds all of them, the
/// p-value goes on shrinking with [`Calibration::beyond`], to a quarter at most. The score is one minus the mean
/// p-value, at least 0 and below 1: 0.5 is ordinary, and 0.99 means that the members see one row in a hundred so far
/// out.
///
/// Good where it is not known which detector fits: no member's scale counts, and one that is wrong about a row is
/// outvoted. Weak where only one member sees an attack: there [`Ensemble`](crate::Ensemble) is better, which follows the
/// member that finds a row strangest.
///
/// Members that keep reference points (neighbours, local outlier factor) are calibrated on these, each without
/// itself; the others on evenly spaced baseline rows.
///
/// Cost: the sum of its members, and a binary search for each row and member; `4 * calibration_max` bytes for each
/// member.
///
/// ```
/// use dais_detect::{Columns, Detector, EcodParams, HbosParams, MemberParams, RankEnsembleParams, Scratch};
///
/// let baseline: Vec<f32> = (0..100).map(|i| (i % 10) as f32).collect();
/// let members = vec![MemberParams::Ecod(EcodParams::default()), MemberParams::Hbos(HbosParams { bins: 10 })];
/// let params = RankEnsembleParams { members, ..Default::default() };
/// let mut scratch = Scratch::default();
/// let model = params.fit(Columns::new(&baseline, 100, 1), 1, &mut scratch)?;
///
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[4.0, 9.0, 30.0], 3, 1), &mut scores, &mut scratch);
/// let printed = scores.map(|score| format!("{score:.3}"));
/// assert_eq!(printed, ["0.000", "0.396", "0.996"]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: A. Lazarevic, V. Kumar, "Feature Bagging for Outlier Detection", KDD 2005 (combination by rank); C. C.
/// Aggarwal, S. Sathe, "Theoretical Foundations and Algorithms for Outlier Ensembles", SIGKDD Explorations 2015 (why
/// the mean is the safe choice).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RankEnsembleParts")]
pub struct RankEnsemble {
    features: usize,
    members: Vec<Calibrated>,
}

/// An ensemble as it was written, not yet checked.
#[derive(Deserialize)]
struct RankEnsembleParts {
    features: usize,
    members: Vec<Calibrated>,
}

impl TryFrom<RankEnsembleParts> for RankEnsemble {
    type Error = &'static str;

    fn try_from(RankEnsembleParts { features, members }: RankEnsembleParts) -> Result<Self, Self::Error> {
        if members.is_empty() || members.iter().any(|calibrated| calibrated.member.features() != features) {
            return Err("the detectors of an ensemble differ in their number of features");
        }
        Ok(Self { features, members })
    }
}

impl RankEnsemble {
    /// The members with the scores they are calibrated by.
    pub fn members(&self) -> impl Iterator<Item = (&Member, &Calibration)> {
        self.members.iter().map(|calibrated| (&calibrated.member, &calibrated.calibration))
    }
}

impl Detector for RankEnsemble {
    fn features(&self) -> usize {
        self.features
    }

    fn size_bytes(&self) -> usize {
        self.members().map(|(member, calibration)| member.size_bytes() + 4 * calibration.scores().len()).sum()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features, &view, scores);
        scores.fill(0.0);
        let mut member_scores = std::mem::take(&mut scratch.member_scores);
        member_scores.resize(view.rows(), 0.0);
        for Calibrated { member, calibration } in &self.members {
            member.score(view, &mut member_scores, scratch);
            for (score, &of_member) in scores.iter_mut().zip(&member_scores) {
                *score += rank(calibration, of_member);
            }
        }
        let share = 1.0 / self.members.len() as f32;
        for score in scores {
            *score *= share;
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
        let (mut own, mut value) = (vec![0.0; self.features], 0.0);
        for Calibrated { member, calibration } in &self.members {
            let mut score = [0.0];
            member.score(view.slice(row..row + 1), &mut score, scratch);
            let rank = rank(calibration, score[0]) / self.members.len() as f32;
            member.explain(view, row, &mut own, scratch)?;
            shares(&mut own);
            contributions.iter_mut().zip(&own).for_each(|(sum, share)| *sum += rank * share);
            value += rank;
        }
        Ok(Explanation { base: 0.0, value })
    }
}

/// One minus the tail p-value; above the largest reference score it goes on rising.
fn rank(calibration: &Calibration, score: f32) -> f32 {
    1.0 - calibration.p_value(score) / (1.0 + calibration.beyond(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<f32> {
        let x = (0..200).map(|i| (i % 20) as f32);
        let y = (0..200).map(|i| (i / 20) as f32);
        x.chain(y).collect()
    }

    fn fit(params: &RankEnsembleParams) -> Result<RankEnsemble, FitError> {
        params.fit(Columns::new(&grid(), 200, 2), 1, &mut Scratch::default())
    }

    #[test]
    fn the_score_is_one_minus_the_mean_p_value_of_the_members() {
        let model = fit(&RankEnsembleParams::default()).unwrap();
        let batch = Columns::new(&[3.0, 19.0, 12.0, 4.0, 9.0, 5.0], 3, 2);
        let (mut scratch, mut scores, mut expected) = (Scratch::default(), [0.0; 3], [1.0f32; 3]);
        model.score(batch, &mut scores, &mut scratch);
        for (member, calibration) in model.members() {
            let mut of_member = [0.0; 3];
            member.score(batch, &mut of_member, &mut scratch);
            for (expected, &score) in expected.iter_mut().zip(&of_member) {
                *expected -= calibration.p_value(score) / 4.0;
            }
        }
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 2e-3, "{scores:?} {expected}");
        }
    }

    #[test]
    fn rows_beyond_all_of_the_baseline_are_still_told_apart() {
        let model = fit(&RankEnsembleParams::default()).unwrap();
        let mut scores = [0.0; 3];
        model.score(Columns::new(&[25.0, 28.0, 32.0, 5.0, 5.0, 5.0], 3, 2), &mut scores, &mut Scratch::default());
        assert!(scores.is_sorted_by(|a, b| a < b) && scores[2] < 1.0, "{scores:?}");
    }

    #[test]
    fn no_member_and_a_member_with_a_bad_parameter_are_refused() {
        let params = RankEnsembleParams { members: Vec::new(), ..RankEnsembleParams::default() };
        assert_eq!(fit(&params).unwrap_err(), FitError::NoDetector);
        let members = vec![MemberParams::Neighbours(NeighbourParams { k: 0, ..NeighbourParams::default() })];
        let error = fit(&RankEnsembleParams { members, ..RankEnsembleParams::default() }).unwrap_err();
        assert!(matches!(error, FitError::Parameter { name: "k", .. }), "{error}");
        let params = RankEnsembleParams { calibration_max: 0, ..RankEnsembleParams::default() };
        assert!(matches!(fit(&params).unwrap_err(), FitError::Parameter { name: "calibration_max", .. }));
    }
}
