//! COPOD: tails of the empirical copula.

use serde::{Deserialize, Serialize};

use super::surprise::{Surprise, TailSum, Tails};
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// How an [`Copod`] is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CopodParams {
    /// The most reference rows kept, 1 to 16,777,216. Of a larger view evenly spaced rows are kept.
    pub reference_max: usize,
    /// How the tails of the features are summed.
    pub sum: TailSum,
}

impl Default for CopodParams {
    /// At most 65,536 rows; sums by feature, as the authors' program does: on smtp a higher AUROC than by side.
    fn default() -> Self {
        Self { reference_max: 1 << 16, sum: TailSum::ByFeature }
    }
}

impl CopodParams {
    /// Sorts the values of every feature of `view`.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Copod, FitError> {
        Ok(Copod { sum: self.sum, tails: Tails::fit(view, self.reference_max)? })
    }
}

/// Copula-based outlier detection: rows whose joint tail probability is small are strange.
///
/// The empirical copula turns each value into its rank in the baseline, so the shape of the features no longer
/// counts. A feature's surprise is `-ln` of the tail that the baseline is skewed to, or the mean of both tails' where
/// that is larger, and the score, 0 or more, is the sum over the features ([`TailSum::ByFeature`], as in `PyOD`).
/// With [`TailSum::BySide`] it is the largest of the sums of left, right and skewed tails, as the paper writes it;
/// that is the score of [`Ecod`](crate::Ecod), which the same authors published as the better described form.
///
/// Good and blind where ECOD is. A tail against the skew counts half here, so a feature that is strange on the side of
/// its longer tail stands out more: better where attacks are large and ordinary rows crowd near the lower end, worse
/// where attacks are unusually small or regular.
///
/// Shares are those of the baseline with the row itself added, `(count + 1) / (rows + 1)`: for a batch of one row
/// (that does not turn the skew) the same as `PyOD`'s, whose `decision_function` otherwise ranks every row among
/// training rows *and* batch. Here a score depends on the row and the model alone.
///
/// A value that is NaN counts as larger than every other. A feature without skew, a constant one say, points to its
/// longer tail.
///
/// Cost: a binary search for each feature of a row; `8` bytes for each distinct value of a feature and `4` for each
/// reference row.
///
/// ```
/// use dais_detect::{Columns, CopodParams, Detector, Scratch};
///
/// let baseline = [0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 6.0, 9.0]; // skewed to the right
/// let model = CopodParams::default().fit(Columns::new(&baseline, 9, 1))?;
///
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[-5.0, 2.0, 20.0], 3, 1), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.3}"));
/// assert_eq!(printed, ["1.151", "0.434", "2.303"]); // half of -ln 0.1, mean of -ln 0.6 and -ln 0.7, -ln 0.1
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu, "COPOD: Copula-Based Outlier Detection", ICDM 2020.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copod {
    sum: TailSum,
    tails: Tails,
}

impl Copod {
    /// The number of reference rows.
    pub fn references(&self) -> usize {
        self.tails.references()
    }
}

impl Detector for Copod {
    fn features(&self) -> usize {
        self.tails.features()
    }

    fn size_bytes(&self) -> usize {
        self.tails.size_bytes()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let skewed_or_mean = |surprise: Surprise| surprise.skewed.max(0.5 * (surprise.left + surprise.right));
        self.tails.score(self.sum, skewed_or_mean, view, scores, &mut scratch.tail_sums);
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        let skewed_or_mean = |surprise: Surprise| surprise.skewed.max(0.5 * (surprise.left + surprise.right));
        Ok(self.tails.explain(self.sum, skewed_or_mean, view, row, contributions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six rows, two features: the first skewed right, the second left.
    const BASELINE: [f32; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 5.0, 9.0, 9.1, 9.2, 9.3, 9.4, 1.0];

    fn scores(sum: TailSum, rows: [f32; 6]) -> [f32; 3] {
        let params = CopodParams { sum, ..CopodParams::default() };
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
        assert_near(scores, [0.896_088, 2.393_954, 1.945_910_1]);
    }

    #[test]
    fn by_side_the_scores_are_those_of_ecod() {
        let rows = [7.0, -1.0, 7.0, 0.0, 0.0, 20.0];
        let ecod = crate::EcodParams::default().fit(Columns::new(&BASELINE, 6, 2)).unwrap();
        let mut expected = [0.0; 3];
        ecod.score(Columns::new(&rows, 3, 2), &mut expected, &mut Scratch::default());
        assert_near(scores(TailSum::BySide, rows), expected);
    }
}
