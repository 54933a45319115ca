//! What the kernels read: rows in tiles, reference points in tiles, and trees.

use crate::Columns;

/// The rows of a tile: they walk a tree side by side.
pub(crate) const LANES: usize = 16;
/// Reference points lie in tiles of this many, feature after feature.
pub(crate) const TILE: usize = 64;
/// Distances are searched in chunks of this many.
pub(crate) const CHUNK: usize = 16;

/// One tree; all slices have `1 << depth` entries. Of `codes` and `thresholds` entry `i` is node `i` in heap
/// order from 1, entry 0 is unused; entry `i` of `leaves` is the path length at leaf `i` from the left.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a, C = u8> {
    pub(crate) depth: u8,
    pub(crate) codes: &'a [C],
    pub(crate) thresholds: &'a [f32],
    pub(crate) leaves: &'a [u16],
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
