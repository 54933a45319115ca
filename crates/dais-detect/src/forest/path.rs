//! Walking rows through the trees.

use super::{FeatureCodes, SUBSAMPLE_MAX};
use crate::simd::{self, Level};
use crate::{Columns, Scratch};

/// The rows of a tile: they walk a tree side by side.
pub(crate) const LANES: usize = 16;
/// The tiles of one block should stay in the first-level cache together with their sums.
const BLOCK_BYTES: usize = 16 * 1024;

/// One tree; all slices have `1 << depth` entries. Of `codes` and `thresholds` entry `i` is node `i` in heap
/// order from 1, entry 0 is unused; entry `i` of `leaves` is the path length at leaf `i` from the left.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a, C = u8> {
    pub(crate) depth: u8,
    pub(crate) codes: &'a [C],
    pub(crate) thresholds: &'a [f32],
    pub(crate) leaves: &'a [u16],
}

/// Trees of one depth, laid one after the other: `1 << depth` entries each, as those of a [`Tree`].
#[derive(Clone, Copy)]
pub(crate) struct Grove<'a> {
    pub(crate) features: usize,
    pub(crate) depth: u8,
    pub(crate) codes: &'a FeatureCodes,
    pub(crate) thresholds: &'a [f32],
    pub(crate) leaves: &'a [u16],
}

/// Calls `each` for every block of rows with its first row and the sums over all trees of the leaves reached.
pub(crate) fn for_each_block(
    grove: Grove<'_>,
    view: Columns<'_>,
    scratch: &mut Scratch,
    mut each: impl FnMut(usize, &[u32]),
) {
    let level = simd::level();
    let block_rows = (BLOCK_BYTES / (4 * (view.features() + 1)) / LANES * LANES).clamp(8 * LANES, 64 * LANES);
    let Scratch { paths, tiles, .. } = scratch;
    let mut start = 0;
    while start < view.rows() {
        let end = view.rows().min(start + block_rows);
        lay_tiles(view.slice(start..end), tiles);
        paths.clear();
        paths.resize((end - start).next_multiple_of(LANES), 0);
        add_paths(grove, tiles, paths, level);
        each(start, &paths[..end - start]);
        start = end;
    }
}

/// Copies rows into tiles: the value of lane `l` in feature `k` at `tile[k * LANES + l]`. Lanes without a row are 0.
pub(crate) fn lay_tiles(rows: Columns<'_>, tiles: &mut Vec<f32>) {
    let tile_len = LANES * rows.features();
    tiles.clear();
    tiles.resize(rows.rows().div_ceil(LANES) * tile_len, 0.0);
    for feature in 0..rows.features() {
        let (whole, rest) = rows.column(feature).as_chunks::<LANES>();
        let mut places = tiles.chunks_exact_mut(tile_len).map(|tile| &mut tile[feature * LANES..][..LANES]);
        for (values, place) in whole.iter().zip(&mut places) {
            // Of known length: a few moves in place of a call.
            place.copy_from_slice(values);
        }
        if let Some(place) = places.next() {
            place[..rest.len()].copy_from_slice(rest);
        }
    }
}

fn add_paths(grove: Grove<'_>, tiles: &[f32], paths: &mut [u32], level: Level) {
    let features = grove.features;
    match grove.codes {
        FeatureCodes::Narrow(codes) => {
            trees(grove, codes).for_each(|tree| simd::add_path(level, tree, tiles, features, paths));
        }
        FeatureCodes::Wide(codes) => {
            trees(grove, codes).for_each(|tree| add_path(tree, tiles, features, paths));
        }
    }
}

fn trees<'a, C>(grove: Grove<'a>, codes: &'a [C]) -> impl Iterator<Item = Tree<'a, C>> {
    let nodes = 1 << grove.depth;
    let thresholds = grove.thresholds.chunks_exact(nodes);
    let leaves = grove.leaves.chunks_exact(nodes);
    codes.chunks_exact(nodes).zip(thresholds).zip(leaves).map(move |((codes, thresholds), leaves)| Tree {
        depth: grove.depth,
        codes,
        thresholds,
        leaves,
    })
}

/// Adds to `paths` the path length of every lane of every tile in `tree`; the portable code.
pub(crate) fn add_path<C: Copy + Into<usize>>(tree: Tree<'_, C>, tiles: &[f32], features: usize, paths: &mut [u32]) {
    const DEEPEST: usize = SUBSAMPLE_MAX;
    let (codes, thresholds, leaves) = (tree.codes, tree.thresholds, tree.leaves);
    let deepest: Option<(&[C; DEEPEST], &[f32; DEEPEST], &[u16; DEEPEST])> =
        codes.try_into().ok().zip(thresholds.try_into().ok()).zip(leaves.try_into().ok()).map(|((c, t), l)| (c, t, l));
    match deepest {
        // Every index is visibly below the length here: the loop has no checks but those of the features.
        Some((codes, thresholds, leaves)) => walk(tiles, features, paths, tree.depth, |node| {
            let node = node % DEEPEST;
            (codes[node].into(), thresholds[node], leaves[node])
        }),
        None => walk(tiles, features, paths, tree.depth, |node| {
            let node = node & (leaves.len() - 1);
            (codes[node].into(), thresholds[node], leaves[node])
        }),
    }
}

/// Walks all tiles; `entry` gives the feature, threshold and leaf with an index, counted from the first of its kind.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled once for each way to look up an entry")]
fn walk(tiles: &[f32], features: usize, paths: &mut [u32], depth: u8, entry: impl Fn(usize) -> (usize, f32, u16)) {
    let (columns, _) = tiles.as_chunks::<LANES>();
    let (groups, _) = paths.as_chunks_mut::<LANES>();
    for (tile, sums) in columns.chunks_exact(features).zip(groups) {
        let mut nodes = [1usize; LANES];
        for _ in 0..depth {
            for (lane, node) in nodes.iter_mut().enumerate() {
                let (feature, threshold, _) = entry(*node);
                let is_left = tile[feature][lane] < threshold;
                *node = 2 * *node + usize::from(!is_left);
            }
        }
        for (sum, node) in sums.iter_mut().zip(nodes) {
            let (_, _, leaf) = entry(node);
            *sum += u32::from(leaf);
        }
    }
}
