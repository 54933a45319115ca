//! Nearest-neighbour mixing.

use super::{Points, squared_distance, trimmed};

/// Every point is replaced by the mean of its n - f nearest neighbours, itself among them; then both ends are trimmed by
/// f / n (Allouah et al.: *Fixing by Mixing*, AISTATS 2023, with the trimmed mean as its second stage). Breakdown point
/// f / n, below 1/2.
pub(super) fn mix(points: &Points<'_>, liars_share: f64) -> Vec<f64> {
    let count = points.samples.len();
    let liars = points.liars(liars_share, (count - 1) / 2);
    let mixed: Vec<Vec<f32>> = (0..count).map(|i| neighbours_mean(points, i, count - liars)).collect();
    let trim = liars as f64 / count as f64;
    (0..points.dimensions)
        .map(|k| {
            let mut pairs: Vec<(f32, f64)> =
                mixed.iter().zip(&points.samples).map(|(point, sample)| (point[k], sample.weight)).collect();
            trimmed::mean(&mut pairs, trim)
        })
        .collect()
}

fn neighbours_mean(points: &Points<'_>, of: usize, neighbours: usize) -> Vec<f32> {
    let centre = points.samples[of].point;
    let mut nearest: Vec<(f64, usize)> =
        points.samples.iter().enumerate().map(|(i, other)| (squared_distance(centre, other.point), i)).collect();
    nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    nearest.truncate(neighbours);
    let mean = |k: usize| nearest.iter().map(|&(_, i)| f64::from(points.samples[i].point[k])).sum::<f64>();
    (0..points.dimensions).map(|k| (mean(k) / neighbours as f64) as f32).collect()
}
