//! How far a signature may reach before it touches an agent's own traffic.

use crate::RADIUS_MAX;

/// Share of the distance to the nearest own flow that is kept as a safety margin is one minus this.
const SAFETY: f32 = 0.9;
/// Up to so many smallest distances are kept on the stack.
const SMALLEST_MAX: usize = 16;

/// The largest radius, at most [`RADIUS_MAX`], within which at most the share `eps` of an agent's own baseline lies,
/// given the distances of the whole baseline: 0.9 × the (⌊`eps` × n⌋ + 1)-th smallest distance.
///
/// [`RADIUS_MAX`] when the baseline has no such distance (it is empty, or the other flows differ in a category). Cost:
/// one pass; nothing is allocated while ⌊`eps` × n⌋ < 16.
///
/// ```
/// let own = [2.0, 0.5, 3.0, f32::INFINITY];
/// assert_eq!(dais_protocol::widest_radius(&own, 0.003), 0.45);
/// assert_eq!(dais_protocol::widest_radius(&own, 0.25), 1.8);
/// ```
pub fn widest_radius(baseline_distances: &[f32], eps: f32) -> f32 {
    let allowed = (f64::from(eps.clamp(0.0, 1.0)) * baseline_distances.len() as f64) as usize;
    if allowed >= baseline_distances.len() {
        return RADIUS_MAX;
    }
    let nearest = if allowed < SMALLEST_MAX {
        nth_smallest(baseline_distances, allowed)
    } else {
        let mut sorted = baseline_distances.to_vec();
        *sorted.select_nth_unstable_by(allowed, f32::total_cmp).1
    };
    (SAFETY * nearest).min(RADIUS_MAX)
}

/// The value that has `n` values before it in ascending order; `n` is below [`SMALLEST_MAX`] and the number of values.
fn nth_smallest(values: &[f32], n: usize) -> f32 {
    let mut smallest = [f32::INFINITY; SMALLEST_MAX];
    for &value in values {
        if value < smallest[n] {
            let mut place = n;
            while place > 0 && smallest[place - 1] > value {
                smallest[place] = smallest[place - 1];
                place -= 1;
            }
            smallest[place] = value;
        }
    }
    smallest[n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_the_allowed_share_lies_within_the_radius() {
        let distances: Vec<f32> = (1..=512_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1.0e7).collect();
        for eps in [0.0, 0.003, 0.01, 0.05, 0.5] {
            let radius = widest_radius(&distances, eps);
            let inside = distances.iter().filter(|&&d| d <= radius).count();
            assert!(inside as f32 <= eps * 512.0, "{inside} rows within {radius} at {eps}");
            assert!(radius > 0.0 && radius <= RADIUS_MAX);
        }
    }

    #[test]
    fn both_ways_to_find_the_nth_smallest_agree() {
        let distances: Vec<f32> = (0..100_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as f32).collect();
        let mut sorted = distances.clone();
        sorted.sort_by(f32::total_cmp);
        for (n, expected) in sorted.into_iter().enumerate().take(SMALLEST_MAX) {
            assert!((nth_smallest(&distances, n) - expected).abs() < f32::EPSILON);
        }
    }

    #[test]
    fn nothing_near_gives_the_largest_radius() {
        assert!((widest_radius(&[], 0.003) - RADIUS_MAX).abs() < f32::EPSILON);
        assert!((widest_radius(&[f32::INFINITY; 8], 0.003) - RADIUS_MAX).abs() < f32::EPSILON);
        assert!((widest_radius(&[100.0; 8], 0.003) - RADIUS_MAX).abs() < f32::EPSILON);
    }
}
