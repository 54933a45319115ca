//! Centred clipping.

use super::{Points, distance_to, median};

/// Steps of the iteration.
const STEPS: usize = 5;

/// v ← v + Σ w (x - v) min(1, τ / ‖x - v‖) / Σ w, five times (Karimireddy, He, Jaggi: *Learning from History for
/// Byzantine Robust Optimization*, ICML 2021). The paper begins at the last result and sets τ by hand; here there is no
/// last result, so v begins at the coordinate-wise median and τ is the median distance from there. Liars with a share δ
/// of the weight move the result by at most 5 δ τ. Breakdown point 1/2, that of v and τ.
pub(super) fn clip(points: &Points<'_>) -> Vec<f64> {
    let mut centre = points.by_coordinate(median::weighted);
    let distance = |sample: &super::Sample<'_>| (distance_to(sample.point, &centre) as f32, sample.weight);
    let mut distances: Vec<(f32, f64)> = points.samples.iter().map(distance).collect();
    let radius = median::weighted(&mut distances);
    for _ in 0..STEPS {
        let mut step = vec![0.0; points.dimensions];
        for sample in &points.samples {
            let distance = distance_to(sample.point, &centre);
            let kept = if distance > radius { radius / distance } else { 1.0 };
            for ((sum, value), middle) in step.iter_mut().zip(sample.point).zip(&centre) {
                *sum += sample.weight * kept * (f64::from(*value) - middle);
            }
        }
        for (value, step) in centre.iter_mut().zip(step) {
            *value += step / points.total_weight;
        }
    }
    centre
}
