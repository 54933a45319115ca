//! The hot loops for processors with AVX2 or AVX-512, chosen at run time.
//!
//! Every function here gives the bits of its portable counterpart: comparisons, integer sums, and
//! float operations in the same order without fused multiply-add. The module holds all the unsafe
//! code of the crate.

#[cfg(not(target_arch = "x86_64"))]
mod portable {
    use super::Level;
    use crate::forest::Tree;

    pub(crate) fn add_path(_: Level, tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
        crate::forest::add_path(tree, tiles, features, paths);
    }

    pub(crate) fn squared_distances(_: Level, tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        crate::neighbours::squared_distances(tiles, row, distances);
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::{add_path, squared_distances};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{add_path, squared_distances};

/// The widest instructions this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Portable,
    /// 256-bit vectors with gathers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors with byte permutations (Ice Lake, Zen 4 and later).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Looks up what the processor has; cheap, the answer is remembered.
pub(crate) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let has_512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi");
        if has_512 {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Portable
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector loads, gathers, and calls of functions for a detected processor")]
mod x86 {
    use std::arch::x86_64::{
        __m512, __m512i, __mmask16, _CMP_NLT_UQ, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256,
        _mm256_castps_si256, _mm256_cmp_ps, _mm256_i32gather_epi32, _mm256_i32gather_ps, _mm256_loadu_si256,
        _mm256_set1_epi32, _mm256_setr_epi32, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_srlv_epi32,
        _mm256_storeu_si256, _mm256_sub_epi32, _mm512_add_epi32, _mm512_cmp_ps_mask, _mm512_i32gather_ps,
        _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_add_epi32, _mm512_mask_blend_epi32, _mm512_mask_blend_ps,
        _mm512_maskz_permutex2var_epi8, _mm512_maskz_permutex2var_epi16, _mm512_maskz_permutexvar_epi8,
        _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_setzero_si512,
        _mm512_slli_epi32, _mm512_storeu_si512, _mm512_test_epi32_mask,
    };

    use super::Level;
    use crate::forest::{LANES, Tree, add_path as add_path_portable};

    /// Adds to `paths` the path length of every lane of every tile in `tree`.
    ///
    /// The codes of `tree` must be below `features`.
    pub(crate) fn add_path(level: Level, tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
        let nodes = 1usize << tree.depth;
        let complete = tree.codes.len() == nodes && tree.thresholds.len() == nodes && tree.leaves.len() == nodes;
        assert!(complete, "a tree has 2^depth entries");
        assert!(tiles.len() == paths.len() * features, "one sum for each lane of the tiles");
        debug_assert!(tree.codes.iter().all(|&code| usize::from(code) < features), "codes name features");
        match level {
            // SAFETY: the level says that the processor has these instructions; shapes were checked above.
            Level::Avx512 if tree.depth == 8 => unsafe {
                match features {
                    1 => add_path_avx512::<1>(tree, tiles, features, paths),
                    2 => add_path_avx512::<2>(tree, tiles, features, paths),
                    3 => add_path_avx512::<3>(tree, tiles, features, paths),
                    4 => add_path_avx512::<4>(tree, tiles, features, paths),
                    _ => add_path_avx512::<0>(tree, tiles, features, paths),
                }
            },
            // SAFETY: as above.
            Level::Avx2 | Level::Avx512 if tree.depth >= 2 => unsafe { add_path_avx2(tree, tiles, features, paths) },
            Level::Avx2 | Level::Avx512 | Level::Portable => add_path_portable(tree, tiles, features, paths),
        }
    }

    /// A tree of depth 8 in vector registers: every lookup but that of the values is a permutation.
    struct Tables {
        thresholds: [__m512; 16],
        codes: [__m512i; 4],
        leaves: [__m512i; 8],
    }

    impl Tables {
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn load(tree: Tree<'_>) -> Self {
            let mut tables = Self {
                thresholds: [_mm512_setzero_ps(); 16],
                codes: [_mm512_setzero_si512(); 4],
                leaves: [_mm512_setzero_si512(); 8],
            };
            for (table, part) in tables.thresholds.iter_mut().zip(tree.thresholds.chunks_exact(16)) {
                // SAFETY: 16 floats are 64 bytes.
                *table = unsafe { _mm512_loadu_ps(part.as_ptr()) };
            }
            for (table, part) in tables.codes.iter_mut().zip(tree.codes.chunks_exact(64)) {
                // SAFETY: 64 codes are 64 bytes.
                *table = unsafe { _mm512_loadu_si512(part.as_ptr().cast()) };
            }
            for (table, part) in tables.leaves.iter_mut().zip(tree.leaves.chunks_exact(32)) {
                // SAFETY: 32 path lengths are 64 bytes.
                *table = unsafe { _mm512_loadu_si512(part.as_ptr().cast()) };
            }
            tables
        }

        /// The feature of each lane's node in `LEVEL`.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn code<const LEVEL: usize>(&self, node: __m512i) -> __m512i {
            const LOW_BYTES: u64 = 0x1111_1111_1111_1111;
            match LEVEL {
                ..=5 => _mm512_maskz_permutexvar_epi8(LOW_BYTES, node, self.codes[0]),
                6 => _mm512_maskz_permutexvar_epi8(LOW_BYTES, node, self.codes[1]),
                _ => _mm512_maskz_permutex2var_epi8(LOW_BYTES, self.codes[2], node, self.codes[3]),
            }
        }

        /// The threshold of each lane's node in `LEVEL`, where `turns` are the decisions of the levels above. A
        /// permutation reads the low five bits of a node.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn threshold<const LEVEL: usize>(&self, node: __m512i, turns: &[__mmask16; 8]) -> __m512 {
            let t = &self.thresholds;
            let of_32 = |i: usize| _mm512_permutex2var_ps(t[2 * i], node, t[2 * i + 1]);
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

        /// The path length at each lane's leaf, a node of level 8.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn leaf(&self, node: __m512i, turns: &[__mmask16; 8]) -> __m512i {
            const LOW_WORDS: u32 = 0x5555_5555;
            let l = &self.leaves;
            let of_64 = |i: usize| _mm512_maskz_permutex2var_epi16(LOW_WORDS, l[2 * i], node, l[2 * i + 1]);
            let low = _mm512_mask_blend_epi32(turns[1], of_64(0), of_64(1));
            let high = _mm512_mask_blend_epi32(turns[1], of_64(2), of_64(3));
            _mm512_mask_blend_epi32(turns[0], low, high)
        }
    }

    /// The values that the lanes of a tile compare in `LEVEL`, 0 to 4: those of all nodes of the level are loaded and
    /// the decisions of the levels above choose among them. `offsets` says where in a tile a node's feature is.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
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
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
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

    /// Sixteen rows at a time through a tree of depth 8; `F` is the number of features up to 4, or 0 for more.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn add_path_avx512<const F: usize>(tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
        let tables = Tables::load(tree);
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
                        unsafe { _mm512_i32gather_ps::<4>(index, tile.as_ptr()) }
                    };
                    turns[$level] = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(value, tables.threshold::<$level>(node, &turns));
                    node = _mm512_add_epi32(node, node);
                    node = _mm512_mask_add_epi32(node, turns[$level], node, one);
                )*};
            }
            descend!(0 1 2 3 4 5 6 7);
            let path = tables.leaf(node, &turns);
            // SAFETY: `sums` has 16 entries.
            unsafe {
                let sum = _mm512_loadu_si512(sums.as_ptr().cast());
                _mm512_storeu_si512(sums.as_mut_ptr().cast(), _mm512_add_epi32(sum, path));
            }
        }
    }

    /// Eight rows at a time through a tree of depth 2 or more, with gathers.
    #[target_feature(enable = "avx2")]
    fn add_path_avx2(tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
        const HALF: usize = LANES / 2;
        let (one, three) = (_mm256_set1_epi32(1), _mm256_set1_epi32(3));
        let last_leaf = _mm256_set1_epi32((1 << tree.depth) - 1);
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        for (half, sums) in paths.chunks_exact_mut(HALF).enumerate() {
            let tile = tiles[half / 2 * LANES * features..].as_ptr();
            let lane = _mm256_add_epi32(lane, _mm256_set1_epi32((half % 2 * HALF) as i32));
            let mut node = one;
            for _ in 0..tree.depth {
                // SAFETY: nodes are below 2^depth, at least 4, so the aligned four codes around a node exist;
                // codes are below the number of features of the tile.
                let (value, threshold) = unsafe {
                    let aligned = _mm256_andnot_si256(three, node);
                    let four = _mm256_i32gather_epi32::<1>(tree.codes.as_ptr().cast(), aligned);
                    let shift = _mm256_slli_epi32::<3>(_mm256_and_si256(node, three));
                    let code = _mm256_and_si256(_mm256_srlv_epi32(four, shift), _mm256_set1_epi32(0xff));
                    let index = _mm256_add_epi32(_mm256_slli_epi32::<4>(code), lane);
                    let value = _mm256_i32gather_ps::<4>(tile, index);
                    (value, _mm256_i32gather_ps::<4>(tree.thresholds.as_ptr(), node))
                };
                let right = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_NLT_UQ>(value, threshold));
                node = _mm256_sub_epi32(_mm256_add_epi32(node, node), right);
            }
            let leaf = _mm256_and_si256(node, last_leaf);
            // SAFETY: leaves are below 2^depth, so the aligned pair around one exists; `sums` has eight entries.
            unsafe {
                let pair = _mm256_i32gather_epi32::<4>(tree.leaves.as_ptr().cast(), _mm256_srli_epi32::<1>(leaf));
                let shift = _mm256_slli_epi32::<4>(_mm256_and_si256(leaf, one));
                let path = _mm256_and_si256(_mm256_srlv_epi32(pair, shift), _mm256_set1_epi32(0xffff));
                let sum = _mm256_loadu_si256(sums.as_ptr().cast());
                _mm256_storeu_si256(sums.as_mut_ptr().cast(), _mm256_add_epi32(sum, path));
            }
        }
    }

    /// The squared distance of `row` to every point in `tiles`.
    pub(crate) fn squared_distances(level: Level, tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        match level {
            // SAFETY: the level says that the processor has these instructions.
            Level::Avx512 => unsafe { squared_distances_avx512(tiles, row, distances) },
            // SAFETY: as above.
            Level::Avx2 => unsafe { squared_distances_avx2(tiles, row, distances) },
            Level::Portable => crate::neighbours::squared_distances(tiles, row, distances),
        }
    }

    #[target_feature(enable = "avx512f,fma")]
    fn squared_distances_avx512(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        crate::neighbours::squared_distances(tiles, row, distances);
    }

    #[target_feature(enable = "avx2,fma")]
    fn squared_distances_avx2(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        crate::neighbours::squared_distances(tiles, row, distances);
    }
}
