//! Streaming Half-Space Trees.

use rand_philox::{Philox, u32_to_unit_f64};
use serde::{Deserialize, Serialize};

use super::window::{Window, check_rows, learned};
use crate::columns::FEATURES_MAX;
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::forest::{FeatureCodes, Grove, for_each_block};
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Online, Scratch};

/// The deepest tree: its cells are numbered with 8 bits.
const DEPTH_MAX: u8 = 8;
/// The nodes of the deepest tree.
const NODES_MAX: usize = 1 << DEPTH_MAX;
/// The largest window.
const WINDOW_MAX: u16 = 4096;
/// Surprises are stored in units of 1/2048 bit above `-DEPTH_MAX`: exact to sum in integers.
const SURPRISE_UNIT: f32 = 2048.0;
/// Added to the width of every feature's range, so that a feature that hardly varies is not cut too finely.
const WIDTH_FLOOR: f64 = 0.05;

/// How [`HalfSpaceTrees`] learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HalfSpaceParams {
    /// The number of trees, at least 1. More trees make scores steadier; time and memory grow in proportion.
    pub trees: u16,
    /// The number of cuts on the way to a cell, 1 to 8.
    pub depth: u8,
    /// The rows of a window, 2 to 4,096.
    pub window: u16,
    /// A cell with fewer rows than this share of the window is not cut further; at least 0, at most 1.
    pub sparse: f32,
}

impl Default for HalfSpaceParams {
    /// 50 trees of depth 8, windows of 512 rows, cells cut down to a tenth of them.
    fn default() -> Self {
        Self { trees: 50, depth: 8, window: 512, sparse: 0.1 }
    }
}

impl HalfSpaceParams {
    /// Learns the rows of `view` in their order.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 65,536 features, and for a value that is not
    /// finite.
    pub fn fit(&self, view: Columns<'_>, seed: u64) -> Result<HalfSpaceTrees, FitError> {
        learned(view, |features| self.start(features, seed))
    }

    /// A model that has not learned yet.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, no feature and more than 65,536 features.
    pub fn start(&self, features: usize, seed: u64) -> Result<HalfSpaceTrees, FitError> {
        self.check(features)?;
        let nodes = usize::from(self.trees) << self.depth;
        Ok(HalfSpaceTrees {
            depth: self.depth,
            sparse: self.sparse,
            seed,
            window: Window::new(self.window.into(), features),
            codes: FeatureCodes::new(nodes, features),
            thresholds: vec![0.0; nodes],
            leaves: vec![u16::from(DEPTH_MAX) * SURPRISE_UNIT as u16; nodes],
        })
    }

    fn check(&self, features: usize) -> Result<(), FitError> {
        let parameter = |name, value: f32, expected| FitError::Parameter { name, value: value.into(), expected };
        if self.trees == 0 {
            return Err(parameter("trees", 0.0, "at least 1"));
        }
        if !(1..=DEPTH_MAX).contains(&self.depth) {
            return Err(parameter("depth", self.depth.into(), "1 to 8"));
        }
        if !(2..=WINDOW_MAX).contains(&self.window) {
            return Err(parameter("window", self.window.into(), "2 to 4096"));
        }
        if !(0.0..=1.0).contains(&self.sparse) {
            return Err(parameter("sparse", self.sparse, "0 to 1"));
        }
        if features == 0 {
            return Err(FitError::NoFeatures);
        }
        if features > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features, max: FEATURES_MAX });
        }
        Ok(())
    }
}

/// Streaming Half-Space Trees: rows that fall where the last window had few rows are strange.
///
/// Every tree halves the space `depth` times, each time in the middle of a feature drawn at random, whatever the rows are; at
/// the end of a window its rows are counted in every cell, and the new counts replace those of the window before. A cell
/// with less than a share of `sparse` of the rows is not cut further. The score is the mean over all trees of the
/// surprise of the row's cell in bits, `-log2` of its density relative to rows spread evenly: it lies between `-depth` and
/// 12, and is 0 where the cell is as full as its size lets expect.
///
/// Good at streams that change, at rows far from the window and at sparse regions within it, for the price of a forest.
/// Weak with many features, where only few are cut on the way to a cell, and blind to attacks that fill a good part of a
/// window; what is strange only for the window before last is strange no more.
///
/// Two things differ from the paper. The range that is halved is not assumed to be `[0, 1]`: it follows from the values of the
/// window (plus 0.05) and is then stretched at random around a random centre as in the paper, so the counts are taken at the end
/// of the window. And surprises are averaged, not densities: a single crowded cell cannot outweigh many empty ones, which is
/// steadier and better on all data it was tried on (`docs/reference/detectors.md`).
///
/// A value that is NaN counts as larger than every cut.
///
/// Cost: 50 trees of depth 8 take 90 kB, and the window 4 bytes for each value. Scoring a row takes `trees * depth` steps as in
/// [`IsolationForest`](crate::IsolationForest), learning a row about as many again for the counts, all at the end of a window.
///
/// ```
/// use dais_detect::{Columns, Detector, HalfSpaceParams, Online, Scratch};
///
/// let day: Vec<f32> = (0..512).map(|row| (row % 16) as f32).collect();
/// let night: Vec<f32> = day.iter().map(|value| 100.0 + value).collect();
/// let batch = Columns::new(&[7.0, 107.0, 500.0], 3, 1);
/// let (mut scores, mut scratch) = ([0.0; 3], Scratch::default());
///
/// let mut model = HalfSpaceParams::default().fit(Columns::new(&day, 512, 1), 1)?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert_eq!(scores.map(|score| score.round()), [-2.0, 7.0, 7.0]);
///
/// model.learn(Columns::new(&night, 512, 1))?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert_eq!(scores.map(|score| score.round()), [8.0, -2.0, 7.0]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: S. C. Tan, K. M. Ting, F. T. Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HalfSpaceParts")]
pub struct HalfSpaceTrees {
    depth: u8,
    sparse: f32,
    seed: u64,
    window: Window,
    codes: FeatureCodes,
    thresholds: Vec<f32>,
    leaves: Vec<u16>,
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct HalfSpaceParts {
    depth: u8,
    sparse: f32,
    seed: u64,
    window: Window,
    codes: FeatureCodes,
    thresholds: Vec<f32>,
    leaves: Vec<u16>,
}

impl TryFrom<HalfSpaceParts> for HalfSpaceTrees {
    type Error = &'static str;

    fn try_from(parts: HalfSpaceParts) -> Result<Self, Self::Error> {
        let HalfSpaceParts { depth, sparse, seed, window, codes, thresholds, leaves } = parts;
        if !(1..=DEPTH_MAX).contains(&depth) || window.size() > WINDOW_MAX.into() {
            return Err("half-space trees are 1 to 8 deep, their window has at most 4096 rows");
        }
        let nodes = thresholds.len();
        if nodes == 0 || nodes % (1 << depth) != 0 || nodes >> depth > usize::from(u16::MAX) {
            return Err("the number of thresholds is not trees * 2^depth");
        }
        if codes.len() != nodes || leaves.len() != nodes {
            return Err("features, thresholds and leaves of half-space trees differ in number");
        }
        if !codes.fits(window.features()) {
            return Err("a half-space tree cuts a feature that does not exist");
        }
        Ok(Self { depth, sparse, seed, window, codes, thresholds, leaves })
    }
}

impl HalfSpaceTrees {
    /// The number of trees.
    pub fn trees(&self) -> usize {
        self.thresholds.len() >> self.depth
    }
}

impl Detector for HalfSpaceTrees {
    fn features(&self) -> usize {
        self.window.features()
    }

    fn size_bytes(&self) -> usize {
        self.codes.size_bytes()
            + size_of_val(&self.thresholds[..])
            + size_of_val(&self.leaves[..])
            + self.window.size_bytes()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let grove = Grove {
            features: self.features(),
            depth: self.depth,
            codes: &self.codes,
            thresholds: &self.thresholds,
            leaves: &self.leaves,
        };
        let per_unit = 1.0 / (SURPRISE_UNIT * self.trees() as f32);
        for_each_block(grove, view, scratch, |start, sums| {
            for (score, &sum) in scores[start..].iter_mut().zip(sums) {
                *score = sum as f32 * per_unit - f32::from(DEPTH_MAX);
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
        Err(CannotExplain { detector: "half-space-trees" })
    }
}

impl Online for HalfSpaceTrees {
    fn learn(&mut self, view: Columns<'_>) -> Result<(), FitError> {
        check_rows(self.features(), &view)?;
        let Self { depth, sparse, seed, window, codes, thresholds, leaves } = self;
        let nodes = 1usize << *depth;
        window.add(view, |rows| {
            let mut growth = Growth::new(rows, nodes, *sparse);
            let trees = thresholds.chunks_exact_mut(nodes).zip(leaves.chunks_exact_mut(nodes)).zip(0u64..);
            for ((thresholds, leaves), tree) in trees {
                growth.grow(&mut Philox::from_u64_seed_stream(*seed, tree), thresholds, leaves);
                let first = tree as usize * nodes;
                match codes {
                    FeatureCodes::Narrow(codes) => {
                        for (code, &cut) in codes[first..].iter_mut().zip(&growth.features[..nodes]) {
                            *code = cut as u8;
                        }
                    }
                    FeatureCodes::Wide(codes) => codes[first..][..nodes].copy_from_slice(&growth.features[..nodes]),
                }
            }
        });
        Ok(())
    }

    fn horizon(&self) -> usize {
        2 * self.window.size() - 1
    }
}

/// One tree after the other while it is cut and filled.
struct Growth<'a> {
    rows: Columns<'a>,
    nodes: usize,
    /// A cell with fewer rows is not cut further.
    rows_min: f32,
    /// The lowest value and the width of every feature in the window.
    ranges: Vec<(f64, f64)>,
    /// The range of every feature that is left to be cut.
    work: Vec<(f64, f64)>,
    /// The stored surprise of a cell with so many rows that was never cut.
    surprises: Vec<u16>,
    /// The feature that each node cuts, and the rows in each node; heap order from 1.
    features: [u16; NODES_MAX],
    masses: [u16; 2 * NODES_MAX],
}

impl<'a> Growth<'a> {
    fn new(rows: Columns<'a>, nodes: usize, sparse: f32) -> Self {
        let ranges: Vec<_> = (0..rows.features()).map(|feature| range(rows.column(feature))).collect();
        let count = rows.rows() as f32;
        // Half a row in every cell: the surprise of an empty one is finite, and that of a full one exactly 0.
        let surprise = |mass| -libm::log2f((mass as f32 + 0.5) / (count + 0.5));
        let stored = |mass| (SURPRISE_UNIT * (surprise(mass) + f32::from(DEPTH_MAX))) as u16;
        Self {
            rows,
            nodes,
            rows_min: sparse * count,
            work: ranges.clone(),
            ranges,
            surprises: (0..=rows.rows()).map(stored).collect(),
            features: [0; NODES_MAX],
            masses: [0; 2 * NODES_MAX],
        }
    }

    fn grow(&mut self, words: &mut Philox, thresholds: &mut [f32], leaves: &mut [u16]) {
        for (work, (low, width)) in self.work.iter_mut().zip(&self.ranges) {
            let centre = u32_to_unit_f64(words.next_u32());
            let reach = 2.0 * centre.max(1.0 - centre);
            *work = (low + width * (centre - reach), low + width * (centre + reach));
        }
        self.cut(1, words, thresholds);
        self.count(thresholds);
        self.settle(1, 0, leaves);
    }

    /// Halves the space of a node, and those of the nodes below.
    fn cut(&mut self, node: usize, words: &mut Philox, thresholds: &mut [f32]) {
        if node >= self.nodes {
            return;
        }
        let feature = words.bounded(self.work.len() as u32) as usize;
        let (low, high) = self.work[feature];
        let middle = 0.5 * low + 0.5 * high;
        self.features[node] = feature as u16;
        thresholds[node] = middle as f32;
        self.work[feature] = (low, middle);
        self.cut(2 * node, words, thresholds);
        self.work[feature] = (middle, high);
        self.cut(2 * node + 1, words, thresholds);
        self.work[feature] = (low, high);
    }

    /// Counts the rows of the window in every node.
    fn count(&mut self, thresholds: &[f32]) {
        self.masses.fill(0);
        for row in 0..self.rows.rows() {
            let mut node = 1;
            while node < self.nodes {
                let is_left = self.rows.column(self.features[node].into())[row] < thresholds[node];
                node = 2 * node + usize::from(!is_left);
            }
            self.masses[node] += 1;
        }
        for node in (1..self.nodes).rev() {
            self.masses[node] = self.masses[2 * node] + self.masses[2 * node + 1];
        }
    }

    /// Gives every leaf under a node the surprise of the cell where a row stops.
    fn settle(&self, node: usize, level: u16, leaves: &mut [u16]) {
        let mass = self.masses[node];
        if leaves.len() == 1 || f32::from(mass) < self.rows_min {
            // A cell halved `level` times is as dense as its rows, times 2 for every level.
            leaves.fill(self.surprises[usize::from(mass)] - level * SURPRISE_UNIT as u16);
            return;
        }
        let (left, right) = leaves.split_at_mut(leaves.len() / 2);
        self.settle(2 * node, level + 1, left);
        self.settle(2 * node + 1, level + 1, right);
    }
}

/// The lowest of some finite values and the width of their range, with some room.
fn range(values: &[f32]) -> (f64, f64) {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (low, high) = (f64::from(low), f64::from(high));
    (low - WIDTH_FLOOR / 2.0, high - low + WIDTH_FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(model: &HalfSpaceTrees, values: &[f32]) -> Vec<f32> {
        let mut scores = vec![0.0; values.len()];
        model.score(Columns::new(values, values.len(), 1), &mut scores, &mut Scratch::default());
        scores
    }

    #[test]
    fn a_tree_of_one_cut_tells_how_full_its_halves_are() {
        let params = HalfSpaceParams { trees: 1, depth: 1, window: 8, sparse: 0.0 };
        let rows = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 9.0];
        let model = params.fit(Columns::new(&rows, 8, 1), 2).unwrap();
        let left = rows.iter().filter(|&&value| value < model.thresholds[1]).count() as f32;
        let expected = [left, 8.0 - left].map(|mass| -libm::log2f(2.0 * (mass + 0.5) / 8.5));
        let scores = score(&model, &[-50.0, 50.0]);
        assert!(scores.iter().zip(expected).all(|(score, expected)| (score - expected).abs() < 1e-3), "{scores:?}");
    }

    #[test]
    fn a_sparse_cell_is_not_cut_further() {
        let rows: Vec<f32> = (0..256).map(|row| if row < 250 { 0.0 } else { row as f32 }).collect();
        let params = HalfSpaceParams { sparse: 1.0, window: 256, ..HalfSpaceParams::default() };
        let model = params.fit(Columns::new(&rows, 256, 1), 1).unwrap();
        for (tree, leaves) in model.leaves.chunks(256).enumerate() {
            // Only a cell with all rows is cut, so at each level at most one half goes on: at most 9 different cells.
            let cells = leaves.chunk_by(|a, b| a == b).count();
            assert!(cells <= 9, "{cells} cells in tree {tree}");
        }
    }

    #[test]
    fn a_model_that_has_not_learned_gives_every_row_the_score_0() {
        let model = HalfSpaceParams::default().start(1, 1).unwrap();
        assert_eq!(score(&model, &[0.0, -3.0e9]), [0.0, 0.0]);
    }

    #[test]
    fn the_largest_surprise_fits_in_16_bits() {
        let bits = f32::from(DEPTH_MAX) - libm::log2f(0.5 / (f32::from(WINDOW_MAX) + 0.5));
        assert!(bits * SURPRISE_UNIT < f32::from(u16::MAX));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let params = HalfSpaceParams::default();
        for (params, name) in [
            (HalfSpaceParams { trees: 0, ..params.clone() }, "trees"),
            (HalfSpaceParams { depth: 0, ..params.clone() }, "depth"),
            (HalfSpaceParams { depth: 9, ..params.clone() }, "depth"),
            (HalfSpaceParams { window: 1, ..params.clone() }, "window"),
            (HalfSpaceParams { window: 4097, ..params.clone() }, "window"),
            (HalfSpaceParams { sparse: f32::NAN, ..params.clone() }, "sparse"),
            (HalfSpaceParams { sparse: 1.1, ..params }, "sparse"),
        ] {
            let error = params.start(1, 1).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
        let error = HalfSpaceParams::default().start(FEATURES_MAX + 1, 1).unwrap_err();
        assert_eq!(error, FitError::TooManyFeatures { features: FEATURES_MAX + 1, max: FEATURES_MAX });
    }
}
