//! Reading and parting the rows of a tree that grows.

use std::arch::x86_64::{
    __mmask16, _CMP_LT_OQ, _mm512_mask_cmp_ps_mask, _mm512_mask_cmplt_epu32_mask, _mm512_mask_max_ps,
    _mm512_mask_min_ps, _mm512_mask_storeu_epi32, _mm512_mask_storeu_ps, _mm512_maskz_compress_epi32,
    _mm512_maskz_loadu_epi32, _mm512_maskz_loadu_ps, _mm512_reduce_max_ps, _mm512_reduce_min_ps, _mm512_set1_epi32,
    _mm512_set1_ps,
};

use super::lane::{lanes_of, load_each};
use crate::kernel::tile::LANES;

/// As the portable code.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(in crate::kernel) fn read_avx512(column: &[f32], rows: &[u32], values: &mut [f32]) -> (f32, f32) {
    let count = _mm512_set1_epi32(u32::try_from(column.len()).expect("rows are numbered with 32 bits").cast_signed());
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

/// As the portable code; `rows`, `values` and `target` have one length.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(in crate::kernel) fn part_avx512(rows: &[u32], values: &[f32], threshold: f32, target: &mut [u32]) -> usize {
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
