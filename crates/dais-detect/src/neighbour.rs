//! Detectors that measure the distance to the rows of the baseline.

mod distance;
mod lof;

pub use distance::{NeighbourDistance, NeighbourParams};
pub use lof::{Lof, LofParams};
