//! Rows in the order of their scores, from which every curve and area is read.

use std::cmp::Ordering;

/// How attacks and ordinary rows lie in the falling order of their scores.
///
/// Sorted once, it answers every question about thresholds. A threshold lets in all rows of a score or none, so rows with
/// equal scores enter together.
///
/// ```
/// use dais_detect::metric::Ranking;
///
/// let ranking = Ranking::of(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]);
/// assert_eq!(ranking.auroc(), Some(0.75));
/// assert_eq!(ranking.recall_at_fpr(0.2), Some(0.5));
/// assert_eq!(ranking.precision_at_recall(1.0), Some(2.0 / 3.0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// For each distinct score from the highest: how many rows score at least that.
    thresholds: Vec<Above>,
}

/// Rows that score at least some threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Above {
    positives: u64,
    negatives: u64,
}

impl Ranking {
    /// Sorts the rows; `positive` says which are attacks.
    ///
    /// # Panics
    /// If `scores` and `positive` differ in length, or a score is NaN.
    pub fn of(scores: &[f32], positive: &[bool]) -> Self {
        assert!(scores.len() == positive.len(), "{} scores, {} labels", scores.len(), positive.len());
        assert!(scores.iter().all(|score| !score.is_nan()), "a score is never NaN");
        let mut rows: Vec<(f32, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut above = Above::default();
        let equal = |a: &(f32, bool), b: &(f32, bool)| a.0.partial_cmp(&b.0).is_some_and(Ordering::is_eq);
        let thresholds = rows.chunk_by(equal).map(|group| {
            let positives = group.iter().filter(|row| row.1).count() as u64;
            above.positives += positives;
            above.negatives += group.len() as u64 - positives;
            above
        });
        Self { thresholds: thresholds.collect() }
    }

    /// How many rows are attacks.
    pub fn positives(&self) -> u64 {
        self.all().positives
    }

    /// How many rows are ordinary.
    pub fn negatives(&self) -> u64 {
        self.all().negatives
    }

    fn all(&self) -> Above {
        self.thresholds.last().copied().unwrap_or_default()
    }

    /// See [`auroc`](super::auroc).
    pub fn auroc(&self) -> Option<f64> {
        let (mut wins, mut before) = (0u128, Above::default());
        for above in &self.thresholds {
            // Every attack so far beats the ordinary rows of this score; equal scores count half.
            let negatives = above.negatives - before.negatives;
            wins += u128::from(negatives) * u128::from(before.positives + above.positives);
            before = *above;
        }
        let pairs = 2 * u128::from(before.positives) * u128::from(before.negatives);
        (pairs > 0).then(|| wins as f64 / pairs as f64)
    }

    /// See [`average_precision`](super::average_precision).
    pub fn average_precision(&self) -> Option<f64> {
        let (mut sum, mut before) = (0.0, 0);
        for above in &self.thresholds {
            sum += (above.positives - before) as f64 * above.precision();
            before = above.positives;
        }
        (before > 0).then(|| sum / before as f64)
    }

    /// The largest share of attacks that a threshold finds while at most the share `fpr` of the ordinary rows exceeds it: what
    /// can be had at that false positive rate. `None` without attacks or without ordinary rows.
    pub fn recall_at_fpr(&self, fpr: f64) -> Option<f64> {
        let all = self.all();
        let admitted = self.thresholds.partition_point(|above| above.negatives as f64 <= fpr * all.negatives as f64);
        let positives = admitted.checked_sub(1).map_or(0, |last| self.thresholds[last].positives);
        (all.positives > 0 && all.negatives > 0).then(|| positives as f64 / all.positives as f64)
    }

    /// The height of the ROC curve at the false positive rate `fpr`, straight between neighbouring thresholds; the area below
    /// it is [`auroc`](Self::auroc). `None` without attacks or without ordinary rows.
    pub fn roc(&self, fpr: f64) -> Option<f64> {
        let all = self.all();
        let wanted = fpr * all.negatives as f64;
        let next = self.thresholds.partition_point(|above| above.negatives as f64 <= wanted);
        let left = next.checked_sub(1).map_or_else(Above::default, |last| self.thresholds[last]);
        let right = self.thresholds.get(next).copied().unwrap_or(all);
        let width = (right.negatives - left.negatives) as f64;
        let part = if width > 0.0 { (wanted - left.negatives as f64) / width } else { 0.0 };
        let positives = left.positives as f64 + part * (right.positives - left.positives) as f64;
        (all.positives > 0 && all.negatives > 0).then(|| positives / all.positives as f64)
    }

    /// The share of attacks among the rows above the highest threshold that finds at least the share `recall` of the attacks.
    /// `None` without attacks.
    pub fn precision_at_recall(&self, recall: f64) -> Option<f64> {
        let all = self.all();
        let wanted = recall * all.positives as f64;
        let found = self.thresholds.partition_point(|above| above.positives == 0 || (above.positives as f64) < wanted);
        (all.positives > 0).then(|| self.thresholds.get(found).unwrap_or(&all).precision())
    }
}

impl Above {
    fn precision(self) -> f64 {
        self.positives as f64 / (self.positives + self.negatives) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 8] = [9.0, 8.0, 8.0, 7.0, 6.0, 6.0, 5.0, 1.0];
    const ATTACK: [bool; 8] = [true, true, false, false, true, false, false, true];

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn a_threshold_lets_in_equal_scores_together() {
        let ranking = Ranking::of(&SCORES, &ATTACK);
        assert_eq!((ranking.positives(), ranking.negatives()), (4, 4));
        for (fpr, recall) in [(0.0, 0.25), (0.2, 0.25), (0.25, 0.5), (0.5, 0.5), (0.75, 0.75), (1.0, 1.0)] {
            assert!(near(ranking.recall_at_fpr(fpr), recall), "{fpr}");
        }
        for (recall, precision) in [(0.0, 1.0), (0.25, 1.0), (0.3, 2.0 / 3.0), (0.75, 0.5), (1.0, 0.5)] {
            assert!(near(ranking.precision_at_recall(recall), precision), "{recall}");
        }
    }

    #[test]
    fn the_curve_is_straight_between_thresholds_and_its_area_is_that_of_the_ranks() {
        let ranking = Ranking::of(&SCORES, &ATTACK);
        assert!(near(ranking.roc(0.0), 0.25) && near(ranking.roc(0.125), 0.375) && near(ranking.roc(1.0), 1.0));
        let steps = 4_000;
        let height = |step: i32| ranking.roc(f64::from(step) / f64::from(steps)).unwrap();
        let area: f64 = (0..steps).map(|step| f64::midpoint(height(step), height(step + 1)) / f64::from(steps)).sum();
        assert!((area - ranking.auroc().unwrap()).abs() < 1e-3, "{area}");
    }

    #[test]
    fn without_one_of_the_kinds_there_is_no_curve() {
        let benign = Ranking::of(&[1.0, 2.0], &[false, false]);
        assert_eq!((benign.roc(0.5), benign.recall_at_fpr(0.5), benign.precision_at_recall(0.5)), (None, None, None));
        assert_eq!(Ranking::of(&[], &[]).auroc(), None);
        assert!(near(Ranking::of(&[1.0], &[true]).precision_at_recall(1.0), 1.0));
    }
}
