//! Distances: every path gives the same bits.

use dais_protocol::{Matcher, Pattern, Rows, widest_radius};
use proptest::prelude::*;
use rand_philox::{Philox, u32_to_unit_f32};

use crate::MILLI;

/// Rows of the given shape: uniform values, and codes of which `common` of 1000 are 1.
fn columns(seed: u64, stride: usize, numeric: usize, categorical: usize, common: u32) -> (Vec<f32>, Vec<u16>) {
    let mut random = Philox::from_u64_seed_stream(seed, 1);
    let values = (0..stride * numeric).map(|_| u32_to_unit_f32(random.next_u32())).collect();
    let codes = (0..stride * categorical).map(|_| if random.bounded(1000) < common { 1 } else { 64 }).collect();
    (values, codes)
}

fn row(values: &[f32], codes: &[u16], stride: usize, i: usize) -> (Vec<f32>, Vec<u16>) {
    let numeric = values.iter().skip(i).step_by(stride).copied().collect();
    (numeric, codes.iter().skip(i).step_by(stride).copied().collect())
}

proptest! {
    /// Sparse blocks are computed by row, dense ones by column; the single-flow method is a third way.
    #[test]
    fn many_rows_and_one_row_give_the_same_bits(
        seed in any::<u64>(),
        rows in 0..700_usize,
        spare in 0..40_usize,
        numeric in 1..23_usize,
        categorical in 0..3_usize,
        common in prop::sample::select(vec![0_u32, 5, 40, 200, 800, 1000]),
        wide in any::<bool>(),
    ) {
        let stride = rows + spare;
        let (values, codes) = columns(seed, stride, numeric, categorical, common);
        let pattern = Pattern {
            centre: (0..numeric).map(|k| 0.03 * k as f32).collect(),
            spread: (0..numeric).map(|k| 0.04 + 0.01 * k as f32).collect(),
            categories: vec![if wide { vec![1, 3, 500] } else { vec![1] }; categorical],
        };
        let matcher = Matcher::new(&pattern);
        let mut out = vec![f32::NAN; 3];
        matcher.distances(Rows { rows, stride, numeric: &values, codes: &codes }, &mut out);
        prop_assert_eq!(out.len(), rows);
        for (i, distance) in out.iter().enumerate() {
            let (numeric, codes) = row(&values, &codes, stride, i);
            prop_assert_eq!(distance.to_bits(), matcher.distance(&numeric, &codes).to_bits());
            prop_assert_eq!(distance.is_finite(), codes.iter().all(|&code| code == 1));
        }
    }

    #[test]
    fn the_widest_radius_lets_in_at_most_the_allowed_share(
        distances in prop::collection::vec(prop_oneof![9 => MILLI..20.0_f32, 1 => Just(f32::INFINITY)], 0..600),
        eps in 0.0..0.2_f32,
    ) {
        let radius = widest_radius(&distances, eps);
        prop_assert!(radius > 0.0 && radius <= 4.0);
        let inside = distances.iter().filter(|&&distance| distance <= radius).count();
        prop_assert!(inside as f64 <= f64::from(eps) * distances.len() as f64);
        let mut fewer = distances.clone();
        fewer.reverse();
        prop_assert_eq!(widest_radius(&fewer, eps).to_bits(), radius.to_bits());
    }
}

#[test]
fn a_matcher_survives_serialisation_with_its_bits() {
    let pattern = Pattern { centre: vec![0.1, 0.7], spread: vec![0.07, 0.3], categories: vec![vec![2], vec![0, 900]] };
    let matcher = Matcher::new(&pattern);
    let bytes = postcard::to_allocvec(&matcher).unwrap();
    let restored: Matcher = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(restored, matcher);
    let (a, b) = (matcher.distance(&[0.3, 0.3], &[2, 900]), restored.distance(&[0.3, 0.3], &[2, 900]));
    assert_eq!(a.to_bits(), b.to_bits());
}
