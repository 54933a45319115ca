//! How well scores separate attacks from ordinary rows.

mod ranking;

use serde::{Deserialize, Serialize};

pub use ranking::Ranking;

/// The area under the ROC curve: the probability that a random positive row scores higher than a random
/// negative one, ties counted half. `None` if there is no positive or no negative row.
///
/// ```
/// use dais_detect::metric::auroc;
///
/// assert_eq!(auroc(&[0.1, 0.4, 0.4, 0.8], &[false, false, true, true]), Some(0.875));
/// ```
///
/// # Panics
/// If `scores` and `positive` differ in length, or a score is NaN.
pub fn auroc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    Ranking::of(scores, positive).auroc()
}

/// Average precision: the mean precision over the positive rows in falling order of score, where equal scores
/// enter together. `None` if there is no positive row.
///
/// ```
/// use dais_detect::metric::average_precision;
///
/// let value = average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
/// assert_eq!(value, Some((1.0 + 2.0 / 3.0) / 2.0));
/// ```
///
/// # Panics
/// If `scores` and `positive` differ in length, or a score is NaN.
pub fn average_precision(scores: &[f32], positive: &[bool]) -> Option<f64> {
    Ranking::of(scores, positive).average_precision()
}

/// Counts of decisions against the truth.
///
/// ```
/// use dais_detect::metric::Confusion;
///
/// let mut counts = Confusion::default();
/// for (detected, attack) in [(true, true), (true, false), (false, true), (false, false), (false, false)] {
///     counts.record(detected, attack);
/// }
/// assert_eq!(counts.recall(), Some(0.5));
/// assert_eq!(counts.fpr(), Some(1.0 / 3.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Attacks that were detected.
    pub tp: u64,
    /// Ordinary rows that were detected.
    pub fp: u64,
    /// Ordinary rows that were not detected.
    pub tn: u64,
    /// Attacks that were not detected.
    pub fn_: u64,
}

impl Confusion {
    /// Counts one row.
    pub fn record(&mut self, detected: bool, attack: bool) {
        match (detected, attack) {
            (true, true) => self.tp += 1,
            (true, false) => self.fp += 1,
            (false, false) => self.tn += 1,
            (false, true) => self.fn_ += 1,
        }
    }

    /// The share of attacks that were detected, `tp / (tp + fn)`; `None` without an attack.
    pub fn recall(&self) -> Option<f64> {
        share(self.tp, self.tp + self.fn_)
    }

    /// The share of detections that were attacks, `tp / (tp + fp)`; `None` without a detection.
    pub fn precision(&self) -> Option<f64> {
        share(self.tp, self.tp + self.fp)
    }

    /// The harmonic mean of precision and recall, `2 tp / (2 tp + fp + fn)`; `None` without an attack and a
    /// detection.
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.tp, 2 * self.tp + self.fp + self.fn_)
    }

    /// The false positive rate, `fp / (fp + tn)`; `None` without an ordinary row.
    pub fn fpr(&self) -> Option<f64> {
        share(self.fp, self.fp + self.tn)
    }
}

impl std::ops::AddAssign for Confusion {
    fn add_assign(&mut self, other: Self) {
        self.tp += other.tp;
        self.fp += other.fp;
        self.tn += other.tn;
        self.fn_ += other.fn_;
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn a_perfect_ranking_has_area_one_a_reversed_one_zero_and_equal_scores_one_half() {
        let positive = [false, false, true, true];
        assert!(near(auroc(&[1.0, 2.0, 3.0, 4.0], &positive), 1.0));
        assert!(near(auroc(&[4.0, 3.0, 2.0, 1.0], &positive), 0.0));
        assert!(near(auroc(&[0.0, -0.0, 0.0, -0.0], &positive), 0.5));
        assert!(near(average_precision(&[1.0; 4], &positive), 0.5));
    }

    #[test]
    fn a_metric_without_rows_to_measure_is_none() {
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(average_precision(&[1.0], &[false]), None);
        let counts = Confusion::default();
        assert_eq!((counts.recall(), counts.precision(), counts.f1(), counts.fpr()), (None, None, None, None));
    }

    #[test]
    fn confusion_counts_add_up() {
        let mut counts = Confusion { tp: 3, fp: 1, tn: 9, fn_: 2 };
        counts += Confusion { tp: 1, fp: 0, tn: 1, fn_: 0 };
        assert!(near(counts.recall(), 4.0 / 6.0));
        assert!(near(counts.precision(), 4.0 / 5.0));
        assert!(near(counts.f1(), 8.0 / 11.0));
        assert!(near(counts.fpr(), 1.0 / 11.0));
    }
}
