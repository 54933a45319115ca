//! Extended Isolation Forest.

mod grow;

use serde::{Deserialize, Serialize};

use super::path::{PATH_UNIT, SUBSAMPLE_MAX, average_path, height_limit};
use crate::columns::FEATURES_MAX;
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::kernel::{LANES, lay_tiles};
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Scratch};

/// The largest number of features in one cut.
const SLOPES_MAX: u16 = 64;
/// The rows that walk a tree before the next tree is read.
const BLOCK: usize = 64 * LANES;

/// How an [`ExtendedForest`] is grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtendedForestParams {
    /// The number of trees, at least 1. More trees make scores steadier; time and memory grow in proportion.
    pub trees: u16,
    /// The rows each tree is grown from, 2 to 256. A view with fewer rows is used whole.
    pub subsample: u16,
    /// The features that a cut combines, 1 to 64; all of them where a view has fewer. One is an isolation forest.
    pub slopes: u16,
}

impl Default for ExtendedForestParams {
    /// 100 trees of 256 rows, cuts of two features: more cost time in proportion and rank no better on NSL-KDD, http
    /// and smtp.
    fn default() -> Self {
        Self { trees: 100, subsample: 256, slopes: 2 }
    }
}

impl ExtendedForestParams {
    /// Grows a forest on the rows of `view`. Tree `t` depends on `view`, the parameters, `seed` and `t` alone.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 65,536 features, and a value that is not
    /// finite.
    pub fn fit(&self, view: Columns<'_>, seed: u64) -> Result<ExtendedForest, FitError> {
        let parameter = |name, value: u16, expected| Err(FitError::Parameter { name, value: value.into(), expected });
        if self.trees == 0 {
            return parameter("trees", self.trees, "at least 1");
        }
        if !(2..=SUBSAMPLE_MAX).contains(&self.subsample.into()) {
            return parameter("subsample", self.subsample, "2 to 256");
        }
        if !(1..=SLOPES_MAX).contains(&self.slopes) {
            return parameter("slopes", self.slopes, "1 to 64");
        }
        view.check_learnable()?;
        if view.features() > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features: view.features(), max: FEATURES_MAX });
        }
        if view.rows() > u32::MAX as usize {
            return Err(FitError::TooManyRows { rows: view.rows(), max: u32::MAX as usize });
        }
        grow::forest(self, view, seed)
    }
}

/// Extended Isolation Forest: rows that few random *sloped* cuts separate from the rest are strange.
///
/// As in an [`IsolationForest`](crate::IsolationForest), every tree is grown from a random subsample until each row
/// is alone or the height limit is reached, and the score is `2^(-E[h] / c(subsample))`. A cut draws several features
/// that vary in the node, a normal slope for each, and a point of the box around the node's rows to go through. So
/// cuts are not parallel to the axes, and there are no stripes of low scores, which an isolation forest lays beside every
/// cluster.
///
/// Good where features belong together and for scores that fall evenly around clusters. Slower than an isolation
/// forest, and no better where single features tell attacks, as in most flow records; blind to dense clusters of
/// equal attacks in the baseline.
///
/// It differs from the paper's program in one point: slopes count in units of the feature's range in the node, so the
/// units of the features do not matter.
///
/// A value that is NaN counts as the largest number there is.
///
/// Cost: scoring a row takes `trees * 8 * slopes` steps; 100 trees of 256 rows and 2 slopes take 461 kB.
///
/// ```
/// use dais_detect::{Columns, Detector, ExtendedForestParams, Scratch};
///
/// // 200 rows on a ring.
/// let angle = |i: i32| i as f64 * 0.031_416;
/// let x = (0..200).map(|i| libm::cos(angle(i)) as f32);
/// let y = (0..200).map(|i| libm::sin(angle(i)) as f32);
/// let baseline: Vec<f32> = x.chain(y).collect();
/// let model = ExtendedForestParams::default().fit(Columns::new(&baseline, 200, 2), 1)?;
///
/// // On the ring, in its middle, outside of it.
/// let mut scores = [0.0; 3];
/// model.score(Columns::new(&[0.6, 0.0, 3.0, 0.8, 0.0, 3.0], 3, 2), &mut scores, &mut Scratch::default());
/// let printed = scores.map(|score| format!("{score:.2}"));
/// assert_eq!(printed, ["0.50", "0.61", "0.59"]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: S. Hariri, M. Carrasco Kind, R. J. Brunner, "Extended Isolation Forest", IEEE TKDE 2019.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ExtendedForestParts")]
pub struct ExtendedForest {
    features: u32,
    subsample: u16,
    depth: u8,
    /// The features of a cut.
    slopes: u16,
    /// Feature `j` of node `i`, counted over all trees, at `i * slopes + j`.
    codes: Vec<u16>,
    /// The slopes of the same features.
    weights: Vec<f32>,
    /// Nodes in heap order from 1, `1 << depth` places for each tree; the first of them is unused.
    thresholds: Vec<f32>,
    /// The path lengths of the leaves of each tree from the left.
    leaves: Vec<u16>,
}

/// A forest as it was written, not yet checked.
#[derive(Deserialize)]
struct ExtendedForestParts {
    features: u32,
    subsample: u16,
    depth: u8,
    slopes: u16,
    codes: Vec<u16>,
    weights: Vec<f32>,
    thresholds: Vec<f32>,
    leaves: Vec<u16>,
}

impl TryFrom<ExtendedForestParts> for ExtendedForest {
    type Error = &'static str;

    fn try_from(parts: ExtendedForestParts) -> Result<Self, Self::Error> {
        let ExtendedForestParts { features, subsample, depth, slopes, codes, weights, thresholds, leaves } = parts;
        if !(1..=SUBSAMPLE_MAX).contains(&subsample.into()) || depth != height_limit(subsample.into()) {
            return Err("the depth of the forest does not follow from its subsample");
        }
        let nodes = thresholds.len();
        if nodes == 0 || nodes % (1 << depth) != 0 || nodes >> depth > usize::from(u16::MAX) {
            return Err("the number of thresholds is not trees * 2^depth");
        }
        if features as usize > FEATURES_MAX || !(1..=SLOPES_MAX).contains(&slopes) {
            return Err("the features or the slopes of the forest are out of range");
        }
        if leaves.len() != nodes || codes.len() != nodes * usize::from(slopes) || weights.len() != codes.len() {
            return Err("cuts, thresholds and leaves of the forest differ in number");
        }
        if !codes.iter().all(|&code| u32::from(code) < features) {
            return Err("a cut of the forest names a feature that does not exist");
        }
        Ok(Self { features, subsample, depth, slopes, codes, weights, thresholds, leaves })
    }
}

impl ExtendedForest {
    /// The number of trees.
    pub fn trees(&self) -> usize {
        self.thresholds.len() >> self.depth
    }

    fn add_paths(&self, tiles: &[f32], paths: &mut [u32]) {
        let (nodes, slopes) = (1 << self.depth, usize::from(self.slopes));
        let trees = self.codes.chunks_exact(nodes * slopes).zip(self.weights.chunks_exact(nodes * slopes));
        let ends = self.thresholds.chunks_exact(nodes).zip(self.leaves.chunks_exact(nodes));
        for ((codes, weights), (thresholds, leaves)) in trees.zip(ends) {
            let tree = Tree { depth: self.depth, codes, weights, thresholds, leaves };
            match self.slopes {
                1 => tree.walk::<1>(tiles, self.features as usize, paths),
                2 => tree.walk::<2>(tiles, self.features as usize, paths),
                3 => tree.walk::<3>(tiles, self.features as usize, paths),
                _ => tree.walk_any(slopes, tiles, self.features as usize, paths),
            }
        }
    }
}

impl Detector for ExtendedForest {
    fn features(&self) -> usize {
        self.features as usize
    }

    fn size_bytes(&self) -> usize {
        let cuts = size_of_val(&self.codes[..]) + size_of_val(&self.weights[..]);
        cuts + size_of_val(&self.thresholds[..]) + size_of_val(&self.leaves[..])
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        if self.subsample == 1 {
            scores.fill(0.5);
            return;
        }
        let mean = average_path(self.subsample.into()) * PATH_UNIT * self.trees() as f64;
        let per_unit = (-1.0 / mean) as f32;
        let Scratch { paths, tiles, .. } = scratch;
        for (block, scores) in scores.chunks_mut(BLOCK).enumerate() {
            lay_tiles(view.slice(block * BLOCK..block * BLOCK + scores.len()), tiles);
            // Written so that NaN takes the upper bound.
            for value in &mut *tiles {
                *value = if *value < f32::MAX { value.max(f32::MIN) } else { f32::MAX };
            }
            paths.clear();
            paths.resize(scores.len().next_multiple_of(LANES), 0);
            self.add_paths(tiles, paths);
            for (score, &path) in scores.iter_mut().zip(&*paths) {
                *score = libm::exp2f(path as f32 * per_unit);
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
        Err(CannotExplain { detector: "extended-forest" })
    }
}

/// One tree.
struct Tree<'a> {
    depth: u8,
    codes: &'a [u16],
    weights: &'a [f32],
    thresholds: &'a [f32],
    leaves: &'a [u16],
}

impl Tree<'_> {
    /// Adds the path length of every lane of every tile; cuts of `M` features.
    fn walk<const M: usize>(&self, tiles: &[f32], features: usize, paths: &mut [u32]) {
        let (codes, _) = self.codes.as_chunks::<M>();
        let (weights, _) = self.weights.as_chunks::<M>();
        self.walk_by(tiles, features, paths, |tile, node, lane| {
            project(&codes[node], &weights[node], |f| tile[f][lane])
        });
    }

    /// As `walk`, for any number of features.
    fn walk_any(&self, slopes: usize, tiles: &[f32], features: usize, paths: &mut [u32]) {
        self.walk_by(tiles, features, paths, |tile, node, lane| {
            let cut = node * slopes..(node + 1) * slopes;
            project(&self.codes[cut.clone()], &self.weights[cut], |f| tile[f][lane])
        });
    }

    #[inline]
    fn walk_by(
        &self,
        tiles: &[f32],
        features: usize,
        paths: &mut [u32],
        projection: impl Fn(&[[f32; LANES]], usize, usize) -> f32,
    ) {
        let (columns, _) = tiles.as_chunks::<LANES>();
        let (groups, _) = paths.as_chunks_mut::<LANES>();
        for (tile, sums) in columns.chunks_exact(features).zip(groups) {
            let mut nodes = [1usize; LANES];
            for _ in 0..self.depth {
                for (lane, node) in nodes.iter_mut().enumerate() {
                    let is_left = projection(tile, *node, lane) < self.thresholds[*node];
                    *node = 2 * *node + usize::from(!is_left);
                }
            }
            for (sum, node) in sums.iter_mut().zip(nodes) {
                *sum += u32::from(self.leaves[node - self.leaves.len()]);
            }
        }
    }
}

/// The row's place along the slopes of a cut; the same sum in growing and in walking.
#[inline]
fn project(codes: &[u16], weights: &[f32], value: impl Fn(usize) -> f32) -> f32 {
    codes.iter().zip(weights).fold(0.0, |sum, (&code, &weight)| sum + weight * value(code.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows along a diagonal.
    fn diagonal() -> Vec<f32> {
        let x = (0..300).map(|i| i as f32);
        let y = (0..300).map(|i| (i + i * 7 % 5) as f32);
        x.chain(y).collect()
    }

    #[test]
    fn sloped_cuts_find_the_row_beside_a_diagonal_sooner_than_straight_ones() {
        let data = diagonal();
        let excess = |slopes| {
            let params = ExtendedForestParams { slopes, ..ExtendedForestParams::default() };
            let model = params.fit(Columns::new(&data, 300, 2), 3).unwrap();
            let mut scores = [0.0; 2];
            model.score(Columns::new(&[150.0, 230.0, 152.0, 70.0], 2, 2), &mut scores, &mut Scratch::default());
            scores[1] - scores[0]
        };
        assert!(excess(2) > excess(1) + 0.03, "{} {}", excess(2), excess(1));
    }

    #[test]
    fn every_number_of_slopes_walks_as_it_was_grown() {
        let data = diagonal();
        let view = Columns::new(&data, 100, 6);
        for slopes in [1, 2, 3, 4, 6, 64] {
            let params = ExtendedForestParams { trees: 20, subsample: 100, slopes };
            let model = params.fit(view, 3).unwrap();
            let mut scores = vec![0.0; 100];
            model.score(view, &mut scores, &mut Scratch::default());
            // Each of the rows it was grown from ends alone or at the limit: the mean score of a binary tree's leaves.
            let mean = scores.iter().sum::<f32>() / 100.0;
            assert!((0.4..0.6).contains(&mean), "{slopes} slopes: {mean}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let fine = ExtendedForestParams::default();
        for (params, name) in [
            (ExtendedForestParams { trees: 0, ..fine.clone() }, "trees"),
            (ExtendedForestParams { subsample: 1, ..fine.clone() }, "subsample"),
            (ExtendedForestParams { subsample: 257, ..fine.clone() }, "subsample"),
            (ExtendedForestParams { slopes: 0, ..fine.clone() }, "slopes"),
            (ExtendedForestParams { slopes: 65, ..fine }, "slopes"),
        ] {
            let error = params.fit(Columns::new(&[1.0, 2.0], 2, 1), 1).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
