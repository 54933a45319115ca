//! The hot loops, with vectors where the processor has them. All unsafe code of the crate is here.

#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls of functions for a detected processor"))]
mod dispatch;
mod portable;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vector loads, and stores of as many lanes as there are places")]
mod x86;

pub(crate) use dispatch::{Level, add_path, kth_smallest, level, part, read, squared_distances};
pub(crate) use portable::add_path as add_path_of_wide;
pub(crate) use tile::{CHUNK, LANES, TILE, Tree, lay_tiles};
