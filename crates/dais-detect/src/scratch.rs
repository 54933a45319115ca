//! Buffers that are used again.

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

/// Reusable buffers for [`ForestParams::fit_in`](crate::ForestParams::fit_in).
#[derive(Debug, Default)]
pub struct FitScratch {
    /// A permutation of all rows to draw from, if the view is small.
    pub(crate) deck: Vec<u32>,
    /// One bit for each row that was drawn, if the view is large.
    pub(crate) taken: Vec<u64>,
    /// All features; those known to be constant in the current node come first.
    pub(crate) features: Vec<u16>,
    /// Random words that were generated and not used yet.
    pub(crate) words: Vec<u32>,
}

impl FitScratch {
    /// The memory held, in bytes.
    pub fn capacity_bytes(&self) -> usize {
        4 * (self.deck.capacity() + self.words.capacity()) + 2 * self.features.capacity() + 8 * self.taken.capacity()
    }
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
