//! Single lanes of vectors.

use std::arch::x86_64::{__m512, __m512i, _mm512_setr_ps, _mm512_storeu_si512};

use crate::kernel::tile::LANES;

/// The values at these places, by single loads: on the processors that were measured quicker than a gather.
///
/// # Safety
/// Every place is below the number of `values`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(super) unsafe fn load_each(values: &[f32], places: &[u32; LANES]) -> __m512 {
    // SAFETY: as the caller promises.
    let at = |lane: usize| unsafe { *values.get_unchecked(places[lane] as usize) };
    let (a, b, c, d) = (at(0), at(1), at(2), at(3));
    let (e, f, g, h) = (at(4), at(5), at(6), at(7));
    let (i, j, k, l) = (at(8), at(9), at(10), at(11));
    let (m, n, o, p) = (at(12), at(13), at(14), at(15));
    _mm512_setr_ps(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
}

/// The lanes of a vector one by one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(super) fn lanes_of(vector: __m512i) -> [u32; LANES] {
    let mut lanes = [0; LANES];
    // SAFETY: 16 lanes are 64 bytes.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) };
    lanes
}
