//! HBOS: histograms, feature by feature.

use serde::{Deserialize, Serialize};

use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// The most bins of a feature.
const BINS_MAX: u16 = 4096;
/// So many bin widths beyond its ends a feature still counts as inside.
const TOLERANCE: f64 = 0.5;

/// How an [`Hbos`] is fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HbosParams {
    /// The bins of every feature, all of one width, 2 to 4096. More bins see finer gaps and need more rows to fill
    /// them.
    pub bins: u16,
}

impl Default for HbosParams {
    /// 50 bins: of 10, 20, 50, 100 and 256 the best mean AUROC over NSL-KDD, http and smtp.
    fn default() -> Self {
        Self { bins: 50 }
    }
}

impl HbosParams {
    /// Counts the values of every feature of `view`, all rows.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Hbos, FitError> {
        if !(2..=BINS_MAX).contains(&self.bins) {
            return Err(FitError::Parameter { name: "bins", value: self.bins.into(), expected: "2 to 4096" });
        }
        view.check_learnable()?;
        let bins = usize::from(self.bins);
        let mut counts = vec![0u64; bins + 1];
        let mut axes = Vec::with_capacity(view.features());
        let mut surprises = Vec::with_capacity(view.features() * (bins + 1));
        for feature in 0..view.features() {
            let column = view.column(feature);
            let axis = Axis::over(column, bins);
            counts.fill(0);
            for &value in column {
                counts[axis.bin(value, bins)] += 1;
            }
            let highest = libm::log(counts.iter().fold(0, |a, &b| a.max(b)) as f64 + 1.0);
            surprises.extend(counts.iter().map(|&count| (highest - libm::log(count as f64 + 1.0)) as f32));
            axes.push(axis);
        }
        Ok(Hbos { axes, surprises })
    }
}

/// Histogram-based outlier score: rows with values in thin bins are strange.
///
/// Every feature's range in the baseline is cut into bins of one width, and each bin's height is its count divided by
/// that of the fullest bin. A value's surprise is `-ln` of its bin's height, with one row added to every bin; the
/// score is the sum over the features, 0 or more. Values more than half a bin outside of the range fall in a bin of
/// their own that is empty.
///
/// Good at values in the gaps of a feature, which tails do not see, and cheap. Blind to strange
/// combinations of features; a few far values in the baseline stretch the bins until everything else is one bin, so
/// give it logarithms of heavy-tailed features.
///
/// It differs from `PyOD`'s form by the heights: `PyOD` adds 0.1 to a density that depends on the unit of the
/// feature, here the units do not count.
///
/// A value that is NaN counts as outside of the range.
///
/// Cost: one multiplication and one look-up for each feature of a row; `4 * (bins + 1)` bytes for each feature.
///
/// ```
/// use dais_detect::{Columns, Detector, HbosParams, Scratch};
///
/// let baseline = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 4.0];
/// let model = HbosParams { bins: 4 }.fit(Columns::new(&baseline, 10, 1))?;
///
/// let mut scores = [0.0; 4];
/// model.score(Columns::new(&[0.5, 1.5, 2.5, 9.0], 4, 1), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.3}"));
/// assert_eq!(printed, ["0.000", "0.981", "2.079", "2.079"]); // -ln 8/8, 3/8, 1/8, 1/8
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: M. Goldstein, A. Dengel, "Histogram-based Outlier Score (HBOS): A fast Unsupervised Anomaly Detection
/// Algorithm", KI 2012.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HbosParts")]
pub struct Hbos {
    axes: Vec<Axis>,
    /// For every feature those of its bins, then that of a value outside.
    surprises: Vec<f32>,
}

/// Where the bins of a feature lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Axis {
    low: f64,
    bins_per_unit: f64,
}

impl Axis {
    fn over(column: &[f32], bins: usize) -> Self {
        let (low, high) = column.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let (low, high) = (f64::from(low), f64::from(high));
        // Of a constant feature every other value is far outside.
        let bins_per_unit = if low < high { bins as f64 / (high - low) } else { f64::MAX };
        // Adding 0 makes one zero of the two that compare alike.
        Self { low: low + 0.0, bins_per_unit }
    }

    /// The bin of a value; `bins` if it is outside.
    #[inline]
    fn bin(&self, value: f32, bins: usize) -> usize {
        let place = (f64::from(value) - self.low) * self.bins_per_unit;
        let is_inside = place >= -TOLERANCE && place <= bins as f64 + TOLERANCE;
        if is_inside { (place as usize).min(bins - 1) } else { bins }
    }
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct HbosParts {
    axes: Vec<Axis>,
    surprises: Vec<f32>,
}

impl TryFrom<HbosParts> for Hbos {
    type Error = &'static str;

    fn try_from(HbosParts { axes, surprises }: HbosParts) -> Result<Self, Self::Error> {
        if axes.is_empty() || !surprises.len().is_multiple_of(axes.len()) {
            return Err("the features of a histogram model differ in their number of bins");
        }
        if !(3..=usize::from(BINS_MAX) + 1).contains(&(surprises.len() / axes.len())) {
            return Err("a histogram model needs 2 to 4096 bins");
        }
        let is_sound = |axis: &Axis| axis.low.is_finite() && axis.bins_per_unit.is_finite();
        if !axes.iter().all(is_sound) || surprises.iter().any(|surprise| !surprise.is_finite()) {
            return Err("a value of a histogram model is not finite");
        }
        Ok(Self { axes, surprises })
    }
}

impl Hbos {
    /// The bins of every feature.
    pub fn bins(&self) -> usize {
        self.surprises.len() / self.axes.len() - 1
    }
}

impl Detector for Hbos {
    fn features(&self) -> usize {
        self.axes.len()
    }

    fn size_bytes(&self) -> usize {
        size_of_val(&self.axes[..]) + size_of_val(&self.surprises[..])
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], _: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let bins = self.bins();
        scores.fill(0.0);
        for (feature, (axis, surprises)) in self.axes.iter().zip(self.surprises.chunks_exact(bins + 1)).enumerate() {
            for (score, &value) in scores.iter_mut().zip(view.column(feature)) {
                *score += surprises[axis.bin(value, bins)];
            }
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
        let bins = self.bins();
        let features = self.axes.iter().zip(self.surprises.chunks_exact(bins + 1)).enumerate();
        for ((feature, (axis, surprises)), contribution) in features.zip(contributions.iter_mut()) {
            *contribution = surprises[axis.bin(view.column(feature)[row], bins)];
        }
        Ok(Explanation { base: 0.0, value: contributions.iter().sum() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_in_the_bin_around_it_and_half_a_bin_outside_in_the_last() {
        let axis = Axis::over(&[2.0, 10.0], 4);
        let places = [2.0, 3.9, 4.0, 9.9, 10.0, 10.9, 1.1, 11.1, 0.9, f32::NAN, f32::INFINITY, f32::MIN];
        assert_eq!(places.map(|value| axis.bin(value, 4)), [0, 0, 1, 3, 3, 3, 0, 4, 4, 4, 4, 4]);
    }

    #[test]
    fn of_a_constant_feature_every_other_value_is_outside() {
        let axis = Axis::over(&[3.0; 5], 10);
        assert_eq!([3.0, 3.000_001, -3.0, f32::NAN].map(|value| axis.bin(value, 10)), [0, 10, 10, 10]);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for bins in [0, 1, 4097] {
            let error = HbosParams { bins }.fit(Columns::new(&[1.0, 2.0], 2, 1)).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: "bins", .. }), "{error}");
        }
    }
}
