//! From scores to p-values.

use serde::{Deserialize, Serialize};

/// How far [`Calibration::beyond`] can reach.
const BEYOND_MAX: f32 = 3.0;

/// The sorted scores of reference rows: says what share of them is at least as strange as a new score.
///
/// If new ordinary rows and the reference rows are exchangeable, a p-value at most `p` is seen with
/// probability at most `p`, for any score and any number of reference rows (a conformal p-value).
///
/// ```
/// use dais_detect::Calibration;
///
/// let calibration = Calibration::new(vec![3.0, 1.0, 2.0, 4.0]);
/// assert_eq!(calibration.p_value(3.0), 0.6); // 3 and 4 are at least as strange: (2 + 1) / (4 + 1)
/// assert_eq!(calibration.p_value(9.0), 0.2);
/// assert_eq!(calibration.quantile(0.5), 2.5);
/// assert_eq!(calibration.beyond(6.0), 0.5); // half of the largest score above it
/// ```
///
/// Reference: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer 2005.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CalibrationParts")]
pub struct Calibration {
    sorted: Vec<f32>,
}

/// A calibration as it was written, not yet checked.
#[derive(Deserialize)]
struct CalibrationParts {
    sorted: Vec<f32>,
}

impl TryFrom<CalibrationParts> for Calibration {
    type Error = &'static str;

    fn try_from(CalibrationParts { sorted }: CalibrationParts) -> Result<Self, Self::Error> {
        if sorted.is_empty() || !sorted.is_sorted() {
            return Err("a calibration needs scores in rising order");
        }
        Ok(Self { sorted })
    }
}

impl Calibration {
    /// Sorts the scores of the reference rows.
    ///
    /// # Panics
    /// If there is no score, or one is NaN.
    pub fn new(mut scores: Vec<f32>) -> Self {
        assert!(!scores.is_empty(), "a calibration needs at least one score");
        assert!(scores.iter().all(|score| !score.is_nan()), "a score is never NaN");
        scores.sort_unstable_by(f32::total_cmp);
        Self { sorted: scores }
    }

    /// The reference scores in rising order.
    pub fn scores(&self) -> &[f32] {
        &self.sorted
    }

    /// The largest reference score.
    pub fn max(&self) -> f32 {
        self.sorted[self.sorted.len() - 1]
    }

    /// `(#{reference >= score} + 1) / (n + 1)`: above 0, at most 1, small for strange rows.
    pub fn p_value(&self, score: f32) -> f32 {
        (self.at_least(score) + 1) as f32 / (self.sorted.len() + 1) as f32
    }

    /// The `q`-quantile of the reference scores, `q` in [0, 1], linear between neighbouring scores.
    ///
    /// # Panics
    /// If `q` is not in [0, 1].
    pub fn quantile(&self, q: f32) -> f32 {
        assert!((0.0..=1.0).contains(&q), "quantile {q}");
        let position = f64::from(q) * (self.sorted.len() - 1) as f64;
        let below = position.floor();
        let share = (position - below) as f32;
        let low = self.sorted[below as usize];
        let high = self.sorted[(below as usize + 1).min(self.sorted.len() - 1)];
        if low < high { low + (high - low) * share } else { low }
    }

    /// How far `score` lies above the largest reference score, in units of its size, at most 3: tells rows
    /// apart that all have the smallest p-value.
    pub fn beyond(&self, score: f32) -> f32 {
        beyond(score, self.max())
    }

    /// `-ln p_value(score) + beyond(score)`.
    pub(crate) fn surprise(&self, score: f32) -> f32 {
        -libm::logf(self.p_value(score)) + self.beyond(score)
    }

    /// The surprise of one of the reference scores among the others.
    pub(crate) fn surprise_of_own(&self, score: f32) -> f32 {
        let count = self.sorted.len();
        let others_at_least = self.at_least(score) - 1;
        let p = (others_at_least + 1) as f32 / count as f32;
        let beyond = match count {
            // The largest score stands alone above the second largest.
            2.. if others_at_least == 0 => beyond(score, self.sorted[count - 2]),
            _ => 0.0,
        };
        -libm::logf(p) + beyond
    }

    /// The number of reference scores that are at least `score`.
    fn at_least(&self, score: f32) -> usize {
        self.sorted.len() - self.sorted.partition_point(|&reference| reference < score)
    }
}

fn beyond(score: f32, max: f32) -> f32 {
    ((score - max).max(0.0) / (max.abs() + 1e-9)).min(BEYOND_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to_ten() -> Calibration {
        Calibration::new((1..=10).rev().map(|score| score as f32).collect())
    }

    #[test]
    fn the_p_value_counts_equal_scores_as_at_least_as_strange() {
        let calibration = Calibration::new(vec![1.0, 2.0, 2.0, 3.0]);
        assert!((calibration.p_value(2.0) - 4.0 / 5.0).abs() < 1e-6);
        assert!((calibration.p_value(2.1) - 2.0 / 5.0).abs() < 1e-6);
    }

    #[test]
    fn quantiles_run_linearly_from_the_smallest_to_the_largest_score() {
        let calibration = one_to_ten();
        for (q, expected) in [(0.0, 1.0), (0.5, 5.5), (0.98, 9.82), (1.0, 10.0)] {
            assert!((calibration.quantile(q) - expected).abs() < 1e-5, "quantile {q}");
        }
    }

    #[test]
    fn beyond_grows_above_the_largest_score_and_is_bounded() {
        let calibration = one_to_ten();
        for (score, expected) in [(10.0, 0.0), (15.0, 0.5), (1000.0, 3.0), (f32::INFINITY, 3.0)] {
            assert!((calibration.beyond(score) - expected).abs() < 1e-6, "score {score}");
        }
        assert!(Calibration::new(vec![0.0]).beyond(0.0).abs() < 1e-6);
    }

    #[test]
    fn a_reference_score_is_compared_with_the_others_only() {
        let calibration = one_to_ten();
        let without = Calibration::new((1..=9).map(|score| score as f32).collect());
        assert!((calibration.surprise_of_own(10.0) - without.surprise(10.0)).abs() < 1e-6);
        let alone = Calibration::new(vec![4.0]);
        assert!(alone.surprise_of_own(4.0).abs() < 1e-6);
    }

    #[test]
    #[should_panic(expected = "never NaN")]
    fn a_score_that_is_not_a_number_is_refused() {
        let _ = Calibration::new(vec![1.0, f32::NAN]);
    }
}
