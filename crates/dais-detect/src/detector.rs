//! What every detector can do.

use crate::{CannotExplain, Columns, Explanation, FitScratch};

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

/// Reusable buffers for fitting and scoring; one for each thread.
///
/// The buffers grow to the largest batch seen and stay. What they hold between two calls does not
/// matter for any result.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Buffers for growing forests.
    pub fit: FitScratch,
    /// Summed path lengths of a block of rows.
    pub(crate) paths: Vec<u32>,
    /// A block of rows in tiles.
    pub(crate) tiles: Vec<f32>,
    /// Standardised values of a row, distances to the reference points, nearest distances.
    pub(crate) neighbour: NeighbourScratch,
    /// Standardised values of a block of rows, their projections and their summed surprises.
    pub(crate) loda: LodaScratch,
    /// The baseline rows an ensemble is calibrated on.
    pub(crate) chosen_rows: Vec<f32>,
    /// Scores of one member of an ensemble.
    pub(crate) member_scores: Vec<f32>,
    /// Sums of left, right and skewed tails of a block of rows.
    pub(crate) tail_sums: Vec<[f32; 3]>,
}

/// Buffers for one query of the neighbour search.
#[derive(Debug, Default)]
pub(crate) struct NeighbourScratch {
    pub(crate) standardised: Vec<f32>,
    pub(crate) distances: Vec<f32>,
    pub(crate) nearest: Vec<f32>,
    /// Reference points that may be among the nearest, with their distances.
    pub(crate) candidates: Vec<(usize, f32)>,
}

/// Buffers for a block of rows that is projected.
#[derive(Debug, Default)]
pub(crate) struct LodaScratch {
    pub(crate) standardised: Vec<f32>,
    pub(crate) places: Vec<f32>,
    pub(crate) sums: Vec<u32>,
}

impl Scratch {
    /// The memory held, in bytes.
    pub fn capacity_bytes(&self) -> usize {
        let floats = self.tiles.capacity()
            + self.neighbour.standardised.capacity()
            + self.neighbour.distances.capacity()
            + self.neighbour.nearest.capacity()
            + self.loda.standardised.capacity()
            + self.loda.places.capacity()
            + self.loda.sums.capacity()
            + self.chosen_rows.capacity()
            + self.member_scores.capacity();
        4 * (floats + self.paths.capacity())
            + 12 * self.tail_sums.capacity()
            + 16 * self.neighbour.candidates.capacity()
            + self.fit.capacity_bytes()
    }
}
