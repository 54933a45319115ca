//! Growing the trees.

use std::ops::Range;
use std::sync::LazyLock;

use rand_philox::Philox;

use super::{FeatureCodes, ForestParams, IsolationForest, PATH_UNIT, SUBSAMPLE_MAX, average_path, height_limit};
use crate::simd::{self, Level};
use crate::{Columns, FitError};

/// Rows of a view up to which trees read it in place; a larger one is copied row by row as drawn.
const IN_PLACE_ROWS_MAX: usize = 4096;

/// Reusable buffers for [`ForestParams::fit_in`](super::ForestParams::fit_in).
#[derive(Debug, Default)]
pub struct FitScratch {
    /// The rows drawn for a tree.
    drawn: Vec<u32>,
    /// A permutation of all rows to draw from, if the view is small.
    deck: Vec<u32>,
    /// One bit for each row that was drawn, if the view is large.
    taken: Vec<u64>,
    /// The drawn rows of a large view, column by column.
    sample: Vec<f32>,
    /// All features; those known to be constant in the current node come first.
    features: Vec<u16>,
    /// Random words that were generated and not used yet.
    words: Vec<u32>,
}

impl FitScratch {
    /// The memory held, in bytes.
    pub fn capacity_bytes(&self) -> usize {
        4 * (self.drawn.capacity() + self.deck.capacity() + self.sample.capacity() + self.words.capacity())
            + 2 * self.features.capacity()
            + 8 * self.taken.capacity()
    }
}

/// Grows all trees; `params` and `view` have been checked, except drawn rows of a large view.
pub(super) fn forest(
    params: &ForestParams,
    view: Columns<'_>,
    seed: u64,
    scratch: &mut FitScratch,
) -> Result<IsolationForest, FitError> {
    let subsample = params.subsample_of(&view);
    let depth = height_limit(subsample);
    let nodes = usize::from(params.trees) << depth;
    let mut forest = IsolationForest {
        features: view.features() as u32,
        subsample: subsample as u16,
        depth,
        oldest: 0,
        codes: FeatureCodes::new(nodes, view.features()),
        thresholds: vec![0.0; nodes],
        leaves: vec![0; nodes],
    };
    trees(&mut forest, 0..params.trees.into(), view, seed, scratch)?;
    Ok(forest)
}

/// Grows the trees in these places anew.
pub(super) fn trees(
    forest: &mut IsolationForest,
    places: Range<usize>,
    view: Columns<'_>,
    seed: u64,
    scratch: &mut FitScratch,
) -> Result<(), FitError> {
    let subsample = usize::from(forest.subsample);
    let nodes = places.start << forest.depth..places.end << forest.depth;
    let (thresholds, leaves) = (&mut forest.thresholds[nodes.clone()], &mut forest.leaves[nodes.clone()]);
    // Below a leaf nothing is written: what an earlier tree had there goes.
    thresholds.fill(0.0);
    match &mut forest.codes {
        FeatureCodes::Narrow(codes) => {
            codes[nodes.clone()].fill(0);
            grow(subsample, places.start, view, seed, scratch, (&mut codes[nodes], thresholds, leaves))
        }
        FeatureCodes::Wide(codes) => {
            codes[nodes.clone()].fill(0);
            grow(subsample, places.start, view, seed, scratch, (&mut codes[nodes], thresholds, leaves))
        }
    }
}

/// The stored path lengths below leaves of 0 to 256 rows.
pub(crate) static LEAF_PATHS: LazyLock<[u16; SUBSAMPLE_MAX + 1]> =
    LazyLock::new(|| std::array::from_fn(|rows| libm::round(average_path(rows) * PATH_UNIT) as u16));

/// A type that numbers features.
trait Code: Copy {
    fn from_feature(feature: u16) -> Self;
}

impl Code for u8 {
    fn from_feature(feature: u16) -> Self {
        feature as Self
    }
}

impl Code for u16 {
    fn from_feature(feature: u16) -> Self {
        feature
    }
}

fn grow<C: Code>(
    subsample: usize,
    first: usize,
    view: Columns<'_>,
    seed: u64,
    scratch: &mut FitScratch,
    (codes, thresholds, leaves): (&mut [C], &mut [f32], &mut [u16]),
) -> Result<(), FitError> {
    let depth = height_limit(subsample);
    let instructions = simd::level();
    let in_place = view.rows() <= IN_PLACE_ROWS_MAX;
    let FitScratch { drawn, deck, taken, sample, features, words } = scratch;
    drawn.clear();
    drawn.resize(subsample, 0);
    deck.resize(if in_place { view.rows() } else { 0 }, 0);
    taken.clear();
    taken.resize(if in_place { 0 } else { view.rows().div_ceil(64) }, 0);
    features.resize(view.features(), 0);
    let trees = codes
        .chunks_exact_mut(1 << depth)
        .zip(thresholds.chunks_exact_mut(1 << depth))
        .zip(leaves.chunks_exact_mut(1 << depth));
    for (tree, ((codes, thresholds), leaves)) in trees.enumerate() {
        let mut words = Words::new(seed, (first + tree) as u64, words);
        let mut rows = [0u32; SUBSAMPLE_MAX];
        let columns = if in_place {
            draw_in_place(deck, &mut rows[..subsample], &mut words);
            view
        } else {
            draw_sparse(view.rows(), drawn, taken, &mut words);
            copy_rows(view, drawn, sample)?;
            for (index, row) in (0u32..).zip(&mut rows) {
                *row = index;
            }
            Columns::new(sample, subsample, view.features())
        };
        for (feature, place) in (0u16..=u16::MAX).zip(features.iter_mut()) {
            *place = feature;
        }
        let mut growth = Growth {
            instructions,
            columns,
            rows: [rows; 2],
            values: [0.0; SUBSAMPLE_MAX],
            depth,
            features,
            words,
            leaf_paths: &LEAF_PATHS,
            codes,
            thresholds,
            leaves,
        };
        growth.split(Node { index: 1, level: 0, from: 0, to: subsample, constant: 0 });
    }
    Ok(())
}

/// Draws rows without repetition by a partial Fisher-Yates shuffle.
fn draw_in_place(deck: &mut [u32], rows: &mut [u32], words: &mut Words<'_>) {
    for (row, place) in (0u32..).zip(deck.iter_mut()) {
        *place = row;
    }
    if deck.len() > rows.len() {
        for place in 0..rows.len() {
            let other = place + words.below(deck.len() - place);
            deck.swap(place, other);
        }
    }
    rows.copy_from_slice(&deck[..rows.len()]);
}

/// Draws a small share of many rows without repetition: a row that was drawn before is drawn again.
pub(crate) fn draw_sparse(count: usize, drawn: &mut [u32], taken: &mut [u64], words: &mut Words<'_>) {
    for place in drawn.iter_mut() {
        let row = loop {
            let row = words.below(count);
            let bit = 1 << (row % 64);
            if taken[row / 64] & bit == 0 {
                taken[row / 64] |= bit;
                break row;
            }
        };
        *place = row as u32;
    }
    for &row in drawn.iter() {
        taken[row as usize / 64] = 0;
    }
}

pub(crate) fn copy_rows(view: Columns<'_>, drawn: &[u32], sample: &mut Vec<f32>) -> Result<(), FitError> {
    sample.clear();
    for feature in 0..view.features() {
        let column = view.column(feature);
        sample.extend(drawn.iter().map(|&row| column[row as usize]));
    }
    match Columns::new(sample, drawn.len(), view.features()).first_non_finite() {
        Some((index, feature)) => Err(FitError::NonFinite { row: drawn[index] as usize, feature }),
        None => Ok(()),
    }
}

/// The random words of one tree.
pub(crate) struct Words<'a> {
    stream: Philox,
    buffer: &'a mut Vec<u32>,
    used: usize,
}

impl<'a> Words<'a> {
    /// A tree of 256 rows takes some 330 words: little is generated in vain.
    const BUFFER: usize = 64;

    pub(crate) fn new(seed: u64, tree: u64, buffer: &'a mut Vec<u32>) -> Self {
        buffer.resize(Self::BUFFER, 0);
        Self { stream: Philox::from_u64_seed_stream(seed, tree), buffer, used: Self::BUFFER }
    }

    pub(crate) fn next(&mut self) -> u32 {
        if self.used >= self.buffer.len() {
            self.stream.fill_u32(self.buffer);
            self.used = 0;
        }
        let word = self.buffer[self.used];
        self.used += 1;
        word
    }

    /// A number below `count`, and what the same word says about where between two such numbers: a
    /// second, independent number in units of 2^-32.
    fn below_with_fraction(&mut self, count: usize) -> (usize, u32) {
        let product = u64::from(self.next()) * count as u64;
        ((product >> 32) as usize, product as u32)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.below_with_fraction(count).0
    }
}

/// A node to be cut: its place in heap order (the root is 1, the children of `i` are `2i` and
/// `2i + 1`), its rows, and how many features are known to be constant in it.
#[derive(Clone, Copy)]
struct Node {
    index: usize,
    level: u8,
    from: usize,
    to: usize,
    constant: usize,
}

/// One tree while it grows.
struct Growth<'a, C> {
    instructions: Level,
    columns: Columns<'a>,
    /// The rows of the tree, for nodes of even and of odd levels; those of a node lie together.
    rows: [[u32; SUBSAMPLE_MAX]; 2],
    /// The values of the drawn feature, in the order of `rows`.
    values: [f32; SUBSAMPLE_MAX],
    depth: u8,
    features: &'a mut [u16],
    words: Words<'a>,
    leaf_paths: &'a [u16; SUBSAMPLE_MAX + 1],
    codes: &'a mut [C],
    thresholds: &'a mut [f32],
    leaves: &'a mut [u16],
}

impl<C: Code> Growth<'_, C> {
    fn split(&mut self, mut node: Node) {
        let count = node.to - node.from;
        if count == 1 || node.level == self.depth {
            return self.close(node, node.level, count);
        }
        loop {
            let open = self.features.len() - node.constant;
            if open == 0 {
                return self.close(node, node.level, count);
            }
            let (choice, fraction) = self.words.below_with_fraction(open);
            let place = node.constant + choice;
            let feature = self.features[place];
            let (low, high) = self.read(feature, node);
            if low < high {
                let threshold = threshold_between(low, high, fraction);
                self.codes[node.index] = C::from_feature(feature);
                self.thresholds[node.index] = threshold;
                if count == 2 {
                    // Both rows are alone one level below.
                    return self.close(node, node.level + 1, 1);
                }
                let middle = self.part(threshold, node);
                let (index, level) = (2 * node.index, node.level + 1);
                self.split(Node { index, level, to: middle, ..node });
                self.split(Node { index: index + 1, level, from: middle, ..node });
                return;
            }
            self.features.swap(place, node.constant);
            node.constant += 1;
        }
    }

    /// Gives every leaf under `node` the path length of `count` rows at `level`, whichever way a row then takes.
    fn close(&mut self, node: Node, level: u8, count: usize) {
        let path = u16::from(level) * PATH_UNIT as u16 + self.leaf_paths[count];
        let below = self.depth - node.level;
        let first = (node.index << below) - (1 << self.depth);
        self.leaves[first..first + (1 << below)].fill(path);
    }

    /// Reads `feature` for the rows of a node into `values`; returns the smallest and the largest.
    fn read(&mut self, feature: u16, node: Node) -> (f32, f32) {
        let column = self.columns.column(feature.into());
        let rows = &self.rows[usize::from(node.level % 2)][node.from..node.to];
        simd::read(self.instructions, column, rows, &mut self.values[..node.to - node.from])
    }

    /// Moves the rows of a node to the buffer of the level below, those below `threshold` to the front; returns
    /// where the others begin.
    fn part(&mut self, threshold: f32, node: Node) -> usize {
        let [even, odd] = &mut self.rows;
        let (source, target) = if node.level.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let (source, target) = (&source[node.from..node.to], &mut target[node.from..node.to]);
        node.from + simd::part(self.instructions, source, &self.values[..source.len()], threshold, target)
    }
}

/// Copies the values of `rows` in a column; returns the smallest and the largest. The portable code.
pub(crate) fn read(column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
    let first = column[rows[0] as usize];
    // Two pairs of bounds, so that one comparison need not wait for the one before.
    let (mut low, mut high, mut low_2, mut high_2) = (first, first, first, first);
    let (row_pairs, last_row) = rows.as_chunks::<2>();
    let (value_pairs, last_value) = values.as_chunks_mut::<2>();
    for (value, row) in value_pairs.iter_mut().zip(row_pairs) {
        let (x, y) = (column[row[0] as usize], column[row[1] as usize]);
        *value = [x, y];
        (low, high) = (smaller(low, x), larger(high, x));
        (low_2, high_2) = (smaller(low_2, y), larger(high_2, y));
    }
    if let ([value], [row]) = (last_value, last_row) {
        *value = column[*row as usize];
        (low, high) = (smaller(low, *value), larger(high, *value));
    }
    (smaller(low, low_2), larger(high, high_2))
}

/// Copies `rows` so that those with a value below `threshold` come first; returns their number. The order within
/// the two parts is free: a tree depends on which rows are in a node alone. The portable code.
pub(crate) fn part(rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
    let (mut front, mut back) = (0, target.len() - 1);
    for (&row, &value) in rows.iter().zip(values) {
        // Without a branch: the row is written to both ends, and one of them moves on.
        target[front] = row;
        target[back] = row;
        let is_left = value < threshold;
        front += usize::from(is_left);
        back = back.wrapping_sub(usize::from(!is_left));
    }
    front
}

fn smaller(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

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
    fn rows_are_drawn_without_repetition_and_each_equally_often() {
        let mut buffer = Vec::new();
        let (mut deck, mut rows) = (vec![0; 40], [0; 10]);
        let (mut drawn, mut taken) = (vec![0; 10], vec![0; 1]);
        let (mut in_place, mut sparse) = ([0u32; 40], [0u32; 40]);
        for tree in 0..4_000 {
            draw_in_place(&mut deck, &mut rows, &mut Words::new(1, tree, &mut buffer));
            draw_sparse(40, &mut drawn, &mut taken, &mut Words::new(2, tree, &mut buffer));
            let mut seen = (0u64, 0u64);
            for (&row, &other) in rows.iter().zip(&drawn) {
                in_place[row as usize] += 1;
                sparse[other as usize] += 1;
                seen = (seen.0 | 1 << row, seen.1 | 1 << other);
            }
            assert_eq!((seen.0.count_ones(), seen.1.count_ones()), (10, 10));
            assert_eq!(taken, [0]);
        }
        // 1000 expected, standard deviation 27.
        for count in in_place.iter().chain(&sparse) {
            assert!((870..1_130).contains(count), "{in_place:?} {sparse:?}");
        }
    }

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

    #[test]
    fn a_large_view_is_learned_from_copies_as_from_itself() {
        // The same 5000 rows give the same values whether a tree reads copies of them or the view.
        let data: Vec<f32> = (0..5_000).map(|row| (row % 97) as f32).collect();
        let forest = ForestParams::default().fit(Columns::new(&data, 5_000, 1), 1).unwrap();
        let inside = |&threshold: &f32| (0.0..=96.0).contains(&threshold);
        assert!(forest.thresholds.iter().all(inside));
        assert!(forest.thresholds.iter().any(|&threshold| threshold > 90.0));
    }

    #[test]
    fn a_drawn_row_of_a_large_view_that_is_not_finite_is_named() {
        let data = vec![f32::NAN; 30_000];
        let params = ForestParams { trees: 1, subsample: 256 };
        let error = params.fit(Columns::new(&data, 30_000, 1), 1).unwrap_err();
        assert!(matches!(error, FitError::NonFinite { row: ..30_000, feature: 0 }));
    }
}
