//! What every detector can do.

use crate::{CannotExplain, Columns, Explanation, Scratch};

/// A fitted model that says how strange rows are.
///
/// A score depends on the row and the model alone: not on the other rows of the batch, nor on their
/// order, nor on how a batch is split. It is never NaN. A value that is NaN is read as a very large
/// number, so a row with one is scored, not refused.
pub trait Detector {
    /// The number of features a row must have.
    fn features(&self) -> usize;

    /// The memory that the model holds beside its own size, in bytes.
    fn size_bytes(&self) -> usize;

    /// Writes the score of every row of `view`; higher is stranger.
    ///
    /// Allocates nothing once `scratch` has seen a batch of this size.
    ///
    /// # Panics
    /// If `view` has another number of features than [`features`](Self::features), or `scores`
    /// another length than `view` has rows.
    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch);

    /// Writes what each feature adds to the strangeness of one row; more is stranger.
    ///
    /// For the few rows that somebody looks at: it costs far more than a score, and allocates.
    ///
    /// # Errors
    /// [`CannotExplain`] by a detector whose score is no sum over features; `contributions` then mean nothing.
    ///
    /// # Panics
    /// If `view` has another number of features than [`features`](Self::features) or no such row, or there is another
    /// number of `contributions`.
    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<Explanation, CannotExplain>;
}

/// The shape check every [`Detector::score`] begins with.
pub(crate) fn assert_shapes(features: usize, view: &Columns<'_>, scores: &[f32]) {
    assert!(view.features() == features, "the model has {features} features, the batch {}", view.features());
    assert!(scores.len() == view.rows(), "{} scores for {} rows", scores.len(), view.rows());
}
