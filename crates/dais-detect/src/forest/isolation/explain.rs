//! What each feature adds to the path of a row.

use crate::forest::grove::{FeatureCodes, Grove};
use crate::forest::path::{LEAF_PATHS, PATH_UNIT, SUBSAMPLE_MAX};

/// The path lengths that a row may expect at the nodes of a tree, in stored units.
struct Expected {
    /// By node in heap order; the leaves follow the inner nodes.
    paths: [f64; 2 * SUBSAMPLE_MAX],
    /// The rows of the subsample there.
    rows: [f64; 2 * SUBSAMPLE_MAX],
    /// Whether nothing is cut there.
    is_leaf: [bool; 2 * SUBSAMPLE_MAX],
}

/// The mean over the trees of the path a row may expect at the root, and of the one it has, in stored units; adds to
/// `contributions` what every feature changes on the way, in the same units.
///
/// A node's expected path is the mean of the leaves below it, weighted by the rows of the subsample in them. At each cut it
/// becomes that of the child, and the difference belongs to the feature that is cut (Saabas' way for trees). Leaves do
/// not store their rows; these follow from the path lengths.
pub(super) fn explain(grove: Grove<'_>, value: impl Fn(usize) -> f32, contributions: &mut [f32]) -> (f64, f64) {
    let nodes = 1usize << grove.depth;
    let trees = grove.thresholds.len() / nodes;
    let mut expected = Expected {
        paths: [0.0; 2 * SUBSAMPLE_MAX],
        rows: [0.0; 2 * SUBSAMPLE_MAX],
        is_leaf: [true; 2 * SUBSAMPLE_MAX],
    };
    let (mut of_roots, mut of_row) = (0.0, 0.0);
    for (tree, leaves) in grove.leaves.chunks_exact(nodes).enumerate() {
        let cut = |node: usize| {
            let place = tree * nodes + node;
            let feature = match grove.codes {
                FeatureCodes::Narrow(codes) => usize::from(codes[place]),
                FeatureCodes::Wide(codes) => usize::from(codes[place]),
            };
            (feature, grove.thresholds[place])
        };
        expected.fill(grove.depth, cut, leaves);
        let mut node = 1;
        while node < nodes && !expected.is_leaf[node] {
            let (feature, threshold) = cut(node);
            let is_left = value(feature) < threshold;
            let child = 2 * node + usize::from(!is_left);
            contributions[feature] += ((expected.paths[child] - expected.paths[node]) / trees as f64) as f32;
            node = child;
        }
        of_roots += expected.paths[1] / trees as f64;
        of_row += expected.paths[node] / trees as f64;
    }
    (of_roots, of_row)
}

impl Expected {
    fn fill(&mut self, depth: u8, cut: impl Fn(usize) -> (usize, f32), leaves: &[u16]) {
        let nodes = leaves.len();
        for (place, &path) in leaves.iter().enumerate() {
            self.paths[nodes + place] = path.into();
            self.rows[nodes + place] = rows_of(path, depth).unwrap_or(0) as f64;
            self.is_leaf[nodes + place] = true;
        }
        for node in (1..nodes).rev() {
            let (left, right) = (2 * node, 2 * node + 1);
            let level = node.ilog2() as u8;
            // Below a leaf all paths are its own, and neither a feature nor a threshold was written.
            let below = depth - level;
            let first = (node << below) - nodes;
            let path = leaves[first];
            let is_one = leaves[first..first + (1 << below)].iter().all(|&other| other == path);
            let (feature, threshold) = cut(node);
            let rows = if is_one && feature == 0 && threshold.to_bits() == 0 { rows_of(path, level) } else { None };
            self.is_leaf[node] = rows.is_some();
            if let Some(rows) = rows {
                (self.paths[node], self.rows[node]) = (path.into(), rows as f64);
                continue;
            }
            let rows = self.rows[left] + self.rows[right];
            let share = if rows > 0.0 { self.rows[left] / rows } else { 0.5 };
            self.paths[node] = self.paths[left] * share + self.paths[right] * (1.0 - share);
            self.rows[node] = rows;
        }
    }
}

/// The rows of a leaf at `level` with this stored path.
fn rows_of(path: u16, level: u8) -> Option<usize> {
    let below = path.checked_sub(u16::from(level) * PATH_UNIT as u16)?;
    LEAF_PATHS[1..].binary_search(&below).ok().map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, ForestParams};

    #[test]
    fn the_rows_of_the_leaves_add_up_to_the_subsample() {
        let mut values: Vec<f32> = (0..900).map(|row| (row * row % 37) as f32 - 9.0).collect();
        // Half of the rows are equal.
        (0..3).for_each(|feature| values[feature * 300..feature * 300 + 150].fill(0.0));
        for (rows, subsample) in [(300, 256), (300, 200), (300, 7), (5, 256), (2, 2)] {
            let view = Columns::with_stride(&values, rows, 3, 300);
            let forest = ForestParams { trees: 40, subsample }.fit(view, 3).unwrap();
            let nodes = 1 << forest.depth;
            let FeatureCodes::Narrow(codes) = &forest.codes else { panic!("3 features") };
            for tree in 0..40 {
                let place = |node| tree * nodes + node;
                let cut = |node| (usize::from(codes[place(node)]), forest.thresholds[place(node)]);
                let (paths, rows) = ([0.0; 2 * SUBSAMPLE_MAX], [0.0; 2 * SUBSAMPLE_MAX]);
                let mut expected = Expected { paths, rows, is_leaf: [true; 2 * SUBSAMPLE_MAX] };
                expected.fill(forest.depth, cut, &forest.leaves[place(0)..place(nodes)]);
                assert!((expected.rows[1] - forest.subsample() as f64).abs() < 1e-9, "tree {tree}");
            }
        }
    }
}
