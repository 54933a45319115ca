//! Every level gives the results of the portable code, bit by bit.

use rand_philox::{Philox, u32_to_unit_f32};

use super::dispatch::{Level, add_path, kth_smallest, level, part, read, squared_distances};
use super::portable;
use super::tile::{LANES, Tree};

/// The levels this processor has, above the portable one.
fn levels() -> Vec<Level> {
    match level() {
        Level::Portable => Vec::new(),
        Level::Avx2 => vec![Level::Avx2],
        Level::Avx512 => vec![Level::Avx2, Level::Avx512],
    }
}

fn value(words: &mut Philox) -> f32 {
    match words.bounded(40) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => -0.0,
        // Few distinct values, so that many equal a threshold.
        4..12 => words.bounded(5) as f32,
        _ => 5.0 * u32_to_unit_f32(words.next_u32()),
    }
}

#[test]
fn every_level_walks_any_tree_to_the_leaves_of_the_portable_code() {
    let mut words = Philox::from_u64_seed(3);
    for level in levels() {
        for features in [1, 2, 3, 4, 5, 20, 256] {
            for depth in 0..=8u8 {
                let nodes = 1 << depth;
                let codes: Vec<u8> = (0..nodes).map(|_| words.bounded(features as u32) as u8).collect();
                let thresholds: Vec<f32> = (0..nodes).map(|_| value(&mut words)).collect();
                let leaves: Vec<u16> = (0..nodes).map(|_| words.next_u32() as u16).collect();
                let tiles: Vec<f32> = (0..5 * LANES * features).map(|_| value(&mut words)).collect();
                let tree = Tree { depth, codes: &codes, thresholds: &thresholds, leaves: &leaves };
                let (mut expected, mut paths) = (vec![7; 5 * LANES], vec![7; 5 * LANES]);
                portable::add_path(tree, &tiles, features, &mut expected);
                add_path(level, tree, &tiles, features, &mut paths);
                assert_eq!(expected, paths, "{level:?}, {features} features, depth {depth}");
            }
        }
    }
}

#[test]
fn every_level_parts_rows_into_the_sets_of_the_portable_code() {
    let mut words = Philox::from_u64_seed(6);
    for level in levels() {
        for count in (1..40).chain([256]) {
            let column: Vec<f32> = (0..500).map(|_| words.bounded(50) as f32).collect();
            let rows: Vec<u32> = (0..count).map(|_| words.bounded(500)).collect();
            let cut = |level: Level| {
                let (mut values, mut target) = (vec![0.0; rows.len()], vec![0; rows.len()]);
                let bounds = read(level, &column, &rows, &mut values);
                let middle = part(level, &rows, &values, 20.0, &mut target);
                target[..middle].sort_unstable();
                target[middle..].sort_unstable();
                (bounds.0.to_bits(), bounds.1.to_bits(), middle, target)
            };
            assert_eq!(cut(Level::Portable), cut(level), "{level:?}, {count} rows");
        }
    }
}

#[test]
fn every_level_finds_the_kth_smallest_of_the_portable_code() {
    let mut words = Philox::from_u64_seed(5);
    for level in levels() {
        for (count, k) in [(16, 1), (16, 16), (32, 17), (64, 64), (512, 5)] {
            let values: Vec<f32> = (0..count).map(|_| words.bounded(300) as f32).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            for level in [Level::Portable, level] {
                let found = kth_smallest(level, &values, k, &mut Vec::new());
                assert_eq!(found.to_bits(), sorted[k - 1].to_bits(), "{level:?}, {k} of {count}");
            }
        }
    }
}

#[test]
fn every_level_measures_the_distances_of_the_portable_code_bit_by_bit() {
    let mut words = Philox::from_u64_seed(4);
    for level in levels() {
        for features in [1, 2, 3, 7, 20, 41] {
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| 9.0 * u32_to_unit_f32(words.next_u32()) - 3.0).collect()
            };
            let (tiles, row) = (draw(192 * features), draw(features));
            let (mut expected, mut distances) = (vec![0.0f32; 192], vec![0.0f32; 192]);
            squared_distances(Level::Portable, &tiles, &row, &mut expected);
            squared_distances(level, &tiles, &row, &mut distances);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&expected), bits(&distances), "{level:?}, {features} features");
        }
    }
}
