//! Walking rows through a tree.

use std::arch::x86_64::{
    __m512, __m512i, __mmask16, _CMP_NLT_UQ, _mm512_add_epi32, _mm512_cmp_ps_mask, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_add_epi32, _mm512_mask_blend_epi32, _mm512_mask_blend_ps, _mm512_maskz_permutex2var_epi8,
    _mm512_maskz_permutex2var_epi16, _mm512_maskz_permutexvar_epi8, _mm512_permutex2var_ps, _mm512_set1_epi32,
    _mm512_setr_epi32, _mm512_setzero_ps, _mm512_slli_epi32, _mm512_storeu_si512, _mm512_test_epi32_mask,
};

use super::lane::{lanes_of, load_each};
use crate::kernel::tile::{LANES, Tree};

/// As the portable code, through a tree of depth `D`, 7 or 8.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(in crate::kernel) fn add_path_of_depth<const D: usize>(
    tree: Tree<'_>,
    tiles: &[f32],
    features: usize,
    paths: &mut [u32],
) {
    match features {
        1 => add_path_avx512::<D, 1>(tree, tiles, features, paths),
        2 => add_path_avx512::<D, 2>(tree, tiles, features, paths),
        3 => add_path_avx512::<D, 3>(tree, tiles, features, paths),
        4 => add_path_avx512::<D, 4>(tree, tiles, features, paths),
        _ => add_path_avx512::<D, 0>(tree, tiles, features, paths),
    }
}

/// The tables of a tree of depth 7 or 8: every lookup but that of the values is a permutation of whole vectors.
struct Tables<'a>(Tree<'a>);

impl Tables<'_> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn thresholds(&self, part: usize) -> __m512 {
        // SAFETY: `part` is below 2^depth / 16.
        unsafe { _mm512_loadu_ps(self.0.thresholds.as_ptr().add(16 * part)) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn codes(&self, part: usize) -> __m512i {
        // SAFETY: `part` is below 2^depth / 64.
        unsafe { _mm512_loadu_si512(self.0.codes.as_ptr().add(64 * part).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn leaves(&self, part: usize) -> __m512i {
        // SAFETY: `part` is below 2^depth / 32.
        unsafe { _mm512_loadu_si512(self.0.leaves.as_ptr().add(32 * part).cast()) }
    }

    /// The feature of each lane's node in `LEVEL`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn code<const LEVEL: usize>(&self, node: __m512i) -> __m512i {
        const LOW_BYTES: u64 = 0x1111_1111_1111_1111;
        match LEVEL {
            ..=5 => _mm512_maskz_permutexvar_epi8(LOW_BYTES, node, self.codes(0)),
            6 => _mm512_maskz_permutexvar_epi8(LOW_BYTES, node, self.codes(1)),
            _ => _mm512_maskz_permutex2var_epi8(LOW_BYTES, self.codes(2), node, self.codes(3)),
        }
    }

    /// The threshold of each lane's node in `LEVEL`, where `turns` are the decisions of the levels above. A
    /// permutation reads the low five bits of a node.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn threshold<const LEVEL: usize>(&self, node: __m512i, turns: &[__mmask16; 8]) -> __m512 {
        let of_32 = |i: usize| _mm512_permutex2var_ps(self.thresholds(2 * i), node, self.thresholds(2 * i + 1));
        match LEVEL {
            ..=4 => of_32(0),
            5 => of_32(1),
            6 => _mm512_mask_blend_ps(turns[0], of_32(2), of_32(3)),
            _ => {
                let low = _mm512_mask_blend_ps(turns[1], of_32(4), of_32(5));
                let high = _mm512_mask_blend_ps(turns[1], of_32(6), of_32(7));
                _mm512_mask_blend_ps(turns[0], low, high)
            }
        }
    }

    /// The path length at each lane's leaf, a node of level `D`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn leaf<const D: usize>(&self, node: __m512i, turns: &[__mmask16; 8]) -> __m512i {
        const LOW_WORDS: u32 = 0x5555_5555;
        let of_64 =
            |i: usize| _mm512_maskz_permutex2var_epi16(LOW_WORDS, self.leaves(2 * i), node, self.leaves(2 * i + 1));
        if D == 7 {
            return _mm512_mask_blend_epi32(turns[0], of_64(0), of_64(1));
        }
        let low = _mm512_mask_blend_epi32(turns[1], of_64(0), of_64(1));
        let high = _mm512_mask_blend_epi32(turns[1], of_64(2), of_64(3));
        _mm512_mask_blend_epi32(turns[0], low, high)
    }
}

/// The values that the lanes of a tile compare in `LEVEL`, 0 to 4: those of all nodes of the level are loaded and
/// the decisions of the levels above choose among them. `offsets` says where in a tile a node's feature is.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
fn value_of_level<const LEVEL: usize>(tile: &[f32], offsets: &[usize; 32], turns: &[__mmask16; 8]) -> __m512 {
    let nodes = (1 << LEVEL).min(16);
    let mut values = [_mm512_setzero_ps(); 16];
    for (value, &offset) in values[..nodes].iter_mut().zip(&offsets[nodes..2 * nodes]) {
        // SAFETY: a node's feature is below the number of features of the tile, and has 16 lanes.
        *value = unsafe { _mm512_loadu_ps(tile.as_ptr().add(offset)) };
    }
    for above in (0..LEVEL.min(4)).rev() {
        for node in 0..1 << above {
            values[node] = _mm512_mask_blend_ps(turns[above], values[2 * node], values[2 * node + 1]);
        }
    }
    values[0]
}

/// The value of each lane's feature in a tile of exactly `F` features, 1 to 4.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
fn value_of_few<const F: usize>(tile: &[f32], code: __m512i) -> __m512 {
    // SAFETY: the tile has `F` features of 16 lanes; with fewer than four the last is named again.
    let of = |feature: usize| unsafe { _mm512_loadu_ps(tile.as_ptr().add(feature.min(F - 1) * LANES)) };
    let bit_0 = _mm512_test_epi32_mask(code, _mm512_set1_epi32(1));
    let low = if F > 1 { _mm512_mask_blend_ps(bit_0, of(0), of(1)) } else { of(0) };
    if F < 3 {
        return low;
    }
    let bit_1 = _mm512_test_epi32_mask(code, _mm512_set1_epi32(2));
    let high = if F > 3 { _mm512_mask_blend_ps(bit_0, of(2), of(3)) } else { of(2) };
    _mm512_mask_blend_ps(bit_1, low, high)
}

/// Sixteen rows at a time through a tree of depth `D`, 7 or 8; `F` is the number of features up to 4, or 0 for more.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
fn add_path_avx512<const D: usize, const F: usize>(tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
    let tables = Tables(tree);
    let mut offsets = [0; 32];
    for (offset, &code) in offsets.iter_mut().zip(tree.codes) {
        *offset = usize::from(code) * LANES;
    }
    // Opaque, or the compiler turns the masked addition below into three instructions.
    let one = std::hint::black_box(_mm512_set1_epi32(1));
    let lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let direct_levels = if F == 0 { 5 } else { 3 };
    for (tile, sums) in tiles.chunks_exact(LANES * features).zip(paths.chunks_exact_mut(LANES)) {
        let mut node = one;
        let mut turns: [__mmask16; 8] = [0; 8];
        // Written out, so that every lookup is compiled for its level.
        macro_rules! descend {
            ($($level:literal)*) => {$(
                let value = if $level < direct_levels {
                    value_of_level::<$level>(tile, &offsets, &turns)
                } else if F > 0 {
                    value_of_few::<F>(tile, tables.code::<$level>(node))
                } else {
                    let index = _mm512_add_epi32(_mm512_slli_epi32::<4>(tables.code::<$level>(node)), lane);
                    // SAFETY: codes are below the number of features of the tile.
                    unsafe { load_each(tile, &lanes_of(index)) }
                };
                turns[$level] = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(value, tables.threshold::<$level>(node, &turns));
                node = _mm512_add_epi32(node, node);
                node = _mm512_mask_add_epi32(node, turns[$level], node, one);
            )*};
        }
        descend!(0 1 2 3 4 5 6);
        if D == 8 {
            descend!(7);
        }
        let path = tables.leaf::<D>(node, &turns);
        // SAFETY: `sums` has 16 entries.
        unsafe {
            let sum = _mm512_loadu_si512(sums.as_ptr().cast());
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), _mm512_add_epi32(sum, path));
        }
    }
}
