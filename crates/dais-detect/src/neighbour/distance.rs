//! Distance to the k-th nearest neighbour.

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::draw::evenly_spaced;
use crate::explanation::assert_explained;
use crate::kernel::{self, TILE};
use crate::moment::{SPREAD_FLOOR, STANDARDISED_MAX, mean_and_deviation, standardise};
use crate::scratch::NeighbourScratch;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// The largest `k`: the nearest distances are kept in a sorted list.
const K_MAX: usize = 64;

/// How a [`NeighbourDistance`] is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NeighbourParams {
    /// Which neighbour counts, 1 to 64. A larger `k` forgives small groups of equal strange rows in the baseline.
    pub k: usize,
    /// The most reference points kept, at least 1. Of a larger view evenly spaced rows are kept.
    pub reference_max: usize,
}

impl Default for NeighbourParams {
    /// The 5th neighbour among at most 256 points: as good as 512 in whole runs on NSL-KDD, at half the cost.
    fn default() -> Self {
        Self { k: 5, reference_max: 256 }
    }
}

impl NeighbourParams {
    /// Standardises the rows of `view` and keeps them as reference points.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<NeighbourDistance, FitError> {
        self.check(&view)?;
        let (rows, features) = (view.rows(), view.features());
        let references = rows.min(self.reference_max);
        let mut centres = Vec::with_capacity(features);
        let mut scales = Vec::with_capacity(features);
        let mut tiles = vec![STANDARDISED_MAX; references.div_ceil(TILE) * TILE * features];
        for feature in 0..features {
            let column = view.column(feature);
            let (mean, deviation) = mean_and_deviation(column);
            let (centre, scale) = (mean as f32, (1.0 / (deviation + SPREAD_FLOOR)) as f32);
            for reference in 0..references {
                let place = (reference / TILE * features + feature) * TILE + reference % TILE;
                tiles[place] = standardise(column[evenly_spaced(reference, references, rows)], centre, scale);
            }
            centres.push(centre);
            scales.push(scale);
        }
        Ok(NeighbourDistance { k: self.k, references, centres, scales, tiles })
    }

    fn check(&self, view: &Columns<'_>) -> Result<(), FitError> {
        if !(1..=K_MAX).contains(&self.k) {
            return Err(FitError::Parameter { name: "k", value: self.k as f64, expected: "1 to 64" });
        }
        if self.reference_max == 0 {
            return Err(FitError::Parameter { name: "reference_max", value: 0.0, expected: "at least 1" });
        }
        view.check_learnable()
    }
}

/// Distance to the `k`-th nearest neighbour: rows far from everything in the baseline are strange.
///
/// Every feature is standardised by the mean and the standard deviation of the baseline (plus 0.05, so
/// that a constant feature does not divide by zero); the score is the *squared* Euclidean distance to
/// the `k`-th nearest reference point, so it is at least 0 and grows without bound. With fewer than `k` points
/// the farthest counts.
///
/// Good at rows that are strange in the combination of features, and at small deviations from a tight
/// baseline. Weak where many features are noise, and blind to an attack with `k` rows or more in the
/// baseline.
///
/// A value that is NaN or beyond 1e9 standard deviations counts as 1e9.
///
/// Cost: `references * features` floats of memory and multiplications for each row.
///
/// ```
/// use dais_detect::{Columns, Detector, NeighbourParams, Scratch};
///
/// let baseline = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
/// let model = NeighbourParams { k: 1, ..Default::default() }.fit(Columns::new(&baseline, 6, 1))?;
///
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[2.0, 2.5, 9.0], 3, 1), &mut scores, &mut Scratch::default());
/// assert_eq!(scores[0], 0.0);
/// assert!(scores[2] > 50.0 * scores[1]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: S. Ramaswamy, R. Rastogi, K. Shim, "Efficient Algorithms for Mining Outliers from Large
/// Data Sets", SIGMOD 2000.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NeighbourParts")]
pub struct NeighbourDistance {
    k: usize,
    references: usize,
    centres: Vec<f32>,
    scales: Vec<f32>,
    /// Value `j` of feature `f` in tile `t` at `(t * features + f) * TILE + j`.
    tiles: Vec<f32>,
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct NeighbourParts {
    k: usize,
    references: usize,
    centres: Vec<f32>,
    scales: Vec<f32>,
    tiles: Vec<f32>,
}

impl TryFrom<NeighbourParts> for NeighbourDistance {
    type Error = &'static str;

    fn try_from(parts: NeighbourParts) -> Result<Self, Self::Error> {
        let NeighbourParts { k, references, centres, scales, tiles } = parts;
        if !(1..=K_MAX).contains(&k) || references == 0 || centres.is_empty() {
            return Err("a neighbour model needs k of 1 to 64, a reference point and a feature");
        }
        let values = references.div_ceil(TILE).checked_mul(TILE * centres.len());
        if scales.len() != centres.len() || values != Some(tiles.len()) {
            return Err("the parts of a neighbour model differ in their number of features or points");
        }
        if centres.iter().chain(&scales).chain(&tiles).any(|value| !value.is_finite()) {
            return Err("a value of a neighbour model is not finite");
        }
        Ok(Self { k, references, centres, scales, tiles })
    }
}

impl NeighbourDistance {
    /// Which neighbour counts.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The number of reference points.
    pub fn references(&self) -> usize {
        self.references
    }

    /// The scores of the reference points with these indices, each without itself as a neighbour.
    pub(crate) fn score_references(
        &self,
        indices: impl Iterator<Item = usize>,
        scores: &mut [f32],
        scratch: &mut NeighbourScratch,
    ) {
        for (score, index) in scores.iter_mut().zip(indices) {
            let others = self.measure_reference(index, scratch);
            *score = self.kth_smallest(others, scratch);
        }
    }

    /// Puts the squared distances of a reference point to all points into `scratch`, infinite for the point itself and
    /// behind the last; returns the number of finite ones.
    pub(crate) fn measure_reference(&self, index: usize, scratch: &mut NeighbourScratch) -> usize {
        let features = self.centres.len();
        scratch.standardised.clear();
        let tile = &self.tiles[index / TILE * features * TILE..];
        let own = (0..features).map(|feature| tile[feature * TILE + index % TILE]);
        scratch.standardised.extend(own);
        self.measure(scratch);
        scratch.distances[index] = f32::INFINITY;
        self.references - 1
    }

    /// As [`measure_reference`](Self::measure_reference), for a row of `view`.
    pub(crate) fn measure_row(&self, view: &Columns<'_>, row: usize, scratch: &mut NeighbourScratch) -> usize {
        scratch.standardised.clear();
        for (feature, (&centre, &scale)) in self.centres.iter().zip(&self.scales).enumerate() {
            scratch.standardised.push(standardise(view.column(feature)[row], centre, scale));
        }
        self.measure(scratch);
        self.references
    }

    /// The squared distances of the standardised row in `scratch`.
    fn measure(&self, scratch: &mut NeighbourScratch) {
        let NeighbourScratch { standardised, distances, .. } = scratch;
        distances.resize(self.tiles.len() / self.centres.len(), 0.0);
        kernel::squared_distances(kernel::level(), &self.tiles, standardised, distances);
        distances[self.references..].fill(f32::INFINITY);
    }

    /// The `k`-th smallest of the distances in `scratch`, of which `others` are finite.
    fn kth_smallest(&self, others: usize, scratch: &mut NeighbourScratch) -> f32 {
        match others {
            0 => 0.0,
            _ => kernel::kth_smallest(kernel::level(), &scratch.distances, self.k.min(others), &mut scratch.nearest),
        }
    }
}

impl Detector for NeighbourDistance {
    fn features(&self) -> usize {
        self.centres.len()
    }

    fn size_bytes(&self) -> usize {
        4 * (self.centres.len() + self.scales.len() + self.tiles.len())
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        for (row, score) in scores.iter_mut().enumerate() {
            let others = self.measure_row(&view, row, &mut scratch.neighbour);
            *score = self.kth_smallest(others, &mut scratch.neighbour);
        }
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        let scratch = &mut scratch.neighbour;
        let others = self.measure_row(&view, row, scratch);
        let value = self.kth_smallest(others, scratch);
        let point = scratch.distances.iter().position(|distance| distance.to_bits() == value.to_bits()).unwrap_or(0);
        let tile = &self.tiles[point / TILE * contributions.len() * TILE..];
        for (feature, (contribution, own)) in contributions.iter_mut().zip(&scratch.standardised).enumerate() {
            let apart = tile[feature * TILE + point % TILE] - own;
            *contribution = apart * apart;
        }
        Ok(Explanation { base: 0.0, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_squared_distance_to_the_kth_point_of_a_full_sort() {
        let data: Vec<f32> = (0..150).map(|i| ((i * 37) % 101) as f32 * 0.1).collect();
        let view = Columns::new(&data, 75, 2);
        for k in [1, 5, 64] {
            let model = NeighbourParams { k, ..NeighbourParams::default() }.fit(view).unwrap();
            let mut scores = vec![0.0; 75];
            model.score(view, &mut scores, &mut Scratch::default());
            let z = |row: usize, f: usize| standardise(view.column(f)[row], model.centres[f], model.scales[f]);
            for row in [0, 33, 74] {
                let mut expected: Vec<f32> =
                    (0..75).map(|other| (0..2).map(|f| (z(other, f) - z(row, f)).powi(2)).sum()).collect();
                expected.sort_by(f32::total_cmp);
                assert!((scores[row] - expected[k - 1]).abs() < 1e-4, "k {k}, row {row}");
            }
        }
    }

    #[test]
    fn a_reference_point_is_not_its_own_neighbour() {
        let data = [0.0, 1.0, 10.0];
        let model = NeighbourParams { k: 1, ..NeighbourParams::default() }.fit(Columns::new(&data, 3, 1)).unwrap();
        let (mut own, mut fresh) = ([0.0; 3], [0.0; 3]);
        model.score_references(0..3, &mut own, &mut NeighbourScratch::default());
        model.score(Columns::new(&data, 3, 1), &mut fresh, &mut Scratch::default());
        assert!(fresh.iter().all(|&score| score.abs() < 1e-6));
        assert!(own[0] > 0.0 && (own[0] - own[1]).abs() < 1e-6 && own[2] > 50.0 * own[0], "{own:?}");
    }

    #[test]
    fn of_a_large_baseline_evenly_spaced_rows_are_kept() {
        let data: Vec<f32> = (0..2_000).map(|row| row as f32).collect();
        let params = NeighbourParams { k: 1, reference_max: 100 };
        let model = params.fit(Columns::new(&data, 2_000, 1)).unwrap();
        assert_eq!(model.references(), 100);
        let mut scores = [0.0; 2];
        model.score(Columns::new(&[1_980.0, 1_990.0], 2, 1), &mut scores, &mut Scratch::default());
        assert!(scores[0].abs() < 1e-9 && scores[1] > 1e-5, "{scores:?}");
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let view = Columns::new(&[1.0, 2.0], 2, 1);
        for (k, reference_max, name) in [(0, 9, "k"), (65, 9, "k"), (1, 0, "reference_max")] {
            let error = NeighbourParams { k, reference_max }.fit(view).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
