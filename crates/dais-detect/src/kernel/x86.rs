//! The loops for processors with AVX2 or AVX-512. Every function gives the bits of the portable one with its name.

mod distance;
mod growth;
mod lane;
mod walk;

pub(super) use distance::{kth_smallest_avx2, kth_smallest_avx512, squared_distances_avx2, squared_distances_avx512};
pub(super) use growth::{part_avx512, read_avx512};
pub(super) use walk::add_path_of_depth;
