//! Where a cut lies.

/// A threshold above `low` and at most `high`, so that both sides of the cut hold a row.
pub(crate) fn threshold_between(low: f32, high: f32, fraction: u32) -> f32 {
    let share = fraction as f32 * (1.0 / 4_294_967_296.0);
    let threshold = low * (1.0 - share) + high * share;
    // Adding 0 makes one zero of the two that compare alike.
    if threshold > low && threshold <= high { threshold + 0.0 } else { high + 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_leaves_a_row_on_both_sides_even_between_neighbouring_numbers() {
        let pairs = [(1.0, 1.0f32.next_up()), (f32::MIN, f32::MAX), (-0.0f32, f32::from_bits(1)), (-3.0, 5.0)];
        for (low, high) in pairs {
            for fraction in [0, 1, 1 << 31, u32::MAX - 1, u32::MAX] {
                let threshold = threshold_between(low, high, fraction);
                assert!(low < threshold && threshold <= high, "{low} {threshold} {high}");
            }
        }
    }
}
