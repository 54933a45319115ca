//! Lengths of paths in a tree.

use std::sync::LazyLock;

/// The largest subsample: with 256 rows every tree fits in a complete binary tree of depth 8.
pub(crate) const SUBSAMPLE_MAX: usize = 256;
/// Path lengths are stored in units of 1/2048: exact to sum in integers, and 8 + c(256) fits in 16 bits.
pub(crate) const PATH_UNIT: f64 = 2048.0;

/// The stored path lengths below leaves of 0 to 256 rows.
pub(crate) static LEAF_PATHS: LazyLock<[u16; SUBSAMPLE_MAX + 1]> =
    LazyLock::new(|| std::array::from_fn(|rows| libm::round(average_path(rows) * PATH_UNIT) as u16));

/// The largest depth of a tree of `subsample` rows: `ceil(log2(subsample))`.
pub(crate) fn height_limit(subsample: usize) -> u8 {
    subsample.next_power_of_two().trailing_zeros() as u8
}

/// The mean path length of an unsuccessful search in a binary search tree of `rows` rows.
pub(crate) fn average_path(rows: usize) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    let n = rows as f64;
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * (libm::log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n,
    }
}
