//! Local outlier factor.

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::kernel::{CHUNK, TILE};
use crate::scratch::NeighbourScratch;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, NeighbourDistance, NeighbourParams, Scratch};

/// The largest spread floor.
const SPREAD_FLOOR_MAX: f32 = 1.0e6;
/// The smallest spread floor.
const SPREAD_FLOOR_MIN: f32 = 1.0e-6;

/// How a [`Lof`] is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LofParams {
    /// How many neighbours a density is measured on, 1 to 64. At least as many as strange rows of one kind lie in the
    /// baseline, so that they do not pass for a dense place.
    pub k: usize,
    /// The most reference points kept, at least 1. Of a larger view evenly spaced rows are kept.
    pub reference_max: usize,
    /// Added to every mean distance, in standard deviations, 1e-6 to 1e6: among rows that are equal, smaller
    /// differences than this are not strange.
    pub spread_floor: f32,
}

impl Default for LofParams {
    /// 20 neighbours as in scikit-learn, among at most 1,024 points; differences below a tenth of a standard
    /// deviation do not count.
    fn default() -> Self {
        Self { k: 20, reference_max: 1024, spread_floor: 0.1 }
    }
}

impl LofParams {
    /// Keeps the rows of `view` as reference points and measures their densities.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Lof, FitError> {
        if !(SPREAD_FLOOR_MIN..=SPREAD_FLOOR_MAX).contains(&self.spread_floor) {
            let value = self.spread_floor.into();
            return Err(FitError::Parameter { name: "spread_floor", value, expected: "1e-6 to 1e6" });
        }
        let neighbours = NeighbourParams { k: self.k, reference_max: self.reference_max }.fit(view)?;
        let scratch = &mut NeighbourScratch::default();
        let references = 0..neighbours.references();
        let mut model = Lof { spread_floor: self.spread_floor, neighbours, reaches: Vec::new(), densities: Vec::new() };
        let reach = |index| {
            let others = model.neighbours.measure_reference(index, scratch);
            model.find_neighbours(others, scratch);
            scratch.candidates.iter().fold(0.0f32, |reach, &(_, distance)| reach.max(distance))
        };
        let reaches = references.clone().map(reach).collect();
        model.reaches = reaches;
        let density = |index| {
            let others = model.neighbours.measure_reference(index, scratch);
            model.find_neighbours(others, scratch);
            1.0 / model.spread(&scratch.candidates)
        };
        let densities = references.map(density).collect();
        model.densities = densities;
        Ok(model)
    }
}

/// Local outlier factor: rows in a thinner place than their neighbours are strange.
///
/// The density of a place is one over the mean distance to its `k` nearest reference points, where no distance counts
/// for less than the neighbour's own distance to *its* `k`-th. The score is the mean density of the neighbours
/// divided by that of the row: about 1 inside of a cluster, however dense it is, and larger outside. Points as far as
/// the `k`-th all count as neighbours, as in the paper.
///
/// Good where ordinary rows form clusters of unlike density, where one distance for all does not fit. Weak with many
/// noise features, and on flow records, of which many are equal: the densest places make everything around them
/// strange; there [`NeighbourDistance`] ranks better. Blind to an attack with more than `k` rows in the baseline.
///
/// Densities are those of the reference points; a row to score is not added to them, as in scikit-learn with
/// `novelty`. Features are standardised as for [`NeighbourDistance`]; a value that is NaN or beyond 1e9 standard
/// deviations counts as 1e9.
///
/// Cost: `references * features` multiplications for each row; as many floats of memory and two more for each
/// reference. A fit takes two scores for each reference.
///
/// ```
/// use dais_detect::{Columns, Detector, LofParams, Scratch};
///
/// // A tight and a wide cluster.
/// let tight = (0..50).map(|i| i as f32 * 0.02);
/// let wide = (0..50).map(|i| 20.0 + i as f32);
/// let baseline: Vec<f32> = tight.chain(wide).collect();
/// let model = LofParams { spread_floor: 1e-6, ..Default::default() }.fit(Columns::new(&baseline, 100, 1))?;
///
/// // In the tight one, two beside it, in the wide one, two between its rows.
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[0.5, 3.0, 45.5], 3, 1), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.2}"));
/// assert_eq!(printed, ["0.98", "9.09", "0.98"]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander, "LOF: Identifying Density-Based Local Outliers",
/// SIGMOD 2000.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LofParts")]
pub struct Lof {
    spread_floor: f32,
    neighbours: NeighbourDistance,
    /// The squared distance of every reference point to its `k`-th neighbour.
    reaches: Vec<f32>,
    densities: Vec<f32>,
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct LofParts {
    spread_floor: f32,
    neighbours: NeighbourDistance,
    reaches: Vec<f32>,
    densities: Vec<f32>,
}

impl TryFrom<LofParts> for Lof {
    type Error = &'static str;

    fn try_from(LofParts { spread_floor, neighbours, reaches, densities }: LofParts) -> Result<Self, Self::Error> {
        if !(SPREAD_FLOOR_MIN..=SPREAD_FLOOR_MAX).contains(&spread_floor) {
            return Err("the spread floor of a local outlier factor is out of range");
        }
        if reaches.len() != neighbours.references() || densities.len() != reaches.len() {
            return Err("the parts of a local outlier factor differ in their number of points");
        }
        if !reaches.iter().all(|reach| *reach >= 0.0 && reach.is_finite()) {
            return Err("a distance of a local outlier factor is not a number of 0 or more");
        }
        if !densities.iter().all(|density| (0.0..=2.0 / SPREAD_FLOOR_MIN).contains(density)) {
            return Err("a density of a local outlier factor is out of range");
        }
        Ok(Self { spread_floor, neighbours, reaches, densities })
    }
}

impl Lof {
    /// The number of reference points.
    pub fn references(&self) -> usize {
        self.reaches.len()
    }

    /// Leaves the neighbours of the row that was measured in the candidates, in order; `others` distances are finite.
    fn find_neighbours(&self, others: usize, scratch: &mut NeighbourScratch) {
        scratch.candidates.clear();
        if others > 0 {
            nearest(self.neighbours.k().min(others), scratch);
        }
    }

    /// The mean reachability distance to these neighbours, with the floor.
    fn spread(&self, neighbours: &[(usize, f32)]) -> f32 {
        let reaches = neighbours.iter().map(|&(index, distance)| distance.max(self.reaches[index]).sqrt());
        reaches.sum::<f32>() / neighbours.len().max(1) as f32 + self.spread_floor
    }

    /// The score of a row with these neighbours.
    fn factor(&self, neighbours: &[(usize, f32)]) -> f32 {
        let density = neighbours.iter().map(|&(index, _)| self.densities[index]).sum::<f32>();
        self.spread(neighbours) * (density / neighbours.len().max(1) as f32)
    }

    /// The scores of the reference points with these indices, each without itself as a neighbour.
    pub(crate) fn score_references(
        &self,
        indices: impl Iterator<Item = usize>,
        scores: &mut [f32],
        scratch: &mut NeighbourScratch,
    ) {
        for (score, index) in scores.iter_mut().zip(indices) {
            let others = self.neighbours.measure_reference(index, scratch);
            self.find_neighbours(others, scratch);
            *score = self.factor(&scratch.candidates);
        }
    }
}

/// Puts all reference points as near as the `k`-th into the candidates, in order; `k` is 1 to [`TILE`] and at most
/// their number.
fn nearest(k: usize, scratch: &mut NeighbourScratch) {
    let NeighbourScratch { distances, nearest, candidates, .. } = scratch;
    // At least `k` distances are at most the `k`-th smallest of the minima of 64 groups: little is left to sort.
    let mut minima = [f32::INFINITY; TILE];
    for tile in distances.chunks_exact(TILE) {
        for (minimum, &distance) in minima.iter_mut().zip(tile) {
            *minimum = if distance < *minimum { distance } else { *minimum };
        }
    }
    let (_, &mut bound, _) = minima.select_nth_unstable_by(k - 1, f32::total_cmp);
    for (chunk, near) in distances.chunks_exact(CHUNK).enumerate() {
        // Most chunks hold none; this look at a whole one has no branch.
        if near.iter().fold(0, |count, &distance| count + u32::from(distance <= bound)) > 0 {
            let indices = chunk * CHUNK..;
            candidates.extend(indices.zip(near.iter().copied()).filter(|&(_, distance)| distance <= bound));
        }
    }
    nearest.clear();
    nearest.extend(candidates.iter().map(|&(_, distance)| distance));
    let (_, &mut reach, _) = nearest.select_nth_unstable_by(k - 1, f32::total_cmp);
    candidates.retain(|&(_, distance)| distance <= reach);
}

impl Detector for Lof {
    fn features(&self) -> usize {
        self.neighbours.features()
    }

    fn size_bytes(&self) -> usize {
        self.neighbours.size_bytes() + 4 * (self.reaches.len() + self.densities.len())
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        for (row, score) in scores.iter_mut().enumerate() {
            let others = self.neighbours.measure_row(&view, row, &mut scratch.neighbour);
            self.find_neighbours(others, &mut scratch.neighbour);
            *score = self.factor(&scratch.neighbour.candidates);
        }
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        Err(CannotExplain { detector: "lof" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_are_those_of_scikit_learn() {
        let data = [0.0, 1.0, 1.4, 2.25, 4.0, 5.1, 8.5, 9.0]; // no two neighbours at one distance
        let params = LofParams { k: 3, spread_floor: 1e-6, ..LofParams::default() };
        let model = params.fit(Columns::new(&data, 8, 1)).unwrap();
        let mut scores = [0.0; 4];
        model.score(Columns::new(&[1.2, 3.0, 6.9, 20.0], 4, 1), &mut scores, &mut Scratch::default());
        for (score, expected) in scores.iter().zip([0.830_335_1, 1.011_469_5, 1.086_389_7, 3.149_688]) {
            assert!((score - expected).abs() < 1e-4, "{scores:?}, expected {expected}");
        }
    }

    #[test]
    fn all_rows_as_far_as_the_kth_are_neighbours() {
        let distances: Vec<f32> =
            (0..192).map(|i| if i < 180 { (i * 77 % 90) as f32 } else { f32::INFINITY }).collect();
        for k in [1, 2, 3, 16, 17, 63, 64] {
            let mut scratch = NeighbourScratch { distances: distances.clone(), ..NeighbourScratch::default() };
            nearest(k, &mut scratch);
            let mut sorted = distances.clone();
            sorted.sort_by(f32::total_cmp);
            let expected: Vec<(usize, f32)> =
                distances.iter().copied().enumerate().filter(|&(_, distance)| distance <= sorted[k - 1]).collect();
            assert_eq!(scratch.candidates, expected, "k {k}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let fine = LofParams::default();
        for (params, name) in [
            (LofParams { k: 0, ..fine.clone() }, "k"),
            (LofParams { reference_max: 0, ..fine.clone() }, "reference_max"),
            (LofParams { spread_floor: 0.0, ..fine.clone() }, "spread_floor"),
            (LofParams { spread_floor: f32::NAN, ..fine }, "spread_floor"),
        ] {
            let error = params.fit(Columns::new(&[1.0, 2.0], 2, 1)).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
