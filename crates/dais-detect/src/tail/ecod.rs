//! ECOD: tails of the empirical distributions.

use serde::{Deserialize, Serialize};

use super::surprise::{Surprise, TailSum, Tails};
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// How an [`Ecod`] is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EcodParams {
    /// The most reference rows kept, 1 to 16,777,216. Of a larger view evenly spaced rows are kept.
    pub reference_max: usize,
    /// How the tails of the features are summed.
    pub sum: TailSum,
}

impl Default for EcodParams {
    /// At most 65,536 rows; sums by side, as in the paper: a higher AUROC than by feature on NSL-KDD, http and smtp.
    fn default() -> Self {
        Self { reference_max: 1 << 16, sum: TailSum::BySide }
    }
}

impl EcodParams {
    /// Sorts the values of every feature of `view`.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Ecod, FitError> {
        Ok(Ecod { sum: self.sum, tails: Tails::fit(view, self.reference_max)? })
    }
}

/// Empirical-cumulative-distribution outlier detection: rows with values far out in the tails are strange.
///
/// For every feature the share of the baseline that is at most and at least as large as the row's value gives a left
/// and a right surprise, `-ln` of the share. They are summed over the features three times: all left ones, all right
/// ones, and for each feature the one on the side to which the baseline is skewed. The largest of the three sums is
/// the score, 0 or more ([`TailSum::BySide`]); or each feature adds the larger of its tails, as in `PyOD`
/// ([`TailSum::ByFeature`]).
///
/// Good at values that are extreme in several features, without a parameter to choose, and simple to explain: the
/// score is a sum over features. Blind to rows that are strange between the bulks of a feature or only in the
/// combination of features. Beyond the ends of the baseline all values are equally strange.
///
/// The shares are those of the baseline with the row itself added, `(count + 1) / (rows + 1)`: for a batch of one row
/// (that does not turn the skew) the same as `PyOD`'s. `PyOD`'s `decision_function` appends the *whole* batch to the
/// training rows and ranks each row among both, so a row's score there changes with its companions, and an attack of
/// many equal rows hides itself; here it depends on the row and the model alone.
///
/// A value that is NaN counts as larger than every other. A feature without skew, a constant one say, points to its
/// longer tail.
///
/// Cost: a binary search for each feature of a row; `8` bytes for each distinct value of a feature and `4` for each
/// reference row.
///
/// ```
/// use dais_detect::{Columns, Detector, EcodParams, Scratch};
///
/// let baseline = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let model = EcodParams::default().fit(Columns::new(&baseline, 9, 1))?;
///
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[4.0, 8.0, 20.0], 3, 1), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.3}"));
/// assert_eq!(printed, ["0.511", "1.609", "2.303"]); // -ln 0.6, -ln 0.2, -ln 0.1
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G. H. Chen, "ECOD: Unsupervised Outlier Detection Using
/// Empirical Cumulative Distribution Functions", IEEE TKDE 2022.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ecod {
    sum: TailSum,
    tails: Tails,
}

impl Ecod {
    /// The number of reference rows.
    pub fn references(&self) -> usize {
        self.tails.references()
    }
}

impl Detector for Ecod {
    fn features(&self) -> usize {
        self.tails.features()
    }

    fn size_bytes(&self) -> usize {
        self.tails.size_bytes()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let larger = |surprise: Surprise| surprise.left.max(surprise.right);
        self.tails.score(self.sum, larger, view, scores, &mut scratch.tail_sums);
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        let larger = |surprise: Surprise| surprise.left.max(surprise.right);
        Ok(self.tails.explain(self.sum, larger, view, row, contributions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six rows, two features: the first skewed right, the second left.
    const BASELINE: [f32; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 5.0, 9.0, 9.1, 9.2, 9.3, 9.4, 1.0];

    fn scores(sum: TailSum, rows: [f32; 6]) -> [f32; 3] {
        let params = EcodParams { sum, ..EcodParams::default() };
        let model = params.fit(Columns::new(&BASELINE, 6, 2)).unwrap();
        let mut scores = [0.0; 3];
        model.score(Columns::new(&rows, 3, 2), &mut scores, &mut Scratch::default());
        scores
    }

    fn assert_near(scores: [f32; 3], expected: [f32; 3]) {
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-5, "{scores:?}, expected {expected}");
        }
    }

    #[test]
    fn by_feature_the_scores_are_those_of_pyod_for_batches_of_one_row() {
        let scores = scores(TailSum::ByFeature, [0.2, 7.0, -1.0, 9.2, 9.2, 12.0]);
        assert_near(scores, [1.119_231_6, 2.505_525_9, 3.891_820_3]);
    }

    #[test]
    fn by_side_the_largest_of_three_sums_counts() {
        let ln = |share: f32| -libm::logf(share);
        // The first row is large and small where the skews point; the second small in both, the third large in both.
        let scores = scores(TailSum::BySide, [7.0, -1.0, 7.0, 0.0, 0.0, 20.0]);
        assert_near(scores, [2.0 * ln(1.0 / 7.0), 2.0 * ln(1.0 / 7.0), 2.0 * ln(1.0 / 7.0)]);
    }
}
