//! Growing the trees.

use rand_philox::Philox;

use super::{
    FeatureCodes, ForestParams, IsolationForest, NARROW_FEATURES_MAX, PATH_UNIT, SUBSAMPLE_MAX,
    average_path, height_limit,
};
use crate::{Columns, FitError};

/// Rows of a view up to which trees read it in place; a larger one is copied row by row as drawn.
const IN_PLACE_ROWS_MAX: usize = 4096;

/// Reusable buffers for [`ForestParams::fit_in`](super::ForestParams::fit_in).
#[derive(Debug, Default)]
pub struct FitScratch {
    /// The rows drawn for a tree.
    drawn: Vec<u32>,
    /// A permutation of all rows to draw from, if the view is small.
    deck: Vec<u16>,
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
        4 * (self.drawn.capacity() + self.sample.capacity() + self.words.capacity())
            + 2 * (self.deck.capacity() + self.features.capacity())
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
    let subsample = view.rows().min(params.subsample.into());
    let depth = height_limit(subsample);
    let nodes = usize::from(params.trees) << depth;
    let mut thresholds = vec![0.0; nodes];
    let mut leaves = vec![0; nodes];
    let codes = if view.features() <= NARROW_FEATURES_MAX {
        let mut codes = vec![0u8; nodes];
        trees(subsample, view, seed, scratch, (&mut codes, &mut thresholds, &mut leaves))?;
        FeatureCodes::Narrow(codes)
    } else {
        let mut codes = vec![0u16; nodes];
        trees(subsample, view, seed, scratch, (&mut codes, &mut thresholds, &mut leaves))?;
        FeatureCodes::Wide(codes)
    };
    Ok(IsolationForest {
        features: view.features() as u32,
        subsample: subsample as u16,
        depth,
        codes,
        thresholds,
        leaves,
    })
}

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

fn trees<C: Code>(
    subsample: usize,
    view: Columns<'_>,
    seed: u64,
    scratch: &mut FitScratch,
    (codes, thresholds, leaves): (&mut [C], &mut [f32], &mut [u16]),
) -> Result<(), FitError> {
    let depth = height_limit(subsample);
    let mut leaf_paths = [0u16; SUBSAMPLE_MAX + 1];
    for (rows, path) in leaf_paths.iter_mut().enumerate() {
        *path = libm::round(average_path(rows) * PATH_UNIT) as u16;
    }
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
        let mut words = Words::new(seed, tree as u64, words);
        let mut rows = [0u16; SUBSAMPLE_MAX];
        let columns = if in_place {
            draw_in_place(deck, &mut rows[..subsample], &mut words);
            view
        } else {
            draw_sparse(view.rows(), drawn, taken, &mut words);
            copy_rows(view, drawn, sample)?;
            for (index, row) in rows.iter_mut().enumerate() {
                *row = index as u16;
            }
            Columns::new(sample, subsample, view.features())
        };
        for (feature, place) in (0u16..=u16::MAX).zip(features.iter_mut()) {
            *place = feature;
        }
        let mut growth = Growth {
            columns,
            rows: [rows; 2],
            values: [0.0; SUBSAMPLE_MAX],
            depth,
            features,
            words,
            leaf_paths: &leaf_paths,
            codes,
            thresholds,
            leaves,
        };
        growth.split(Node { index: 1, level: 0, from: 0, to: subsample, constant: 0 });
    }
    Ok(())
}

/// Draws rows without repetition by a partial Fisher-Yates shuffle.
fn draw_in_place(deck: &mut [u16], rows: &mut [u16], words: &mut Words<'_>) {
    for (row, place) in (0u16..=u16::MAX).zip(deck.iter_mut()) {
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
fn draw_sparse(count: usize, drawn: &mut [u32], taken: &mut [u64], words: &mut Words<'_>) {
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

fn copy_rows(view: Columns<'_>, drawn: &[u32], sample: &mut Vec<f32>) -> Result<(), FitError> {
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
struct Words<'a> {
    stream: Philox,
    buffer: &'a mut Vec<u32>,
    used: usize,
}

impl<'a> Words<'a> {
    const BUFFER: usize = 256;

    fn new(seed: u64, tree: u64, buffer: &'a mut Vec<u32>) -> Self {
        buffer.resize(Self::BUFFER, 0);
        Self { stream: Philox::from_u64_seed_stream(seed, tree), buffer, used: Self::BUFFER }
    }

    fn next(&mut self) -> u32 {
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

    fn below(&mut self, count: usize) -> usize {
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
    columns: Columns<'a>,
    /// The rows of the tree, for nodes of even and of odd levels; those of a node lie together.
    rows: [[u16; SUBSAMPLE_MAX]; 2],
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
        let values = &mut self.values[node.from..node.to];
        let first = column[usize::from(rows[0])];
        // Two pairs of bounds, so that one comparison need not wait for the one before.
        let (mut low, mut high, mut low_2, mut high_2) = (first, first, first, first);
        let (row_pairs, last_row) = rows.as_chunks::<2>();
        let (value_pairs, last_value) = values.as_chunks_mut::<2>();
        for (value, row) in value_pairs.iter_mut().zip(row_pairs) {
            let (x, y) = (column[usize::from(row[0])], column[usize::from(row[1])]);
            *value = [x, y];
            (low, high) = (smaller(low, x), larger(high, x));
            (low_2, high_2) = (smaller(low_2, y), larger(high_2, y));
        }
        if let ([value], [row]) = (last_value, last_row) {
            *value = column[usize::from(*row)];
            (low, high) = (smaller(low, *value), larger(high, *value));
        }
        (smaller(low, low_2), larger(high, high_2))
    }

    /// Moves the rows of a node to the buffer of the level below, those below `threshold` to the front; returns
    /// where the others begin.
    fn part(&mut self, threshold: f32, node: Node) -> usize {
        let [even, odd] = &mut self.rows;
        let (source, target) = if node.level % 2 == 0 { (even, odd) } else { (odd, even) };
        let (mut front, mut back) = (node.from, node.to - 1);
        for (&row, &value) in source[node.from..node.to].iter().zip(&self.values[node.from..node.to]) {
            // Without a branch: the row is written to both ends, and one of them moves on.
            target[front % SUBSAMPLE_MAX] = row;
            target[back % SUBSAMPLE_MAX] = row;
            let is_left = value < threshold;
            front += usize::from(is_left);
            back = back.wrapping_sub(usize::from(!is_left));
        }
        front
    }
}

fn smaller(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// A threshold above `low` and at most `high`, so that both sides of the cut hold a row.
fn threshold_between(low: f32, high: f32, fraction: u32) -> f32 {
    let share = fraction as f32 * (1.0 / 4_294_967_296.0);
    let threshold = low * (1.0 - share) + high * share;
    if threshold > low && threshold <= high { threshold } else { high }
}
