//! How strange ordinary flows were when they arrived: what p-values are read from.

use serde::{Deserialize, Serialize};

/// Width of a bin of scores.
const BIN: f32 = 0.02;

/// Bins. Scores are surprises: at most `ln(65,537) + 3`, which is below 14.4.
const BINS: usize = 720;

/// Arrivals remembered: after 0.7 times as many others one counts half.
const MEMORY: f32 = 4096.0;

/// Weights are scaled down when the newest reaches this.
const WEIGHT_MAX: f32 = 1e6;

/// Arrivals from which on they say more than the rows that the model was fitted on.
const ENOUGH: f32 = 128.0;

/// The scores that ordinary flows had when they arrived, before any model had learned them, as a histogram that fades.
///
/// A flow is compared with these and not with the rows that the model was fitted on, which look less strange to it than
/// new ones. While what arrives is like what arrived, a p-value at most `p` is seen with a chance of about `p`, whatever the
/// model, the window and the number of flows (a conformal p-value over past arrivals; V. Vovk, A. Gammerman, G. Shafer,
/// "Algorithmic Learning in a Random World", Springer 2005). It takes 5.8 kB.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Arrivals {
    /// Weight of the scores in each bin.
    bins: Vec<f32>,
    /// Weight of the next score; it grows with each, so that earlier ones fade.
    weight: f32,
    /// Weight at or above each bin at the last [`Arrivals::settle`], in units of the newest score.
    at_least: Vec<f32>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { bins: vec![0.0; BINS], weight: 1.0, at_least: vec![0.0; BINS] }
    }
}

impl Arrivals {
    /// Counts the score of an ordinary flow in part; 0 to 1.
    pub(crate) fn count(&mut self, score: f32, share: f32) {
        self.bins[bin(score)] += self.weight * share;
        self.weight *= 1.0 + share / MEMORY;
        if self.weight > WEIGHT_MAX {
            let scale = 1.0 / self.weight;
            self.bins.iter_mut().for_each(|bin| *bin *= scale);
            self.weight = 1.0;
        }
    }

    /// Takes back a score that was counted in part and turned out to be none of an ordinary flow.
    pub(crate) fn discount(&mut self, score: f32, share: f32) {
        let bin = &mut self.bins[bin(score)];
        *bin = (*bin - self.weight * share).max(0.0);
    }

    /// Makes all that was counted visible to [`Arrivals::p_value`]; to be called once a step.
    pub(crate) fn settle(&mut self) {
        let scale = 1.0 / self.weight;
        let mut sum = 0.0;
        for (at_least, bin) in self.at_least.iter_mut().zip(&self.bins).rev() {
            sum += bin * scale;
            *at_least = sum;
        }
    }

    /// The share of arrivals at least as strange as `score`, above 0 and at most 1; `None` while they are too few.
    pub(crate) fn p_value(&self, score: f32) -> Option<f32> {
        let all = self.at_least[0];
        (all >= ENOUGH).then(|| (self.at_least[bin(score)] + 1.0) / (all + 1.0))
    }
}

fn bin(score: f32) -> usize {
    ((score / BIN) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Even scores in [0, 1).
    fn counted(scores: u32) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for k in 0..scores {
            arrivals.count((k * 37 % 100) as f32 / 100.0, 1.0);
        }
        arrivals.settle();
        arrivals
    }

    #[test]
    fn too_few_arrivals_say_nothing() {
        assert_eq!(counted(100).p_value(0.5), None);
        assert!(counted(200).p_value(0.5).is_some());
    }

    #[test]
    fn a_p_value_is_the_share_of_arrivals_at_least_as_strange() {
        let arrivals = counted(2_000);
        for (score, expected) in [(0.0, 1.0), (0.5, 0.5), (0.9, 0.1), (5.0, 0.0)] {
            let p = arrivals.p_value(score).expect("enough");
            assert!((p - expected).abs() < 0.01 && p > 0.0, "{score}: {p}");
        }
    }

    #[test]
    fn old_arrivals_fade_and_weights_stay_finite() {
        let mut arrivals = counted(2_000);
        for _ in 0..100_000 {
            arrivals.count(3.0, 1.0);
        }
        arrivals.settle();
        assert!(arrivals.p_value(2.5).is_some_and(|p| p > 0.999), "{:?}", arrivals.p_value(2.5));
        assert!(arrivals.at_least[0] < 1.01 * MEMORY, "{}", arrivals.at_least[0]);
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let mut arrivals = counted(2_000);
        let before = arrivals.p_value(4.0).expect("enough");
        (0..10).for_each(|_| arrivals.count(4.0, 0.5));
        (0..10).for_each(|_| arrivals.discount(4.0, 0.5));
        arrivals.settle();
        let after = arrivals.p_value(4.0).expect("enough");
        assert!((after - before).abs() < 1e-4, "{before} {after}");
    }
}
