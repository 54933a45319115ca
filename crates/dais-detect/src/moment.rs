//! Means, deviations and sums in a fixed order, and values measured by them.

/// Added to every standard deviation, so that a feature that hardly varies does not rule the distance.
pub(crate) const SPREAD_FLOOR: f64 = 0.05;
/// Standardised values are cut to this size: the squares of all features together stay finite.
pub(crate) const STANDARDISED_MAX: f32 = 1.0e9;

/// A value in deviations from the centre; `scale` is one over the deviation.
pub(crate) fn standardise(value: f32, centre: f32, scale: f32) -> f32 {
    let z = (value - centre) * scale;
    // Written so that NaN takes the upper bound.
    let z = if z < STANDARDISED_MAX { z } else { STANDARDISED_MAX };
    if z > -STANDARDISED_MAX { z } else { -STANDARDISED_MAX }
}

/// Mean and population standard deviation, summed in eight lanes: a fixed order that still uses vectors.
pub(crate) fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = mean_of(values);
    let variance = sum_of(values, |value| {
        let difference = f64::from(value) - mean;
        difference * difference
    }) / count;
    (mean, variance.sqrt())
}

/// The mean, summed in the same fixed order.
pub(crate) fn mean_of(values: &[f32]) -> f64 {
    sum_of(values, f64::from) / values.len() as f64
}

/// The sum of `term` in eight lanes: a fixed order that still uses vectors.
pub(crate) fn sum_of(values: &[f32], term: impl Fn(f32) -> f64) -> f64 {
    let mut lanes = [0.0f64; 8];
    let chunks = values.chunks_exact(8);
    let tail = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(tail) {
        *lane += term(value);
    }
    lanes.iter().sum()
}

/// The sum of products in eight lanes: a fixed order that still uses vectors.
pub(crate) fn product_of(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += f64::from(a) * f64::from(b);
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += f64::from(a) * f64::from(b);
    }
    lanes.iter().sum()
}
