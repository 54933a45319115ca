//! Distances to reference points, and the nearest of them.

use std::arch::x86_64::{
    _CMP_LE_OQ, _CMP_LT_OQ, _mm512_cmp_ps_mask, _mm512_cmpge_epi32_mask, _mm512_loadu_ps, _mm512_mask_add_epi32,
    _mm512_mask_max_ps, _mm512_mask_reduce_min_ps, _mm512_min_ps, _mm512_reduce_max_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_ps,
};

use crate::kernel::portable;
use crate::kernel::tile::CHUNK;

/// The portable code with 512-bit vectors.
#[target_feature(enable = "avx512f,fma")]
pub(in crate::kernel) fn squared_distances_avx512(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
    portable::squared_distances(tiles, row, distances);
}

/// The portable code with 256-bit vectors.
#[target_feature(enable = "avx2,fma")]
pub(in crate::kernel) fn squared_distances_avx2(tiles: &[f32], row: &[f32], distances: &mut [f32]) {
    portable::squared_distances(tiles, row, distances);
}

/// As the portable code, at least `k` values are at most the `k`-th smallest of the lanes' minima; from there
/// the search goes down value by value, which is seldom more than two passes without a branch to guess.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
pub(in crate::kernel) fn kth_smallest_avx512(values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
    if k > CHUNK {
        return portable::kth_smallest(values, k, nearest);
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

/// The portable code with 256-bit vectors.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) fn kth_smallest_avx2(values: &[f32], k: usize, nearest: &mut Vec<f32>) -> f32 {
    portable::kth_smallest(values, k, nearest)
}
