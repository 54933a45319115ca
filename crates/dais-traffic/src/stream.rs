//! Random streams keyed by what they are for, and draws that give the same bits on every machine.

use rand::RngExt;
use rand_philox::{Philox, splitmix64};

/// What random numbers are drawn for; each purpose has streams of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Mix = 1,
    Baseline = 2,
    Step = 3,
    Campaign = 4,
    Partition = 5,
}

/// The stream of one purpose, agent and step under a seed.
pub(crate) fn stream(seed: u64, purpose: Purpose, agent: u32, step: u32) -> Philox {
    let key = seed ^ splitmix64(purpose as u64);
    Philox::from_u64_seed_stream(key, u64::from(agent) << 32 | u64::from(step))
}

/// A standard normal draw by the polar method (Marsaglia, Bray 1964).
fn normal(random: &mut Philox) -> f64 {
    loop {
        let (x, y) = (2.0 * random.random::<f64>() - 1.0, 2.0 * random.random::<f64>() - 1.0);
        let s = x * x + y * y;
        if s > 0.0 && s < 1.0 {
            return x * (-2.0 * libm::log(s) / s).sqrt();
        }
    }
}

/// A Gamma draw of shape at least 1 (Marsaglia, Tsang 2000).
fn gamma(random: &mut Philox, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let cube = 1.0 + c * x;
        if cube <= 0.0 {
            continue;
        }
        let v = cube * cube * cube;
        let u = positive(random);
        if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A uniform draw in (0, 1].
fn positive(random: &mut Philox) -> f64 {
    1.0 - random.random::<f64>()
}

/// A Dirichlet draw: shares that sum to 1. Weights are positive.
///
/// Gamma draws are kept as logarithms, so that small weights cannot make all shares vanish.
pub(crate) fn dirichlet(random: &mut Philox, weights: &[f64]) -> Vec<f64> {
    let mut draw = |weight: &f64| libm::log(gamma(random, weight + 1.0)) + libm::log(positive(random)) / weight;
    let logs: Vec<f64> = weights.iter().map(&mut draw).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = logs.iter().map(|log| libm::exp(log - most)).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// Sums of weights from the first to each, for [`pick`].
pub(crate) fn cumulated(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let add = |sum: &mut f64, weight: f64| {
        *sum += weight;
        Some(*sum)
    };
    weights.scan(0.0, add).collect()
}

/// A place drawn in proportion to the weights behind the sums, of which the last is positive.
pub(crate) fn pick(random: &mut Philox, sums: &[f64]) -> usize {
    let whole = sums.last().copied().unwrap_or(0.0);
    let at = random.random::<f64>() * whole;
    let place = sums.partition_point(|sum| *sum <= at);
    // Rounding may reach the whole: then the last place with weight.
    if place < sums.len() { place } else { sums.partition_point(|sum| *sum < whole) }
}

/// The numbers below `count` in random order (Fisher, Yates).
pub(crate) fn permutation(random: &mut Philox, count: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    shuffle(random, &mut order);
    order
}

/// Puts values in random order (Fisher, Yates).
pub(crate) fn shuffle<T>(random: &mut Philox, values: &mut [T]) {
    for last in (1..values.len()).rev() {
        values.swap(last, random.random_range(0..=last as u64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_purpose_agent_and_step() {
        let first = |purpose, agent, step| stream(7, purpose, agent, step).random::<u64>();
        let draws = [
            first(Purpose::Mix, 0, 0),
            first(Purpose::Step, 0, 0),
            first(Purpose::Step, 1, 0),
            first(Purpose::Step, 0, 1),
        ];
        let mut distinct = draws.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), draws.len());
        assert_eq!(first(Purpose::Step, 1, 0), draws[2]);
    }

    #[test]
    fn gamma_draws_have_mean_and_variance_of_their_shape() {
        let mut random = stream(1, Purpose::Mix, 0, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| gamma(&mut random, 3.0)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!((mean - 3.0).abs() < 0.05 && (variance - 3.0).abs() < 0.2, "{mean} {variance}");
    }

    #[test]
    fn dirichlet_shares_have_their_expected_means_also_for_tiny_weights() {
        let mut random = stream(1, Purpose::Mix, 0, 0);
        let weights = [0.001, 0.002, 0.003];
        let mut means = [0.0; 3];
        for _ in 0..6_000 {
            let shares = dirichlet(&mut random, &weights);
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            means.iter_mut().zip(shares).for_each(|(mean, share)| *mean += share / 6_000.0);
        }
        for (mean, weight) in means.iter().zip(weights) {
            assert!((mean - weight / 0.006).abs() < 0.03, "{means:?}");
        }
    }

    #[test]
    fn picks_follow_the_weights_and_never_take_none() {
        let mut random = stream(1, Purpose::Mix, 0, 0);
        let sums = cumulated([0.0, 1.0, 0.0, 3.0, 0.0].into_iter());
        let mut counts = [0_u32; 5];
        (0..4_000).for_each(|_| counts[pick(&mut random, &sums)] += 1);
        assert_eq!((counts[0], counts[2], counts[4]), (0, 0, 0));
        assert!((900..1_100).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = permutation(&mut stream(1, Purpose::Mix, 0, 0), 50);
        assert_ne!(order, (0..50).collect::<Vec<u32>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<u32>>());
    }
}
