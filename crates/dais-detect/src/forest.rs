//! Forests of trees whose cuts are drawn at random.

mod cut;
mod extended;
mod grove;
mod isolation;
mod path;

pub use extended::{ExtendedForest, ExtendedForestParams};
pub(crate) use grove::{FeatureCodes, Grove, for_each_block};
pub use isolation::{ForestParams, IsolationForest};
