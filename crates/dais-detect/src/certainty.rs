//! How sure a score is: p-values, and where nothing can be known.

mod calibration;
mod judge;
mod judgement;
mod support;

pub use calibration::Calibration;
pub use judge::{Judge, rows_needed};
pub use judgement::{Judgement, Unknown};
pub use support::{Support, SupportParams};
