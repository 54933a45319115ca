//! The hot loops in the widest instructions that the processor has, chosen at run time.
//!
//! Every function gives the same bits at every level: comparisons, integer sums, and float operations in the same order;
//! a multiplication is fused with an addition at all levels or at none.

use super::portable;
use super::tile::Tree;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// The widest instructions this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Portable,
    /// 256-bit vectors with fused multiply-add, for distances.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors with byte permutations (Ice Lake, Zen 4 and later).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Looks up what the processor has; cheap, the answer is remembered.
pub(crate) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let has_512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt");
        if has_512 {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Portable
}

/// Adds to `paths` the path length of every lane of every tile in `tree`.
///
/// The codes of `tree` must be below `features`.
pub(crate) fn add_path(level: Level, tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
    let nodes = 1usize << tree.depth;
    let complete = tree.codes.len() == nodes && tree.thresholds.len() == nodes && tree.leaves.len() == nodes;
    assert!(complete, "a tree has 2^depth entries");
    assert!(tiles.len() == paths.len() * features, "one sum for each lane of the tiles");
    debug_assert!(tree.codes.iter().all(|&code| usize::from(code) < features), "codes name features");
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions; shapes were checked above.
        Level::Avx512 if tree.depth == 8 => unsafe { x86::add_path_of_depth::<8>(tree, tiles, features, paths) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx512 if tree.depth == 7 => unsafe { x86::add_path_of_depth::<7>(tree, tiles, features, paths) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => portable::add_path(tree, tiles, features, paths),
        Level::Portable => portable::add_path(tree, tiles, features, paths),
    }
}

/// Copies the values of `rows` in a column; returns the smallest and the largest (of the two zeros, either).
pub(crate) fn read(level: Level, column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::read_avx512(column, rows, values) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => portable::read(column, rows, values),
        Level::Portable => portable::read(column, rows, values),
    }
}

/// Copies `rows` so that those with a value below `threshold` come first; returns their number.
pub(crate) fn part(level: Level, rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
    assert!(rows.len() == values.len() && rows.len() == target.len(), "a value and a place for each row");
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::part_avx512(rows, values, threshold, target) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => portable::part(rows, values, threshold, target),
        Level::Portable => portable::part(rows, values, threshold, target),
    }
}

/// The squared distance of `row` to every point in `tiles`.
pub(crate) fn squared_distances(level: Level, tiles: &[f32], row: &[f32], distances: &mut [f32]) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::squared_distances_avx512(tiles, row, distances) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { x86::squared_distances_avx2(tiles, row, distances) },
        Level::Portable => portable::squared_distances(tiles, row, distances),
    }
}

/// The `k`-th smallest value; `k` is at least 1 and at most their number, a multiple of 16.
pub(crate) fn kth_smallest(level: Level, values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::kth_smallest_avx512(values, k, nearest) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { x86::kth_smallest_avx2(values, k, nearest) },
        Level::Portable => portable::kth_smallest(values, k, nearest),
    }
}
