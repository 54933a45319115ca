//! The hot loops for every processor; vector code has to give their bits.

use super::tile::{CHUNK, LANES, TILE, Tree};

/// Entries of a tree for which the compiler sees that no index is too large.
const DEEPEST: usize = 256;

/// Adds to `paths` the path length of every lane of every tile in `tree`.
pub(crate) fn add_path<C: Copy + Into<usize>>(tree: Tree<'_, C>, tiles: &[f32], features: usize, paths: &mut [u32]) {
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

/// Copies the values of `rows` in a column; returns the smallest and the largest.
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
/// the two parts is free: a tree depends on which rows are in a node alone.
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

/// The squared distance of `row` to every point in `tiles`, summed feature by feature.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled once for every instruction set of the callers in `x86`")]
pub(crate) fn squared_distances(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
    for (tile, distances) in tiles.chunks_exact(TILE * row.len()).zip(distances.chunks_exact_mut(TILE)) {
        let mut sums = [0.0f32; TILE];
        for (points, &value) in tile.chunks_exact(TILE).zip(row) {
            for (sum, &point) in sums.iter_mut().zip(points) {
                let difference = point - value;
                *sum = difference.mul_add(difference, *sum);
            }
        }
        distances.copy_from_slice(&sums);
    }
}

/// The `k`-th smallest value; `k` is at least 1 and at most their number, which is a multiple of 16.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled once for every instruction set of the callers in `x86`")]
pub(crate) fn kth_smallest(values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
    let (chunks, _) = values.as_chunks::<CHUNK>();
    let mut minima = [f32::INFINITY; CHUNK];
    for chunk in chunks {
        for (minimum, &value) in minima.iter_mut().zip(chunk) {
            *minimum = if value < *minimum { value } else { *minimum };
        }
    }
    // At least `k` values are at most the `k`-th smallest of the lanes' minima: little is left to sort.
    let mut bound = f32::INFINITY;
    for &minimum in &minima {
        let is_closer = minimum < bound && at_most(&minima, minimum).count_ones() as usize >= k;
        bound = if is_closer { minimum } else { bound };
    }
    nearest.clear();
    nearest.resize(k, f32::INFINITY);
    for chunk in chunks {
        let mut candidates = at_most(chunk, bound);
        while candidates != 0 {
            insert(nearest, chunk[candidates.trailing_zeros() as usize % CHUNK]);
            candidates &= candidates - 1;
        }
    }
    nearest[k - 1]
}

/// One bit for each value: whether it is at most `bound`.
fn at_most(chunk: &[f32; CHUNK], bound: f32) -> u16 {
    chunk.iter().rev().fold(0, |bits, &value| bits << 1 | u16::from(value <= bound))
}

/// Puts a value in its place among rising ones and drops the largest.
fn insert(rising: &mut [f32], value: f32) {
    let mut place = rising.len() - 1;
    if value >= rising[place] {
        return;
    }
    while place > 0 && rising[place - 1] > value {
        rising[place] = rising[place - 1];
        place -= 1;
    }
    rising[place] = value;
}
