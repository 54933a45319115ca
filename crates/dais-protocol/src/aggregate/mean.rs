//! The weighted mean.

use super::Points;

/// Σ w x / Σ w, coordinate by coordinate. Breakdown point 0: it is here to be compared with.
pub(super) fn weighted(points: &Points<'_>) -> Vec<f64> {
    let mut sums = vec![0.0; points.dimensions];
    for sample in &points.samples {
        for (sum, value) in sums.iter_mut().zip(sample.point) {
            *sum += sample.weight * f64::from(*value);
        }
    }
    sums.into_iter().map(|sum| sum / points.total_weight).collect()
}
