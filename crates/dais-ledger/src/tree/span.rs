//! The lower part of a tree, as far as it is not kept in memory.

use std::ops::Range;

use super::{node_hash, split};
use crate::digest::Digest;

/// Nodes over this many levels (256 leaves) are computed from stored leaf hashes; nodes above are kept by the tree.
pub(super) const SPAN_LEVEL: u32 = 8;
/// Leaves of a span.
pub(crate) const SPAN_LEAVES: u64 = 1 << SPAN_LEVEL;

/// All nodes over at most 256 neighbouring leaves, the first of them at a multiple of 256.
#[derive(Debug)]
pub(crate) struct Span {
    first: u64,
    /// `levels[k][i]` is the root over leaves `first + (i << k)` to `first + ((i + 1) << k)`.
    levels: Vec<Vec<Digest>>,
}

impl Span {
    /// Most memory of a span, in bytes: 511 digests, and what holds them.
    pub(crate) const BYTES_MAX: u64 = 17 << 10;

    /// The span over these leaves, of which there are 256, or fewer at the end of a log.
    pub(crate) fn new(first: u64, leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        for level in 0..SPAN_LEVEL as usize {
            let above = levels[level].as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(above);
        }
        Self { first, levels }
    }

    /// Number of leaves.
    pub(crate) fn leaves(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// The root over a range of leaves, all of which are in this span.
    pub(crate) fn range_root(&self, range: Range<u64>) -> Digest {
        let (start, width) = (range.start - self.first, range.end - range.start);
        if width.is_power_of_two() && start.is_multiple_of(width) {
            return self.levels[width.ilog2() as usize][(start / width) as usize];
        }
        let middle = range.start + split(width);
        node_hash(&self.range_root(range.start..middle), &self.range_root(middle..range.end))
    }
}
