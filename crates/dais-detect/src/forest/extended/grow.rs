//! Growing the trees.

use super::{ExtendedForest, ExtendedForestParams, project};
use crate::draw::{Words, deal, draw_sparse, normal};
use crate::forest::cut::threshold_between;
use crate::forest::path::{LEAF_PATHS, PATH_UNIT, height_limit};
use crate::{Columns, FitError};

/// Keeps the random streams apart from those of the isolation forest with the same seed.
const STREAM: u64 = 1 << 32;

/// Grows all trees; `params` and `view` have been checked.
pub(super) fn forest(params: &ExtendedForestParams, view: Columns<'_>, seed: u64) -> Result<ExtendedForest, FitError> {
    let subsample = view.rows().min(params.subsample.into());
    let depth = height_limit(subsample);
    let slopes = view.features().min(params.slopes.into());
    let nodes = usize::from(params.trees) << depth;
    let mut forest = ExtendedForest {
        features: view.features() as u32,
        subsample: subsample as u16,
        depth,
        slopes: slopes as u16,
        codes: vec![0; nodes * slopes],
        weights: vec![0.0; nodes * slopes],
        thresholds: vec![0.0; nodes],
        leaves: vec![0; nodes],
    };
    let mut drawn = vec![0u32; subsample];
    let mut taken = vec![0u64; view.rows().div_ceil(64)];
    let (mut sample, mut buffer) = (Vec::new(), Vec::new());
    let mut features: Vec<u16> = (0u16..=u16::MAX).take(view.features()).collect();
    for tree in 0..usize::from(params.trees) {
        let mut words = Words::new(seed, STREAM | tree as u64, &mut buffer);
        draw_sparse(view.rows(), &mut drawn, &mut taken, &mut words);
        copy_rows(view, &drawn, &mut sample)?;
        for (feature, place) in (0u16..=u16::MAX).zip(&mut features) {
            *place = feature;
        }
        let places = tree << depth..(tree + 1) << depth;
        let cuts = places.start * slopes..places.end * slopes;
        let mut growth = Growth {
            columns: Columns::new(&sample, subsample, view.features()),
            depth,
            slopes,
            features: &mut features,
            words,
            codes: &mut forest.codes[cuts.clone()],
            weights: &mut forest.weights[cuts],
            thresholds: &mut forest.thresholds[places.clone()],
            leaves: &mut forest.leaves[places],
        };
        let mut rows: Vec<u32> = (0..subsample as u32).collect();
        growth.split(Node { index: 1, level: 0, constant: 0 }, &mut rows);
    }
    Ok(forest)
}

/// Copies the rows drawn, column by column.
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

/// A node to be cut: its place in heap order, and how many features are known to be constant in it.
#[derive(Clone, Copy)]
struct Node {
    index: usize,
    level: u8,
    constant: usize,
}

/// One tree while it grows.
struct Growth<'a> {
    columns: Columns<'a>,
    depth: u8,
    slopes: usize,
    /// All features; those known to be constant in the current node come first.
    features: &'a mut [u16],
    words: Words<'a>,
    codes: &'a mut [u16],
    weights: &'a mut [f32],
    thresholds: &'a mut [f32],
    leaves: &'a mut [u16],
}

impl Growth<'_> {
    fn split(&mut self, mut node: Node, rows: &mut [u32]) {
        if rows.len() <= 1 || node.level == self.depth {
            return self.close(node, rows.len());
        }
        // No feature varies, or the cut lies beyond the numbers.
        let Some(threshold) = self.cut(&mut node, rows).filter(|threshold| threshold.is_finite()) else {
            return self.close(node, rows.len());
        };
        self.thresholds[node.index] = threshold;
        let cut = node.index * self.slopes..(node.index + 1) * self.slopes;
        let (codes, weights, columns) = (&self.codes[cut.clone()], &self.weights[cut], self.columns);
        let mut middle = 0;
        for place in 0..rows.len() {
            let row = rows[place] as usize;
            if project(codes, weights, |feature| columns.column(feature)[row]) < threshold {
                rows.swap(place, middle);
                middle += 1;
            }
        }
        let (left, right) = rows.split_at_mut(middle);
        let (index, level) = (2 * node.index, node.level + 1);
        self.split(Node { index, level, ..node }, left);
        self.split(Node { index: index + 1, level, ..node }, right);
    }

    /// Draws features that vary in the node, their slopes, and the point that the cut goes through: the threshold is
    /// where it lies along the slopes. None if no feature varies.
    fn cut(&mut self, node: &mut Node, rows: &[u32]) -> Option<f32> {
        let from = node.index * self.slopes;
        let mut found = 0;
        let mut threshold = 0.0;
        while found < self.slopes && node.constant + found < self.features.len() {
            // Constant features lie in front, those of this cut behind them, then the ones not looked at.
            let start = node.constant + found;
            let feature = deal(self.features, start, |count| self.words.below(count));
            let column = self.columns.column(feature.into());
            let ends = (f32::INFINITY, f32::NEG_INFINITY);
            let (low, high) = rows.iter().fold(ends, |(low, high), &row| {
                let value = column[row as usize];
                (low.min(value), high.max(value))
            });
            if low < high {
                // Halves: the range itself may lie beyond the numbers.
                let half_range = f64::from(0.5 * high - 0.5 * low);
                let weight = (self.normal() / half_range) as f32;
                threshold += weight * threshold_between(low, high, self.words.next());
                self.codes[from + found] = feature;
                self.weights[from + found] = weight;
                found += 1;
            } else {
                self.features.swap(start, node.constant);
                node.constant += 1;
            }
        }
        (found > 0).then_some(threshold)
    }

    /// A normal number of mean 0 and standard deviation 1.
    fn normal(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / 4_294_967_296.0;
        let radius = (f64::from(self.words.next()) + 0.5) * UNIT;
        normal(radius, f64::from(self.words.next()) * UNIT)
    }

    /// Gives every leaf under `node` the path length of `count` rows at its level, whichever way a row then takes.
    fn close(&mut self, node: Node, count: usize) {
        let path = u16::from(node.level) * PATH_UNIT as u16 + LEAF_PATHS[count];
        let below = self.depth - node.level;
        let first = (node.index << below) - (1 << self.depth);
        self.leaves[first..first + (1 << below)].fill(path);
    }
}
