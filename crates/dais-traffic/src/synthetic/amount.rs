//! Heavy-tailed amounts: bytes and seconds.

use super::random::{NORMAL_BITS, Stream, normal, unit};

/// A log-normal body with a Pareto tail, as sizes and durations on networks have (Paxson and Floyd 1995;
/// Crovella and Bestavros 1997).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Amount {
    /// Median of the body.
    pub(crate) median: f32,
    /// Standard deviation of the logarithm of the body.
    pub(crate) sigma: f32,
    /// Share of draws from the tail, which begins where two sigmas of the body end.
    pub(crate) tail: f32,
}

/// Exponent of the tail: its mean is finite, its variance is not.
const TAIL_ALPHA: f32 = 1.2;

/// No amount is beyond this: 16 GiB, or some centuries.
const AMOUNT_MAX: f32 = 1.7e10;

impl Amount {
    pub(crate) const fn new(median: f32, sigma: f32) -> Self {
        Self { median, sigma, tail: 0.01 }
    }

    /// The same every time but for a little noise, as tools without disguise have it.
    pub(crate) const fn fixed(median: f32) -> Self {
        Self { median, sigma: 0.05, tail: 0.0 }
    }

    /// One draw from one word: its upper bits choose the place in the body, the others whether it is in the tail.
    #[inline]
    pub(crate) fn draw(self, stream: &mut Stream) -> f32 {
        let word = stream.word();
        let luck = unit(word << NORMAL_BITS);
        let exponent = if luck < self.tail {
            2.0 * self.sigma - libm::logf(luck / self.tail) / TAIL_ALPHA
        } else {
            self.sigma * normal(word)
        };
        (self.median * libm::expf(exponent)).min(AMOUNT_MAX)
    }

    /// The amount that shares this one's shape, `factor` times as large.
    pub(crate) fn times(self, factor: f32) -> Self {
        Self { median: self.median * factor, ..self }
    }

    /// An amount between this one (0) and the other (1), in logarithms.
    pub(crate) fn towards(self, other: Self, share: f32) -> Self {
        let ratio = other.median / self.median;
        Self {
            median: self.median * libm::powf(ratio, share),
            sigma: self.sigma + share * (other.sigma - self.sigma),
            tail: self.tail + share * (other.tail - self.tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{Purpose, Seed};
    use super::*;

    fn draws(amount: Amount) -> Vec<f32> {
        let mut stream = Seed::new(5).stream(Purpose::Benign, 0, 0);
        let mut draws: Vec<f32> = (0..40_000).map(|_| amount.draw(&mut stream)).collect();
        draws.sort_unstable_by(f32::total_cmp);
        draws
    }

    #[test]
    fn half_the_draws_are_below_the_median() {
        let below = draws(Amount::new(900.0, 1.2)).partition_point(|x| *x < 900.0);
        assert!((19_400..20_600).contains(&below), "{below}");
    }

    #[test]
    fn the_largest_hundredth_carries_much_of_the_total() {
        let draws = draws(Amount::new(900.0, 1.2));
        let sum = |part: &[f32]| part.iter().map(|x| f64::from(*x)).sum::<f64>();
        let share = sum(&draws[39_600..]) / sum(&draws);
        assert!(share > 0.2, "share of the top hundredth {share}");
    }

    #[test]
    fn a_fixed_amount_hardly_varies() {
        let draws = draws(Amount::fixed(100.0));
        assert!(draws[0] > 80.0 && draws[39_999] < 125.0);
    }

    #[test]
    fn half_way_between_two_amounts_is_their_geometric_mean() {
        let middle = Amount::fixed(100.0).towards(Amount::new(10_000.0, 1.0), 0.5);
        assert!((middle.median - 1_000.0).abs() < 1.0);
    }
}
