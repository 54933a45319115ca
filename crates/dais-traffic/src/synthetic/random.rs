//! Random streams keyed by seed, purpose and place, and fast draws from them.

use std::sync::LazyLock;

use rand_philox::{Philox, philox4x32_10, splitmix64, u32_to_unit_f32};

/// What a draw is for; no two purposes share a word.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Purpose {
    /// What a site is: profile, clients, habits.
    Site = 1,
    /// Benign traffic of a site in a step.
    Benign,
    /// Periodic jobs of a site.
    Job,
    /// Benign services that appear during the run.
    Novelty,
    /// Drawing campaigns that are not listed.
    Mix,
    /// What a campaign is: tools, targets, sizes.
    Campaign,
    /// Attack flows of a site in a step.
    Attack,
    /// Infections along the edges of the site graph.
    Spread,
    /// Attack flows from one site to its neighbour.
    Edge,
    /// The site graph.
    Graph,
}

/// A seed and what can be drawn from it without state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn new(seed: u64) -> Self {
        Self(splitmix64(seed ^ 0x7261_6666_6963_6461))
    }

    /// Four words that belong to this purpose and place alone.
    pub(crate) fn words(self, purpose: Purpose, a: u32, b: u32, index: u32) -> [u32; 4] {
        philox4x32_10([index, purpose as u32, a, b], self.key())
    }

    /// A seed of its own for one thing.
    pub(crate) fn derive(self, purpose: Purpose, a: u32, b: u32) -> Self {
        let [low, high, ..] = self.words(purpose, a, b, u32::MAX);
        Self(u64::from(high) << 32 | u64::from(low))
    }

    /// A stream of words for one purpose, site (or campaign) and step, beginning where [`Self::words`] has index 0.
    pub(crate) fn stream(self, purpose: Purpose, a: u32, step: i64) -> Stream {
        let place = u128::from(step as u32) << 96 | u128::from(a) << 64 | u128::from(purpose as u32) << 32;
        Stream { philox: Philox::new(self.key(), place), words: [0; BLOCK], next: BLOCK }
    }

    /// A well-mixed number for `id`: names things (addresses), draws nothing.
    pub(crate) fn name(self, id: u64) -> u64 {
        splitmix64(self.0 ^ splitmix64(id.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    fn key(self) -> [u32; 2] {
        [self.0 as u32, (self.0 >> 32) as u32]
    }
}

const BLOCK: usize = 128;

/// Words of one stream, made in blocks, and the draws that traffic needs.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    philox: Philox,
    words: [u32; BLOCK],
    next: usize,
}

impl Stream {
    #[inline]
    pub(crate) fn word(&mut self) -> u32 {
        if self.next >= BLOCK {
            self.philox.fill_u32(&mut self.words);
            self.next = 0;
        }
        let word = self.words[self.next];
        self.next += 1;
        word
    }

    /// Uniform in (0, 1).
    #[inline]
    pub(crate) fn unit(&mut self) -> f32 {
        u32_to_unit_f32(self.word())
    }

    /// Uniform in `low..high`.
    #[inline]
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform below `count`, which is at least 1.
    #[inline]
    pub(crate) fn below(&mut self, count: u32) -> u32 {
        below(self.word(), count)
    }

    /// True with this probability.
    #[inline]
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Exponential with this mean.
    #[inline]
    pub(crate) fn exponential(&mut self, mean: f32) -> f32 {
        -mean * libm::logf(self.unit())
    }

    /// Standard normal.
    #[inline]
    pub(crate) fn normal(&mut self) -> f32 {
        normal(self.word())
    }

    /// A rank below `count` with probability about proportional to `1 / (rank + 1)`, as Zipf found for words.
    #[inline]
    pub(crate) fn rank(&mut self, count: u32) -> u32 {
        let ranks = libm::expf(self.unit() * libm::logf(count as f32 + 1.0)) - 1.0;
        (ranks as u32).min(count - 1)
    }

    /// One of the items, all alike.
    #[inline]
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// `mean` rounded up or down at random, so that the mean is kept.
    pub(crate) fn round(&mut self, mean: f32) -> u32 {
        (mean + self.unit()) as u32
    }

    /// Poisson with this mean, by inversion in parts of mean 16 at most.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        const PART: f64 = 16.0;
        let parts = (mean / PART).ceil().max(1.0);
        let empty = libm::exp(-mean / parts);
        (0..parts as u32).map(|_| self.poisson_part(mean / parts, empty)).sum()
    }

    fn poisson_part(&mut self, mean: f64, empty: f64) -> u32 {
        const FAR: u32 = 120;
        let unit = (f64::from(self.word()) + 0.5) / 4_294_967_296.0;
        let (mut count, mut share, mut total) = (0, empty, empty);
        while unit > total && count < FAR {
            count += 1;
            share *= mean / f64::from(count);
            total += share;
        }
        count
    }
}

/// A word scaled to below `count`.
pub(crate) fn below(word: u32, count: u32) -> u32 {
    ((u64::from(word) * u64::from(count)) >> 32) as u32
}

/// A word as a uniform number in (0, 1).
pub(crate) fn unit(word: u32) -> f32 {
    u32_to_unit_f32(word)
}

/// Upper bits of a word that [`normal`] looks at.
pub(crate) const NORMAL_BITS: u32 = 11;

const QUANTILES: usize = 1 << NORMAL_BITS;

/// Standard normal quantiles at the middles of 2,048 equal shares.
static NORMAL: LazyLock<[f32; QUANTILES]> =
    LazyLock::new(|| std::array::from_fn(|k| normal_quantile((k as f64 + 0.5) / QUANTILES as f64) as f32));

/// A word as a standard normal number: its upper 11 bits choose the quantile.
#[inline]
pub(crate) fn normal(word: u32) -> f32 {
    NORMAL[(word >> (u32::BITS - NORMAL_BITS)) as usize]
}

/// The normal quantile by Newton's method on the distribution function.
fn normal_quantile(share: f64) -> f64 {
    let density_at_zero = 1.0 / libm::sqrt(std::f64::consts::TAU);
    let mut z = 0.0;
    for _ in 0..60 {
        let excess = 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2) - share;
        let density = density_at_zero * libm::exp(-0.5 * z * z);
        z -= (excess / density).clamp(-0.5, 0.5);
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Seed::new(1).stream(Purpose::Benign, 2, 3)
    }

    fn mean(draws: u32, mut draw: impl FnMut() -> f64) -> f64 {
        (0..draws).map(|_| draw()).sum::<f64>() / f64::from(draws)
    }

    #[test]
    fn a_stream_begins_with_the_words_of_its_place() {
        let expected = Seed::new(1).words(Purpose::Benign, 2, 3, 0);
        let mut stream = stream();
        assert_eq!([(); 4].map(|()| stream.word()), expected);
    }

    #[test]
    fn streams_differ_by_seed_purpose_site_and_step() {
        let mut first: Vec<u32> = vec![
            stream().word(),
            Seed::new(2).stream(Purpose::Benign, 2, 3).word(),
            Seed::new(1).stream(Purpose::Attack, 2, 3).word(),
            Seed::new(1).stream(Purpose::Benign, 1, 3).word(),
            Seed::new(1).stream(Purpose::Benign, 2, -3).word(),
        ];
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 5);
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut stream = stream();
        let draws: Vec<f64> = (0..100_000).map(|_| f64::from(stream.normal())).collect();
        let (sum, squares) = draws.iter().fold((0.0, 0.0), |(sum, squares), z| (sum + z, squares + z * z));
        assert!((sum / 1e5).abs() < 0.01 && (squares / 1e5 - 1.0).abs() < 0.02, "{sum} {squares}");
        assert!((normal_quantile(0.975) - 1.959_963_985).abs() < 1e-8);
    }

    #[test]
    fn poisson_draws_have_the_asked_mean_and_variance() {
        for asked in [0.3, 7.0, 300.0] {
            let mut stream = stream();
            let draws: Vec<f64> = (0..20_000).map(|_| f64::from(stream.poisson(asked))).collect();
            let mean = draws.iter().sum::<f64>() / 2e4;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 2e4;
            assert!((mean / asked - 1.0).abs() < 0.03 && (variance / asked - 1.0).abs() < 0.06, "{mean} {variance}");
        }
    }

    #[test]
    fn low_ranks_are_drawn_more_often() {
        let mut stream = stream();
        let mut counts = [0_u32; 100];
        (0..50_000).for_each(|_| counts[stream.rank(100) as usize] += 1);
        assert!(counts[0] > 5 * counts[9] && counts[9] > 5 * counts[99] && counts[99] > 0, "{counts:?}");
    }

    #[test]
    fn rounding_at_random_keeps_the_mean() {
        let mut stream = stream();
        assert!((mean(50_000, || f64::from(stream.round(2.3))) - 2.3).abs() < 0.02);
    }
}
