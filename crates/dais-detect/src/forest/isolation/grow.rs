//! Growing the trees.

use std::ops::Range;

use super::{ForestParams, IsolationForest};
use crate::draw::{Words, draw_from_deck, draw_sparse};
use crate::forest::cut::threshold_between;
use crate::forest::grove::FeatureCodes;
use crate::forest::path::{LEAF_PATHS, PATH_UNIT, SUBSAMPLE_MAX, height_limit};
use crate::kernel::{self, Level};
use crate::{Columns, FitError, FitScratch};

/// Rows of a view up to which they are drawn from a permutation of all; of a larger one only those drawn are noted.
const DECK_ROWS_MAX: usize = 4096;

/// Grows all trees; `params` and `view` have been checked, except the values of a view with more rows than are drawn.
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
    trees(&mut forest, 0..params.trees.into(), params.is_checked_whole(&view), view, seed, scratch)?;
    Ok(forest)
}

/// Grows the trees in these places anew; `is_checked` says that all values of the view are finite.
pub(super) fn trees(
    forest: &mut IsolationForest,
    places: Range<usize>,
    is_checked: bool,
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
            grow(subsample, places.start, is_checked, view, seed, scratch, (&mut codes[nodes], thresholds, leaves))
        }
        FeatureCodes::Wide(codes) => {
            codes[nodes.clone()].fill(0);
            grow(subsample, places.start, is_checked, view, seed, scratch, (&mut codes[nodes], thresholds, leaves))
        }
    }
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

fn grow<C: Code>(
    subsample: usize,
    first: usize,
    is_checked: bool,
    view: Columns<'_>,
    seed: u64,
    scratch: &mut FitScratch,
    (codes, thresholds, leaves): (&mut [C], &mut [f32], &mut [u16]),
) -> Result<(), FitError> {
    let depth = height_limit(subsample);
    let instructions = kernel::level();
    let has_deck = view.rows() <= DECK_ROWS_MAX;
    let FitScratch { deck, taken, features, words } = scratch;
    deck.resize(if has_deck { view.rows() } else { 0 }, 0);
    taken.clear();
    taken.resize(if has_deck { 0 } else { view.rows().div_ceil(64) }, 0);
    features.resize(view.features(), 0);
    let trees = codes
        .chunks_exact_mut(1 << depth)
        .zip(thresholds.chunks_exact_mut(1 << depth))
        .zip(leaves.chunks_exact_mut(1 << depth));
    for (tree, ((codes, thresholds), leaves)) in trees.enumerate() {
        let mut words = Words::new(seed, (first + tree) as u64, words);
        let mut rows = [0u32; SUBSAMPLE_MAX];
        if has_deck {
            draw_from_deck(deck, &mut rows[..subsample], &mut words);
        } else {
            draw_sparse(view.rows(), &mut rows[..subsample], taken, &mut words);
        }
        for (feature, place) in (0u16..=u16::MAX).zip(features.iter_mut()) {
            *place = feature;
        }
        let mut growth = Growth {
            instructions,
            view,
            is_checked,
            not_finite: None,
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
        if let Some((row, feature)) = growth.not_finite {
            return Err(FitError::NonFinite { row, feature });
        }
    }
    Ok(())
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
    view: Columns<'a>,
    /// Whether all values of the view are known to be finite.
    is_checked: bool,
    /// The row and the feature of a value that was read and is not finite.
    not_finite: Option<(usize, usize)>,
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

    /// Reads `feature` for the rows of a node into `values`; returns the smallest and the largest. A value that is not
    /// finite is noted, and the feature is not cut.
    fn read(&mut self, feature: u16, node: Node) -> (f32, f32) {
        let column = self.view.column(feature.into());
        let rows = &self.rows[usize::from(node.level % 2)][node.from..node.to];
        let values = &mut self.values[..node.to - node.from];
        let bounds = kernel::read(self.instructions, column, rows, values);
        if self.is_checked {
            return bounds;
        }
        match Columns::new(values, values.len(), 1).first_non_finite() {
            Some((place, _)) => {
                self.not_finite = Some((rows[place] as usize, feature.into()));
                (0.0, 0.0)
            }
            None => bounds,
        }
    }

    /// Moves the rows of a node to the buffer of the level below, those below `threshold` to the front; returns
    /// where the others begin.
    fn part(&mut self, threshold: f32, node: Node) -> usize {
        let [even, odd] = &mut self.rows;
        let (source, target) = if node.level.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let (source, target) = (&source[node.from..node.to], &mut target[node.from..node.to]);
        node.from + kernel::part(self.instructions, source, &self.values[..source.len()], threshold, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_large_view_only_drawn_rows_are_looked_at_and_a_bad_value_in_them_is_named() {
        let mut data: Vec<f32> = (0..30_000).map(|row| (row % 97) as f32).collect();
        let (mut fitted, mut refused) = (0, 0);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().cycle().take(24) {
            let row = 1_000 * (fitted + refused);
            let before = std::mem::replace(&mut data[row], bad);
            match ForestParams::default().fit(Columns::new(&data, 30_000, 1), 1) {
                Ok(forest) => {
                    assert!(forest.thresholds.iter().all(|threshold| (0.0..=96.0).contains(threshold)));
                    fitted += 1;
                }
                Err(error) => {
                    assert_eq!(error, FitError::NonFinite { row, feature: 0 });
                    refused += 1;
                }
            }
            data[row] = before;
        }
        // A row is in one of the 100 trees with a probability of 57 %.
        assert!(fitted > 4 && refused > 6, "{fitted} fitted, {refused} refused");
    }
}
