//! Robust Mahalanobis distance.

mod estimate;

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::draw::REFERENCE_MAX;
use crate::explanation::assert_explained;
use crate::kernel::{LANES, lay_tiles};
use crate::moment::standardise;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// The most features: the shape has half of its square of numbers.
const FEATURES_MAX: usize = 512;
/// The largest bound of the condition number.
const CONDITION_MAX: f32 = 1.0e6;
/// No number of a whitening matrix is larger: the ridge is at least 1 / `CONDITION_MAX`.
const WHITENING_MAX: f32 = 1.0e4;
/// Rows in tiles at a time.
const BLOCK: usize = 16 * LANES;

/// How a [`Mahalanobis`] is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MahalanobisParams {
    /// The share of the rows that the shape is measured on, those that lie densest; 0.5 to 1. Up to `1 - support` of
    /// the baseline may be strange without bending the shape; 1 is the plain covariance.
    pub support: f32,
    /// The largest ratio of the shape's longest to its shortest axis, both squared; above 1, at most 1,000,000. The
    /// smaller, the closer to a plain distance.
    pub condition_max: f32,
    /// The most rows looked at, 1 to 16,777,216. Of a larger view evenly spaced rows are taken.
    pub reference_max: usize,
}

impl Default for MahalanobisParams {
    /// 75 % of at most 16,384 rows, and a condition number of 50 as in the paper.
    fn default() -> Self {
        Self { support: 0.75, condition_max: 50.0, reference_max: 1 << 14 }
    }
}

impl MahalanobisParams {
    /// Finds centre and shape of the densest rows of `view`.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 512 features, and a value that is not
    /// finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Mahalanobis, FitError> {
        self.check()?;
        view.check_learnable()?;
        if view.features() > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features: view.features(), max: FEATURES_MAX });
        }
        Ok(Mahalanobis { shape: estimate::shape(self, view, &mut Scratch::default()) })
    }

    fn check(&self) -> Result<(), FitError> {
        let parameter = |name, value, expected| Err(FitError::Parameter { name, value, expected });
        if !(0.5..=1.0).contains(&self.support) {
            return parameter("support", self.support.into(), "0.5 to 1");
        }
        if !(self.condition_max > 1.0 && self.condition_max <= CONDITION_MAX) {
            return parameter("condition_max", self.condition_max.into(), "above 1, at most 1000000");
        }
        if !(1..=REFERENCE_MAX).contains(&self.reference_max) {
            return parameter("reference_max", self.reference_max as f64, "1 to 16777216");
        }
        Ok(())
    }
}

/// Robust Mahalanobis distance: rows far from the centre, measured along the axes of the baseline's densest part, are
/// strange.
///
/// Every feature is standardised by its median and the distance of its quantiles. Of the standardised rows the share
/// that lies densest is sought by *concentration steps*: measure mean and covariance, keep the nearest rows, repeat
/// until they stay. The score is the squared Mahalanobis distance to their mean under their covariance plus a ridge,
/// 0 or more.
///
/// This is the minimum *regularised* covariance determinant. The plain one (FAST-MCD) draws random starts and has no
/// answer where features are constant or depend on one another in the support, as many counts of flows are; the
/// ridge, as large as the bound of the condition number asks for, keeps the shape invertible and the steps still
/// sharpen it. The one start is the covariance of values cut to ±2.5, so equal rows give equal bits.
///
/// Good at strange *combinations* of features that rise and fall together, and steady when part of the baseline is
/// strange. Weak where ordinary rows form several clusters: the space between them is near the centre.
///
/// A value that is NaN or beyond 1e9 spreads counts as 1e9.
///
/// Cost: `features² / 2` multiplications for each row; as many floats of memory. A fit takes that for each row and
/// step, some ten steps.
///
/// ```
/// use dais_detect::{Columns, Detector, MahalanobisParams, Scratch};
///
/// // 100 rows of two features that go together.
/// let x = (0..100).map(|i| (i % 10) as f32);
/// let y = (0..100).map(|i| (i % 10 + i / 50) as f32);
/// let baseline: Vec<f32> = x.chain(y).collect();
/// let model = MahalanobisParams::default().fit(Columns::new(&baseline, 100, 2))?;
///
/// // The middle, an end, and a row that is ordinary in each feature and strange in both.
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[4.0, 9.0, 1.0, 5.0, 10.0, 9.0], 3, 2), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.1}"));
/// assert_eq!(printed, ["0.4", "5.7", "81.2"]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: K. Boudt, P. J. Rousseeuw, S. Vanduffel, T. Verdonck, "The minimum regularized covariance determinant
/// estimator", Statistics and Computing 2020; the concentration step: P. J. Rousseeuw, K. Van Driessen, Technometrics
/// 1999.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mahalanobis {
    shape: Shape,
}

/// Where the densest rows lie and how they spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ShapeParts")]
struct Shape {
    centres: Vec<f32>,
    scales: Vec<f32>,
    /// The lower triangle, row by row, that turns standardised rows into ones without correlation.
    whitening: Vec<f32>,
}

/// A shape as it was written, not yet checked.
#[derive(Deserialize)]
struct ShapeParts {
    centres: Vec<f32>,
    scales: Vec<f32>,
    whitening: Vec<f32>,
}

impl TryFrom<ShapeParts> for Shape {
    type Error = &'static str;

    fn try_from(ShapeParts { centres, scales, whitening }: ShapeParts) -> Result<Self, Self::Error> {
        let features = centres.len();
        if !(1..=FEATURES_MAX).contains(&features) {
            return Err("a Mahalanobis model needs 1 to 512 features");
        }
        if scales.len() != features || whitening.len() != packed(features) {
            return Err("the parts of a Mahalanobis model differ in their number of features");
        }
        if centres.iter().chain(&scales).any(|value| !value.is_finite()) {
            return Err("a value of a Mahalanobis model is not finite");
        }
        if !whitening.iter().all(|value| value.abs() <= WHITENING_MAX) {
            return Err("the shape of a Mahalanobis model is out of range");
        }
        Ok(Self { centres, scales, whitening })
    }
}

impl Mahalanobis {}

impl Detector for Mahalanobis {
    fn features(&self) -> usize {
        self.shape.centres.len()
    }

    fn size_bytes(&self) -> usize {
        4 * (self.shape.centres.len() + self.shape.scales.len() + self.shape.whitening.len())
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let Shape { centres, scales, whitening } = &self.shape;
        squared_distances(view, (centres, scales, whitening), scores, &mut scratch.tiles);
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        let Shape { centres, scales, whitening } = &self.shape;
        let scaled = |feature: usize| standardise(view.column(feature)[row], centres[feature], scales[feature]);
        contributions.fill(0.0);
        let mut value = 0.0;
        for axis in 0..centres.len() {
            let weights = &whitening[packed(axis)..=packed(axis) + axis];
            let along: f32 = weights.iter().enumerate().map(|(feature, weight)| weight * scaled(feature)).sum();
            for (feature, (contribution, weight)) in contributions.iter_mut().zip(weights).enumerate() {
                *contribution += along * weight * scaled(feature);
            }
            value += along * along;
        }
        Ok(Explanation { base: 0.0, value })
    }
}

/// The numbers in the first `row` rows of a lower triangle.
fn packed(row: usize) -> usize {
    row * (row + 1) / 2
}

/// The squared length of every row after standardising and whitening.
fn squared_distances(
    view: Columns<'_>,
    (centres, scales, whitening): (&[f32], &[f32], &[f32]),
    distances: &mut [f32],
    tiles: &mut Vec<f32>,
) {
    for (block, distances) in distances.chunks_mut(BLOCK).enumerate() {
        lay_tiles(view.slice(block * BLOCK..block * BLOCK + distances.len()), tiles);
        let (columns, _) = tiles.as_chunks_mut::<LANES>();
        for (tile, distances) in columns.chunks_exact_mut(centres.len()).zip(distances.chunks_mut(LANES)) {
            for (values, (&centre, &scale)) in tile.iter_mut().zip(centres.iter().zip(scales)) {
                for value in values {
                    *value = standardise(*value, centre, scale);
                }
            }
            let mut sums = [0.0f32; LANES];
            for row in 0..tile.len() {
                let weights = &whitening[packed(row)..=packed(row) + row];
                let mut along = [0.0f32; LANES];
                for (values, &weight) in tile.iter().zip(weights) {
                    for (along, &value) in along.iter_mut().zip(values) {
                        *along += weight * value;
                    }
                }
                for (sum, &along) in sums.iter_mut().zip(&along) {
                    *sum += along * along;
                }
            }
            distances.copy_from_slice(&sums[..distances.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows along a line, a fifth of them in a far cluster beside it.
    fn contaminated() -> Vec<f32> {
        let x = (0..200).map(|i| if i % 5 == 0 { 3.0 } else { (i % 7) as f32 });
        let y = (0..200).map(|i| if i % 5 == 0 { 40.0 } else { (i % 7) as f32 + (i % 3) as f32 * 0.2 });
        x.chain(y).collect()
    }

    #[test]
    fn a_fifth_of_strange_rows_does_not_hide_itself_but_would_in_a_plain_covariance() {
        let data = contaminated();
        let score = |support| {
            let params = MahalanobisParams { support, ..MahalanobisParams::default() };
            let model = params.fit(Columns::new(&data, 200, 2)).unwrap();
            let mut scores = [0.0; 2];
            model.score(Columns::new(&[6.0, 3.0, 6.2, 40.0], 2, 2), &mut scores, &mut Scratch::default());
            scores[1] / scores[0]
        };
        assert!(score(0.75) > 20.0, "{}", score(0.75));
        assert!(score(1.0) < 5.0, "{}", score(1.0));
    }

    #[test]
    fn with_all_rows_and_hardly_a_ridge_the_score_is_the_textbook_distance() {
        // Covariance [[2, 1], [1, 2]] and mean 0: the squared distance of (1, 0) is 2/3, of (1, -1) is 2.
        let root = 3.0f32.sqrt();
        let data = [root, -root, 1.0, -1.0, root, -root, -1.0, 1.0];
        let params = MahalanobisParams { support: 1.0, condition_max: 1e6, ..MahalanobisParams::default() };
        let model = params.fit(Columns::new(&data, 4, 2)).unwrap();
        let mut scores = [0.0; 3];
        model.score(Columns::new(&[0.0, 1.0, 1.0, 0.0, 0.0, -1.0], 3, 2), &mut scores, &mut Scratch::default());
        for (score, expected) in scores.iter().zip([0.0, 2.0 / 3.0, 2.0]) {
            assert!((score - expected).abs() < 1e-3, "{scores:?}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let fine = MahalanobisParams::default();
        for (params, name) in [
            (MahalanobisParams { support: 0.4, ..fine.clone() }, "support"),
            (MahalanobisParams { support: f32::NAN, ..fine.clone() }, "support"),
            (MahalanobisParams { condition_max: 1.0, ..fine.clone() }, "condition_max"),
            (MahalanobisParams { reference_max: 0, ..fine.clone() }, "reference_max"),
        ] {
            let error = params.fit(Columns::new(&[1.0, 2.0], 2, 1)).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
        let wide = vec![0.0; 513];
        let error = fine.fit(Columns::new(&wide, 1, 513)).unwrap_err();
        assert_eq!(error, FitError::TooManyFeatures { features: 513, max: 512 });
    }
}
