//! The hot loops for processors with AVX2 or AVX-512, chosen at run time.
//!
//! Every function here gives the bits of its portable counterpart: comparisons, integer sums, and
//! float operations in the same order without fused multiply-add. The module holds all the unsafe
//! code of the crate.

#[cfg(not(target_arch = "x86_64"))]
mod portable {
    use super::Level;
    use crate::forest::{self, Tree};
    use crate::neighbours;

    pub(crate) fn add_path(_: Level, tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
        forest::add_path(tree, tiles, features, paths);
    }

    pub(crate) fn read(_: Level, column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
        forest::read(column, rows, values)
    }

    pub(crate) fn part(_: Level, rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
        forest::part(rows, values, threshold, target)
    }

    pub(crate) fn kth_smallest(_: Level, values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
        neighbours::kth_smallest(values, k, nearest)
    }

    pub(crate) fn squared_distances(_: Level, tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        neighbours::squared_distances(tiles, row, distances);
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::{add_path, kth_smallest, part, read, squared_distances};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{add_path, kth_smallest, part, read, squared_distances};

/// The widest instructions this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Portable,
    /// 256-bit vectors with fused multiply-add, for distances.
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
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt");
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
        __m512, __m512i, __mmask16, _CMP_LE_OQ, _CMP_LT_OQ, _CMP_NLT_UQ, _mm512_add_epi32, _mm512_cmp_ps_mask,
        _mm512_cmpge_epi32_mask, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_add_epi32, _mm512_mask_blend_epi32,
        _mm512_mask_blend_ps, _mm512_mask_cmp_ps_mask, _mm512_mask_cmplt_epu32_mask, _mm512_mask_max_ps,
        _mm512_mask_min_ps, _mm512_mask_reduce_min_ps, _mm512_mask_storeu_epi32, _mm512_mask_storeu_ps,
        _mm512_maskz_compress_epi32, _mm512_maskz_loadu_epi32, _mm512_maskz_loadu_ps, _mm512_maskz_permutex2var_epi8,
        _mm512_maskz_permutex2var_epi16, _mm512_maskz_permutexvar_epi8, _mm512_min_ps, _mm512_permutex2var_ps,
        _mm512_reduce_max_ps, _mm512_reduce_min_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi32,
        _mm512_setr_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_storeu_ps,
        _mm512_storeu_si512, _mm512_test_epi32_mask,
    };

    use super::Level;
    use crate::forest::{self, LANES, Tree};
    use crate::neighbours::{self, CHUNK};

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
            Level::Avx512 if tree.depth == 8 => unsafe { add_path_of_depth::<8>(tree, tiles, features, paths) },
            // SAFETY: as above.
            Level::Avx512 if tree.depth == 7 => unsafe { add_path_of_depth::<7>(tree, tiles, features, paths) },
            Level::Avx2 | Level::Avx512 | Level::Portable => forest::add_path(tree, tiles, features, paths),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn add_path_of_depth<const D: usize>(tree: Tree<'_>, tiles: &[f32], features: usize, paths: &mut [u32]) {
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

    /// The values at these places, by single loads: on the processors that were measured quicker than a gather.
    ///
    /// # Safety
    /// Every place is below the number of `values`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    unsafe fn load_each(values: &[f32], places: &[u32; LANES]) -> __m512 {
        // SAFETY: as the caller promises.
        let at = |lane: usize| unsafe { *values.get_unchecked(places[lane] as usize) };
        let (a, b, c, d) = (at(0), at(1), at(2), at(3));
        let (e, f, g, h) = (at(4), at(5), at(6), at(7));
        let (i, j, k, l) = (at(8), at(9), at(10), at(11));
        let (m, n, o, p) = (at(12), at(13), at(14), at(15));
        _mm512_setr_ps(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn lanes_of(vector: __m512i) -> [u32; LANES] {
        let mut lanes = [0; LANES];
        // SAFETY: 16 lanes are 64 bytes.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) };
        lanes
    }

    /// Sixteen rows at a time through a tree of depth `D`, 7 or 8; `F` is the number of features up to 4, or 0 for more.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn add_path_avx512<const D: usize, const F: usize>(
        tree: Tree<'_>,
        tiles: &[f32],
        features: usize,
        paths: &mut [u32],
    ) {
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

    /// Copies the values of `rows` in a column; returns the smallest and the largest (of the two zeros, either).
    pub(crate) fn read(level: Level, column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
        match level {
            // SAFETY: the level says that the processor has these instructions.
            Level::Avx512 => unsafe { read_avx512(column, rows, values) },
            Level::Avx2 | Level::Portable => forest::read(column, rows, values),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn read_avx512(column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
        let count = _mm512_set1_epi32(i32::try_from(column.len()).expect("trees are grown on few rows"));
        let (mut low, mut high) = (_mm512_set1_ps(f32::INFINITY), _mm512_set1_ps(f32::NEG_INFINITY));
        for (rows, values) in rows.chunks(LANES).zip(values.chunks_mut(LANES)) {
            let active = u16::MAX >> (LANES - rows.len().min(values.len()));
            // SAFETY: `active` covers no more than the rows and values of this chunk, and every row that is
            // gathered has been compared with the length of the column.
            unsafe {
                let index = _mm512_maskz_loadu_epi32(active, rows.as_ptr().cast());
                assert!(_mm512_mask_cmplt_epu32_mask(active, index, count) == active, "a row outside of its column");
                let value = match rows.as_array() {
                    Some(rows) => load_each(column, rows),
                    None => load_each(column, &lanes_of(index)),
                };
                _mm512_mask_storeu_ps(values.as_mut_ptr(), active, value);
                low = _mm512_mask_min_ps(low, active, low, value);
                high = _mm512_mask_max_ps(high, active, high, value);
            }
        }
        (_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high))
    }

    /// Copies `rows` so that those with a value below `threshold` come first; returns their number.
    pub(crate) fn part(level: Level, rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
        assert!(rows.len() == values.len() && rows.len() == target.len(), "a value and a place for each row");
        match level {
            // SAFETY: the level says that the processor has these instructions.
            Level::Avx512 => unsafe { part_avx512(rows, values, threshold, target) },
            Level::Avx2 | Level::Portable => forest::part(rows, values, threshold, target),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn part_avx512(rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
        let threshold = _mm512_set1_ps(threshold);
        let (mut front, mut back) = (0, target.len());
        for (rows, values) in rows.chunks(LANES).zip(values.chunks(LANES)) {
            let active = u16::MAX >> (LANES - rows.len());
            // SAFETY: `active` covers exactly the rows and values of this chunk; as many places are written at the
            // front and at the back together as rows were read, and `target` is as long as all rows.
            unsafe {
                let row = _mm512_maskz_loadu_epi32(active, rows.as_ptr().cast());
                let value = _mm512_maskz_loadu_ps(active, values.as_ptr());
                let left = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(active, value, threshold);
                let right = active & !left;
                let (lefts, rights) = (left.count_ones() as usize, right.count_ones() as usize);
                back -= rights;
                let (to_front, to_back) = (target.as_mut_ptr().add(front), target.as_mut_ptr().add(back));
                let of_left = _mm512_maskz_compress_epi32(left, row);
                let of_right = _mm512_maskz_compress_epi32(right, row);
                _mm512_mask_storeu_epi32(to_front.cast(), low_bits(lefts), of_left);
                _mm512_mask_storeu_epi32(to_back.cast(), low_bits(rights), of_right);
                front += lefts;
            }
        }
        front
    }

    /// The lowest `count` bits, at most 16.
    fn low_bits(count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }

    /// The squared distance of `row` to every point in `tiles`.
    pub(crate) fn squared_distances(level: Level, tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        match level {
            // SAFETY: the level says that the processor has these instructions.
            Level::Avx512 => unsafe { squared_distances_avx512(tiles, row, distances) },
            // SAFETY: as above.
            Level::Avx2 => unsafe { squared_distances_avx2(tiles, row, distances) },
            Level::Portable => neighbours::squared_distances(tiles, row, distances),
        }
    }

    #[target_feature(enable = "avx512f,fma")]
    fn squared_distances_avx512(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        neighbours::squared_distances(tiles, row, distances);
    }

    #[target_feature(enable = "avx2,fma")]
    fn squared_distances_avx2(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
        neighbours::squared_distances(tiles, row, distances);
    }

    /// The `k`-th smallest value; `k` is at least 1 and at most their number, a multiple of 16.
    pub(crate) fn kth_smallest(level: Level, values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
        match level {
            // SAFETY: the level says that the processor has these instructions.
            Level::Avx512 => unsafe { kth_smallest_avx512(values, k, nearest) },
            // SAFETY: as above.
            Level::Avx2 => unsafe { kth_smallest_avx2(values, k, nearest) },
            Level::Portable => neighbours::kth_smallest(values, k, nearest),
        }
    }

    /// As the portable code, at least `k` values are at most the `k`-th smallest of the lanes' minima; from there
    /// the search goes down value by value, which is seldom more than two passes without a branch to guess.
    #[target_feature(enable = "avx512f,avx512bw,popcnt")]
    fn kth_smallest_avx512(values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
        if k > CHUNK {
            return neighbours::kth_smallest(values, k, nearest);
        }
        // SAFETY: a chunk is 16 floats.
        let load = |chunk: &[f32; CHUNK]| unsafe { _mm512_loadu_ps(chunk.as_ptr()) };
        let (chunks, _) = values.as_chunks::<CHUNK>();
        let minima = chunks.iter().fold(_mm512_set1_ps(f32::INFINITY), |minima, c| _mm512_min_ps(minima, load(c)));
        let mut each = [0.0f32; CHUNK];
        // SAFETY: 16 lanes are 64 bytes.
        unsafe { _mm512_storeu_ps(each.as_mut_ptr(), minima) };
        let (one, mut ranks) = (_mm512_set1_epi32(1), _mm512_setzero_si512());
        for &minimum in &each {
            let not_below = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_set1_ps(minimum), minima);
            ranks = _mm512_mask_add_epi32(ranks, not_below, ranks, one);
        }
        let enough = _mm512_cmpge_epi32_mask(ranks, _mm512_set1_epi32(k as i32));
        let mut bound = _mm512_mask_reduce_min_ps(enough, minima);
        let at_most = |chunk| _mm512_cmp_ps_mask::<_CMP_LE_OQ>(load(chunk), _mm512_set1_ps(bound)).count_ones();
        let mut count = chunks.iter().map(at_most).sum::<u32>() as usize;
        while count > k {
            let (limit, mut below, mut largest) = (_mm512_set1_ps(bound), 0, _mm512_set1_ps(f32::NEG_INFINITY));
            for chunk in chunks {
                let mask = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(load(chunk), limit);
                below += mask.count_ones() as usize;
                largest = _mm512_mask_max_ps(largest, mask, largest, load(chunk));
            }
            if below < k {
                break;
            }
            (bound, count) = (_mm512_reduce_max_ps(largest), below);
        }
        bound
    }

    #[target_feature(enable = "avx2")]
    fn kth_smallest_avx2(values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
        neighbours::kth_smallest(values, k, nearest)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
