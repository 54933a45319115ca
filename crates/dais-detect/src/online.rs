//! Detectors that learn row after row.

use crate::{Columns, Detector, FitError};

/// A detector that learns from a stream, row after row, with bounded memory: learning does not change
/// [`size_bytes`](Detector::size_bytes).
///
/// The model depends on its parameters, its seed and the rows it learned in their order: not on how they were split into
/// batches. It forgets: after [`horizon`](Self::horizon) further rows no older row has a part in any score. Scoring does not
/// learn; a stream is usually scored first and learned afterwards, without the rows that were found to be attacks.
///
/// A model that has not learned a row yet gives every row the same score.
pub trait Online: Detector {
    /// Learns the rows of `view` from the first to the last. No rows change nothing.
    ///
    /// # Errors
    /// [`FitError::OtherFeatures`] for another number of features than [`features`](Detector::features) and
    /// [`FitError::NonFinite`] for a value that is not finite; the model is as it was before.
    fn learn(&mut self, view: Columns<'_>) -> Result<(), FitError>;

    /// The rows after which what was learned before no longer counts, at least 1.
    fn horizon(&self) -> usize;
}
