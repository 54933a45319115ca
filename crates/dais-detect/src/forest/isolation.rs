//! Isolation Forest.

mod explain;
mod grow;

use serde::{Deserialize, Serialize};

use super::grove::{FeatureCodes, Grove, for_each_block};
use super::path::{PATH_UNIT, SUBSAMPLE_MAX, average_path, height_limit};
use crate::columns::FEATURES_MAX;
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, FitScratch, Scratch};

/// How an [`IsolationForest`] is grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForestParams {
    /// The number of trees, at least 1. More trees make scores steadier; time and memory grow in proportion.
    pub trees: u16,
    /// The rows each tree is grown from, 2 to 256. A view with fewer rows is used whole.
    pub subsample: u16,
}

impl Default for ForestParams {
    /// 100 trees of 256 rows, as in the original paper.
    fn default() -> Self {
        Self { trees: 100, subsample: 256 }
    }
}

impl ForestParams {
    /// Grows a forest on the rows of `view`.
    ///
    /// Tree `t` depends on `view`, the parameters, `seed` and `t` alone.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 65,536 features, and for a
    /// value that is not finite; in a view of more than `trees * subsample` rows only the values
    /// that are read are looked at: of the rows that are drawn, those of the features that are tried.
    pub fn fit(&self, view: Columns<'_>, seed: u64) -> Result<IsolationForest, FitError> {
        self.fit_in(view, seed, &mut FitScratch::default())
    }

    /// As [`fit`](Self::fit), with buffers that are used again: only the forest itself is allocated.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_in(&self, view: Columns<'_>, seed: u64, scratch: &mut FitScratch) -> Result<IsolationForest, FitError> {
        self.check(&view)?;
        grow::forest(self, view, seed, scratch)
    }

    /// As [`fit_in`](Self::fit_in), but only `count` trees are grown: they take the places of the oldest ones of `before`,
    /// and the others stay. So a forest follows its data at a fraction of the cost of a fit, and remembers more of it.
    ///
    /// All trees are grown where `before` has another number of features or trees, or trees of another size.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn refresh_in(
        &self,
        before: &IsolationForest,
        count: u16,
        view: Columns<'_>,
        seed: u64,
        scratch: &mut FitScratch,
    ) -> Result<IsolationForest, FitError> {
        self.check(&view)?;
        let fits = before.trees() == usize::from(self.trees)
            && before.subsample() == self.subsample_of(&view)
            && before.features as usize == view.features();
        if !fits {
            return grow::forest(self, view, seed, scratch);
        }
        let mut forest = before.clone();
        let (from, to) = (usize::from(before.oldest), usize::from(before.oldest) + usize::from(count.min(self.trees)));
        let turn = to.min(forest.trees());
        let is_checked = self.is_checked_whole(&view);
        grow::trees(&mut forest, from..turn, is_checked, view, seed, scratch)?;
        grow::trees(&mut forest, 0..to - turn, is_checked, view, seed, scratch)?;
        forest.oldest = (to % forest.trees()) as u16;
        Ok(forest)
    }

    /// The rows that each tree is grown from.
    fn subsample_of(&self, view: &Columns<'_>) -> usize {
        view.rows().min(self.subsample.into())
    }

    /// Whether a view is so small that all its values are checked before a tree is grown.
    fn is_checked_whole(&self, view: &Columns<'_>) -> bool {
        view.rows() <= usize::from(self.trees) * usize::from(self.subsample)
    }

    fn check(&self, view: &Columns<'_>) -> Result<(), FitError> {
        let parameter = |name, value: u16, expected| FitError::Parameter { name, value: value.into(), expected };
        if self.trees == 0 {
            return Err(parameter("trees", self.trees, "at least 1"));
        }
        if !(2..=SUBSAMPLE_MAX).contains(&self.subsample.into()) {
            return Err(parameter("subsample", self.subsample, "2 to 256"));
        }
        if view.rows() == 0 {
            return Err(FitError::NoRows);
        }
        if view.rows() > u32::MAX as usize {
            return Err(FitError::TooManyRows { rows: view.rows(), max: u32::MAX as usize });
        }
        if view.features() == 0 {
            return Err(FitError::NoFeatures);
        }
        if view.features() > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features: view.features(), max: FEATURES_MAX });
        }
        if !self.is_checked_whole(view) {
            return Ok(());
        }
        match view.first_non_finite() {
            Some((row, feature)) => Err(FitError::NonFinite { row, feature }),
            None => Ok(()),
        }
    }
}

/// Isolation Forest: rows that few random cuts separate from the rest are strange.
///
/// Every tree is grown from a random subsample: a node draws a feature and a threshold uniformly
/// between the smallest and the largest value there, until each row is alone or the height limit
/// `ceil(log2(subsample))` is reached. A feature that is constant in a node is never cut; another is
/// drawn instead, so only rows that are equal in every feature end in one leaf early. The score is
/// `2^(-E[h] / c(subsample))` with the mean path length `E[h]` over all trees, where a leaf of `n` rows adds
/// `c(n)`, the mean length of an unsuccessful search in a binary tree; it lies in (0, 1), and 0.5 is ordinary.
///
/// Good at outliers in single features and in wide, mixed data, fast, and without a distance to choose. Blind
/// to rows that are strange only in the *combination* of features, and to dense clusters of equal attacks
/// that fill the baseline.
///
/// A value that is NaN counts as larger than every threshold.
///
/// Cost: 100 trees of 256 rows take 179 kB (205 kB above 256 features). Scoring a row takes
/// `trees * 8` steps whatever the rows it was fitted on; see `docs/design/0001-isolation-forest-layout.md`.
///
/// ```
/// use dais_detect::{Columns, Detector, ForestParams, Scratch};
///
/// let mut data: Vec<f32> = (0..100).map(|i| (i % 10) as f32).collect();
/// data[99] = 50.0;
/// let view = Columns::new(&data, 100, 1);
/// let forest = ForestParams::default().fit(view, 1)?;
///
/// let mut scores = vec![0.0; 100];
/// forest.score(view, &mut scores, &mut Scratch::default());
/// assert!(scores[99] > 0.9 && scores[..99].iter().all(|&score| score < 0.55));
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ForestParts")]
pub struct IsolationForest {
    features: u32,
    subsample: u16,
    depth: u8,
    /// The tree that a refresh replaces first.
    oldest: u16,
    codes: FeatureCodes,
    thresholds: Vec<f32>,
    leaves: Vec<u16>,
}

/// A forest as it was written, not yet checked.
#[derive(Deserialize)]
struct ForestParts {
    features: u32,
    subsample: u16,
    depth: u8,
    oldest: u16,
    codes: FeatureCodes,
    thresholds: Vec<f32>,
    leaves: Vec<u16>,
}

impl TryFrom<ForestParts> for IsolationForest {
    type Error = &'static str;

    fn try_from(parts: ForestParts) -> Result<Self, Self::Error> {
        let ForestParts { features, subsample, depth, oldest, codes, thresholds, leaves } = parts;
        if subsample == 0 || depth != height_limit(subsample.into()) {
            return Err("the depth of the forest does not follow from its subsample");
        }
        let nodes = thresholds.len();
        if nodes == 0 || nodes % (1 << depth) != 0 || nodes >> depth > usize::from(u16::MAX) {
            return Err("the number of thresholds is not trees * 2^depth");
        }
        if usize::from(oldest) >= nodes >> depth {
            return Err("the oldest tree of the forest does not exist");
        }
        if codes.len() != nodes || leaves.len() != nodes {
            return Err("features, thresholds and leaves of the forest differ in number");
        }
        if !codes.fits(features as usize) {
            return Err("a node of the forest names a feature that does not exist");
        }
        Ok(Self { features, subsample, depth, oldest, codes, thresholds, leaves })
    }
}

impl IsolationForest {
    /// The number of trees.
    pub fn trees(&self) -> usize {
        self.thresholds.len() >> self.depth
    }

    /// The rows each tree was grown from: the parameter, or all rows of a smaller view.
    pub fn subsample(&self) -> usize {
        self.subsample.into()
    }

    fn grove(&self) -> Grove<'_> {
        Grove {
            features: self.features(),
            depth: self.depth,
            codes: &self.codes,
            thresholds: &self.thresholds,
            leaves: &self.leaves,
        }
    }

    /// The exponent of the score for one unit of summed path length.
    fn exponent_per_unit(&self) -> f32 {
        let mean = average_path(self.subsample.into()) * PATH_UNIT * self.trees() as f64;
        (-1.0 / mean) as f32
    }
}

impl Detector for IsolationForest {
    fn features(&self) -> usize {
        self.features as usize
    }

    fn size_bytes(&self) -> usize {
        self.codes.size_bytes() + size_of_val(&self.thresholds[..]) + size_of_val(&self.leaves[..])
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        if self.subsample == 1 {
            scores.fill(0.5);
            return;
        }
        let per_unit = self.exponent_per_unit();
        for_each_block(self.grove(), view, scratch, |start, paths| {
            for (score, &path) in scores[start..].iter_mut().zip(paths) {
                *score = libm::exp2f(path as f32 * per_unit);
            }
        });
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        contributions.fill(0.0);
        if self.subsample == 1 {
            return Ok(Explanation { base: -1.0, value: -1.0 });
        }
        let (of_roots, of_row) = explain::explain(self.grove(), |feature| view.column(feature)[row], contributions);
        let scale = -1.0 / (average_path(self.subsample.into()) * PATH_UNIT);
        for contribution in contributions {
            *contribution *= scale as f32;
        }
        Ok(Explanation { base: (of_roots * scale) as f32, value: (of_row * scale) as f32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_replaces_the_oldest_trees_in_turn() {
        let rows: Vec<f32> = (0..40).map(|row| (row * row % 37) as f32).collect();
        let view = Columns::new(&rows, 40, 1);
        let params = ForestParams { trees: 5, subsample: 32 };
        let first = params.fit(view, 1).unwrap();
        let changed = |before: &IsolationForest, after: &IsolationForest| -> Vec<usize> {
            let trees = before.thresholds.chunks(32).zip(after.thresholds.chunks(32)).enumerate();
            trees.filter(|(_, (before, after))| before != after).map(|(tree, _)| tree).collect()
        };
        let mut scratch = FitScratch::default();
        let second = params.refresh_in(&first, 3, view, 2, &mut scratch).unwrap();
        assert_eq!(changed(&first, &second), [0, 1, 2]);
        let third = params.refresh_in(&second, 3, view, 3, &mut scratch).unwrap();
        assert_eq!((changed(&second, &third), third.oldest), (vec![0, 3, 4], 1));
        let whole = params.refresh_in(&first, 9, view, 4, &mut scratch).unwrap();
        assert_eq!(whole, params.fit(view, 4).unwrap());
    }

    #[test]
    fn a_forest_of_another_shape_is_not_refreshed_but_replaced() {
        let rows: Vec<f32> = (0..40).map(|row| (row * row % 37) as f32).collect();
        let params = ForestParams { trees: 5, subsample: 32 };
        let small = params.fit(Columns::new(&rows[..20], 20, 1), 1).unwrap();
        let view = Columns::new(&rows, 40, 1);
        let grown = params.refresh_in(&small, 1, view, 2, &mut FitScratch::default()).unwrap();
        assert_eq!(grown, params.fit(view, 2).unwrap());
    }

    #[test]
    fn the_height_limit_is_the_rounded_up_binary_logarithm() {
        for (subsample, limit) in [(1, 0), (2, 1), (3, 2), (4, 2), (128, 7), (129, 8), (256, 8)] {
            assert_eq!(height_limit(subsample), limit, "{subsample} rows");
        }
    }

    #[test]
    fn the_mean_path_of_256_rows_is_that_of_the_paper() {
        assert!((average_path(256) - 10.2448).abs() < 1e-4);
        assert!((average_path(3) - 1.207_392).abs() < 1e-6);
    }

    #[test]
    fn the_longest_path_fits_in_16_bits() {
        assert!((8.0 + average_path(SUBSAMPLE_MAX)) * PATH_UNIT < f64::from(u16::MAX));
    }

    #[test]
    fn a_row_equal_to_all_others_has_the_score_one_half() {
        // No cut is possible: every path is c(100).
        let forest = ForestParams::default().fit(Columns::new(&[2.0; 300], 100, 3), 1).unwrap();
        let mut scores = [0.0];
        forest.score(Columns::new(&[2.0; 3], 1, 3), &mut scores, &mut Scratch::default());
        assert!((scores[0] - 0.5).abs() < 1e-4, "{}", scores[0]);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let view = Columns::new(&[1.0, 2.0], 2, 1);
        for (trees, subsample, name) in [(0, 256, "trees"), (10, 1, "subsample"), (10, 257, "subsample")] {
            let error = ForestParams { trees, subsample }.fit(view, 1).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
        let wide = vec![0.0; FEATURES_MAX + 1];
        let error = ForestParams::default().fit(Columns::new(&wide, 1, FEATURES_MAX + 1), 1).unwrap_err();
        assert_eq!(error, FitError::TooManyFeatures { features: FEATURES_MAX + 1, max: FEATURES_MAX });
    }

    #[test]
    fn the_last_of_65536_features_can_be_cut() {
        let features = FEATURES_MAX;
        let mut data = vec![1.0; 2 * features];
        data[2 * features - 1] = 3.0;
        let forest = ForestParams { trees: 1, subsample: 256 }.fit(Columns::new(&data, 2, features), 1).unwrap();
        assert_eq!(forest.codes, FeatureCodes::Wide(vec![0, u16::MAX]));
    }
}
