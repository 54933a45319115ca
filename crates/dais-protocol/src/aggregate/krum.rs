//! Krum and Multi-Krum.

use super::{Points, mean, median, squared_distance};

/// Which points are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The best alone: Krum.
    Best,
    /// The n - f best: Multi-Krum.
    AllButLiars,
}

/// Every point's score is the sum of its squared distances to its n - f - 2 nearest neighbours; the mean of the points
/// with the smallest scores is taken (Blanchard et al.: *Machine Learning with Adversaries*, NIPS 2017). Breakdown
/// point f / n for n ≥ 2f + 3; f is lowered to what n allows. With fewer than three points it is the median.
pub(super) fn select(points: &Points<'_>, liars_share: f64, chosen: Chosen) -> Vec<f64> {
    let count = points.samples.len();
    let Some(limit) = count.checked_sub(3) else { return points.by_coordinate(median::weighted) };
    let liars = points.liars(liars_share, limit / 2);
    let mut scores: Vec<(f64, usize)> = (0..count).map(|i| (score(points, i, count - liars - 2), i)).collect();
    scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    scores.truncate(match chosen {
        Chosen::Best => 1,
        Chosen::AllButLiars => count - liars,
    });
    // In the order of the points, so that the sum does not depend on the scores.
    let mut places: Vec<usize> = scores.into_iter().map(|(_, place)| place).collect();
    places.sort_unstable();
    let samples: Vec<_> = places.into_iter().map(|place| points.samples[place]).collect();
    let total_weight = samples.iter().map(|sample| sample.weight).sum();
    mean::weighted(&Points { samples, dimensions: points.dimensions, total_weight })
}

fn score(points: &Points<'_>, of: usize, neighbours: usize) -> f64 {
    let centre = points.samples[of].point;
    let others = points.samples.iter().enumerate().filter(|&(place, _)| place != of);
    let mut distances: Vec<f64> = others.map(|(_, other)| squared_distance(centre, other.point)).collect();
    distances.sort_unstable_by(f64::total_cmp);
    distances.iter().take(neighbours).sum()
}
