//! The Merkle tree of RFC 6962 section 2.1.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

mod span;

pub(crate) use span::{SPAN_LEAVES, Span};

use span::SPAN_LEVEL;

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::from_bytes(Sha256::digest([]).into())
}

/// The hash of a leaf: SHA-256 over the byte 0x00 and the leaf's bytes.
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    let hash = Sha256::new().chain_update([0]).chain_update(bytes).finalize();
    Digest::from_bytes(hash.into())
}

/// The hash of an interior node: SHA-256 over the byte 0x01, the left and the right child.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// The largest power of two below `width`, which is at least 2: where RFC 6962 splits a tree.
pub(crate) fn split(width: u64) -> u64 {
    debug_assert!(width >= 2, "a single leaf is not split");
    1 << (width - 1).ilog2()
}

/// The right edge of a tree: all that is needed to append leaves and to know the root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    /// Roots of the complete subtrees that make up the tree, largest first: one for each set bit of `size`.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The right edge of a tree of `size` leaves, put together from the roots of its complete subtrees.
    pub(crate) fn from_parts<E>(size: u64, mut root: impl FnMut(Range<u64>) -> Result<Digest, E>) -> Result<Self, E> {
        let mut peaks = Vec::new();
        let mut start = 0;
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            let end = start + (1 << level);
            peaks.push(root(start..end)?);
            start = end;
        }
        Ok(Self { size, peaks })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf and reports every subtree that it completes, with its level (2^level leaves).
    pub(crate) fn push(&mut self, leaf: Digest, mut completed: impl FnMut(u32, Digest)) {
        let mut root = leaf;
        for level in 1..=self.size.trailing_ones() {
            let left = self.peaks.pop().expect("every set bit of the size has a peak");
            root = node_hash(&left, &root);
            completed(level, root);
        }
        self.peaks.push(root);
        self.size += 1;
    }

    pub(crate) fn root(&self) -> Digest {
        self.root_from(0).unwrap_or_else(empty_root)
    }

    /// The root over the leaves from `start` to the end, if that is where one of the complete subtrees begins.
    fn root_from(&self, start: u64) -> Option<Digest> {
        let (mut begin, mut root) = (self.size, None);
        for peak in self.peaks.iter().rev() {
            begin -= 1 << begin.trailing_zeros();
            let joined = root.map_or(*peak, |right| node_hash(peak, &right));
            if begin == start {
                return Some(joined);
            }
            root = Some(joined);
        }
        None
    }
}

/// A tree that can give the root of any of its parts.
///
/// Of its nodes it keeps its right edge and those over 256 leaves and more, about a quarter of a byte a leaf; what lies
/// below is recomputed from stored leaf hashes, a [`Span`] at a time, when it is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    frontier: Frontier,
    /// `levels[k][i]` is the root of the complete subtree over leaves `i << (8 + k)` to `(i + 1) << (8 + k)`.
    levels: Vec<Vec<Digest>>,
}

/// Leaves about to be added to a tree: nothing changes until [`Tree::adopt`].
#[derive(Debug)]
pub(crate) struct Growth {
    frontier: Frontier,
    completed: Vec<(u32, Digest)>,
}

impl Growth {
    pub(crate) fn push(&mut self, leaf: Digest) {
        let completed = &mut self.completed;
        self.frontier.push(leaf, |level, root| {
            if level >= SPAN_LEVEL {
                completed.push((level, root));
            }
        });
    }

    pub(crate) fn root(&self) -> Digest {
        self.frontier.root()
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size
    }
}

impl Tree {
    pub(crate) fn growth(&self) -> Growth {
        Growth { frontier: self.frontier.clone(), completed: Vec::new() }
    }

    pub(crate) fn adopt(&mut self, growth: Growth) {
        for (level, root) in growth.completed {
            let depth = (level - SPAN_LEVEL) as usize;
            if self.levels.len() == depth {
                self.levels.push(Vec::new());
            }
            self.levels[depth].push(root);
        }
        self.frontier = growth.frontier;
    }

    /// The root over a range of leaves, split as RFC 6962 splits a tree of that width.
    ///
    /// `spans` gives the span with a number; for ranges that proofs need it is asked for one or two different ones.
    pub(crate) fn range_root<E>(
        &self,
        range: Range<u64>,
        spans: &mut impl FnMut(u64) -> Result<Arc<Span>, E>,
    ) -> Result<Digest, E> {
        let width = range.end - range.start;
        if let Some(root) = self.kept(&range) {
            return Ok(root);
        }
        let number = range.start / SPAN_LEAVES;
        if range.end <= (number + 1) * SPAN_LEAVES {
            return Ok(spans(number)?.range_root(range));
        }
        let middle = range.start + split(width);
        let left = self.range_root(range.start..middle, spans)?;
        let right = self.range_root(middle..range.end, spans)?;
        Ok(node_hash(&left, &right))
    }

    /// The root over a range of leaves, if it is known without reading any: so are those of all spans.
    pub(crate) fn kept(&self, range: &Range<u64>) -> Option<Digest> {
        let width = range.end - range.start;
        if range.end == self.frontier.size
            && let Some(root) = self.frontier.root_from(range.start)
        {
            return Some(root);
        }
        if !width.is_power_of_two() || !range.start.is_multiple_of(width) {
            return None;
        }
        let depth = width.ilog2().checked_sub(SPAN_LEVEL)?;
        let position = usize::try_from(range.start / width).ok()?;
        self.levels.get(depth as usize)?.get(position).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof;
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    /// MTH of RFC 6962 section 2.1, word for word.
    fn mth(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    /// Gives the spans of leaves, and notes which.
    fn spans(leaves: &[Digest], read: &mut BTreeSet<u64>) -> impl FnMut(u64) -> Result<Arc<Span>, Infallible> {
        |number| {
            read.insert(number);
            let first = number * SPAN_LEAVES;
            let end = leaves.len().min((first + SPAN_LEAVES) as usize);
            Ok(Arc::new(Span::new(first, leaves[first as usize..end].to_vec())))
        }
    }

    fn leaves(count: u32) -> Vec<Digest> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn the_frontier_gives_the_root_of_the_definition_at_every_size() {
        let leaves = leaves(300);
        let mut frontier = Frontier::default();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.root(), mth(&leaves[..size]), "size {size}");
            assert_eq!(frontier.size(), size as u64);
            if let Some(&leaf) = leaves.get(size) {
                frontier.push(leaf, |_, _| ());
            }
        }
    }

    #[test]
    fn the_root_of_every_prefix_is_found_from_kept_roots_and_few_leaves() {
        let leaves = leaves(2_500);
        let mut tree = Tree::default();
        for part in leaves.chunks(700) {
            let mut growth = tree.growth();
            for &leaf in part {
                growth.push(leaf);
            }
            tree.adopt(growth);
        }
        for size in 1..=leaves.len() {
            let mut read = BTreeSet::new();
            let root = tree.range_root(0..size as u64, &mut spans(&leaves, &mut read));
            assert_eq!(root, Ok(mth(&leaves[..size])), "size {size}");
            assert!(read.len() <= 1, "{read:?} read for size {size}");
        }
    }

    #[test]
    fn a_proof_reads_at_most_two_spans_and_one_in_the_present_log() {
        let leaves = leaves(2_500);
        let mut tree = Tree::default();
        let mut growth = tree.growth();
        for &leaf in &leaves {
            growth.push(leaf);
        }
        tree.adopt(growth);
        let spans_read = |ranges: Vec<Range<u64>>| {
            let mut read = BTreeSet::new();
            for range in ranges {
                let expected = mth(&leaves[range.start as usize..range.end as usize]);
                assert_eq!(tree.range_root(range, &mut spans(&leaves, &mut read)), Ok(expected));
            }
            read.len()
        };
        for index in (0..2_300).step_by(7) {
            assert!(spans_read(proof::inclusion_ranges(index, 2_300)) <= 2, "entry {index}");
            assert!(spans_read(proof::consistency_ranges(index, 2_300)) <= 2, "size {index}");
        }
        for index in (0..2_500).step_by(7) {
            assert!(spans_read(proof::inclusion_ranges(index, 2_500)) <= 1, "entry {index}");
        }
    }

    #[test]
    fn the_root_of_every_span_is_kept() {
        for count in [1, 255, 256, 257, 1_000, 1_024] {
            let leaves = leaves(count);
            let mut tree = Tree::default();
            let mut growth = tree.growth();
            for &leaf in &leaves {
                growth.push(leaf);
            }
            tree.adopt(growth);
            for (number, part) in (0..).zip(leaves.chunks(256)) {
                let first = number * 256;
                assert_eq!(tree.kept(&(first..first + part.len() as u64)), Some(mth(part)), "{number} of {count}");
            }
        }
    }

    #[test]
    fn growth_that_is_not_adopted_changes_nothing() {
        let mut tree = Tree::default();
        let mut growth = tree.growth();
        for leaf in leaves(300) {
            growth.push(leaf);
        }
        assert_eq!(tree.growth().root(), empty_root());
        tree.adopt(growth);
        assert_eq!(tree.growth().size(), 300);
    }
}
