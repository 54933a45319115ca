//! What learns from a stream, row after row, with bounded memory.

mod adwin;
mod half_space;
mod loda;
mod random_cut;
mod robust;
mod window;

pub use adwin::{Adwin, AdwinParams, Change};
pub use half_space::{HalfSpaceParams, HalfSpaceTrees};
pub use loda::{Loda, LodaParams};
pub use random_cut::{RandomCutForest, RandomCutParams};
pub use robust::{Admission, RobustBaseline, RobustBaselineParams};
