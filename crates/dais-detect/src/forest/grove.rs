//! Walking rows through the trees.

use serde::{Deserialize, Serialize};

use crate::columns::FEATURES_MAX;
use crate::kernel::{self, LANES, Level, Tree, lay_tiles};
use crate::{Columns, Scratch};

/// Up to this many features a node names its feature with 8 bits.
const NARROW_FEATURES_MAX: usize = 1 << 8;
/// The tiles of one block should stay in the first-level cache together with their sums.
const BLOCK_BYTES: usize = 16 * 1024;

/// The feature of every node, in the smallest type that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum FeatureCodes {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl FeatureCodes {
    /// `nodes` codes of 0, wide enough for so many features.
    pub(crate) fn new(nodes: usize, features: usize) -> Self {
        if features <= NARROW_FEATURES_MAX { Self::Narrow(vec![0; nodes]) } else { Self::Wide(vec![0; nodes]) }
    }

    /// The number of nodes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    /// Whether every code names one of so many features, and the width is the one that [`new`](Self::new) chooses.
    pub(crate) fn fits(&self, features: usize) -> bool {
        match self {
            Self::Narrow(codes) => {
                features <= NARROW_FEATURES_MAX && codes.iter().all(|&code| usize::from(code) < features)
            }
            Self::Wide(codes) => {
                (NARROW_FEATURES_MAX + 1..=FEATURES_MAX).contains(&features)
                    && codes.iter().all(|&code| usize::from(code) < features)
            }
        }
    }

    /// The memory, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Narrow(codes) => size_of_val(&codes[..]),
            Self::Wide(codes) => size_of_val(&codes[..]),
        }
    }
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
    let level = kernel::level();
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

fn add_paths(grove: Grove<'_>, tiles: &[f32], paths: &mut [u32], level: Level) {
    let features = grove.features;
    match grove.codes {
        FeatureCodes::Narrow(codes) => {
            trees(grove, codes).for_each(|tree| kernel::add_path(level, tree, tiles, features, paths));
        }
        FeatureCodes::Wide(codes) => {
            trees(grove, codes).for_each(|tree| kernel::add_path_of_wide(tree, tiles, features, paths));
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
