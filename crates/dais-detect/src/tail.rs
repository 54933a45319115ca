//! Detectors that ask of each feature alone how rare its value is.

mod copod;
mod ecod;
mod hbos;
mod surprise;

pub use copod::{Copod, CopodParams};
pub use ecod::{Ecod, EcodParams};
pub use hbos::{Hbos, HbosParams};
pub use surprise::TailSum;
