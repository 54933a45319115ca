//! Robust random cut forest.

mod tree;

use rand_philox::Philox;
use serde::{Deserialize, Serialize};

use self::tree::{Points, Tree, TreeParts, outside};
use super::window::{check_rows, learned};
use crate::columns::FEATURES_MAX;
use crate::detector::assert_shapes;
use crate::explanation::assert_explained;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Online, Scratch};

/// The largest sample: nodes are numbered with 16 bits.
const SAMPLE_MAX: u16 = 4096;
/// The largest group of rows of which a tree takes one.
const EVERY_MAX: u16 = 1024;
/// Values further from 0 are cut to this, so that their sum over all features is finite.
const VALUE_MAX: f32 = 1e30;
/// Rows that all go down one tree before the next tree is read.
const BLOCK: usize = 64;

/// How a [`RandomCutForest`] learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomCutParams {
    /// The number of trees, at least 1. More trees make scores steadier; time and memory grow in proportion.
    pub trees: u16,
    /// The rows that a tree holds, 2 to 4,096.
    pub sample: u16,
    /// Every tree takes one of this many consecutive rows, 1 to 1,024.
    pub every: u16,
}

impl Default for RandomCutParams {
    /// 50 trees that each hold 256 of the last 2,048 rows.
    fn default() -> Self {
        Self { trees: 50, sample: 256, every: 8 }
    }
}

impl RandomCutParams {
    /// Learns the rows of `view` in their order.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 65,536 features, and for a value that is not
    /// finite.
    pub fn fit(&self, view: Columns<'_>, seed: u64) -> Result<RandomCutForest, FitError> {
        learned(view, |features| self.start(features, seed))
    }

    /// A model that has not learned yet.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, no feature and more than 65,536 features.
    pub fn start(&self, features: usize, seed: u64) -> Result<RandomCutForest, FitError> {
        self.check()?;
        if features == 0 {
            return Err(FitError::NoFeatures);
        }
        if features > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features, max: FEATURES_MAX });
        }
        Ok(RandomCutForest {
            params: self.clone(),
            seed,
            features,
            learned: 0,
            values: vec![0.0; self.rows() * features],
            trees: vec![Tree::new(self.sample.into(), features); self.trees.into()],
        })
    }

    fn check(&self) -> Result<(), FitError> {
        let parameter = |name, value: u16, expected| FitError::Parameter { name, value: value.into(), expected };
        if self.trees == 0 {
            return Err(parameter("trees", 0, "at least 1"));
        }
        if !(2..=SAMPLE_MAX).contains(&self.sample) {
            return Err(parameter("sample", self.sample, "2 to 4096"));
        }
        if !(1..=EVERY_MAX).contains(&self.every) {
            return Err(parameter("every", self.every, "1 to 1024"));
        }
        Ok(())
    }

    /// The rows that trees can hold: those of `sample` full groups of `every`, and of the group that is being filled.
    fn rows(&self) -> usize {
        (usize::from(self.sample) + 1) * usize::from(self.every)
    }

    /// The random words of a tree for a group of `every` rows, and which row of the group it takes.
    fn draw(&self, seed: u64, tree: u64, group: u64) -> (Philox, u64) {
        let mut words = Philox::from_u64_seed_stream(seed, group.wrapping_mul(self.trees.into()).wrapping_add(tree));
        let place = words.bounded(self.every.into());
        (words, place.into())
    }
}

/// Robust random cut forest: a row is strange if it would displace many others in random trees.
///
/// A tree cuts the bounding box of its points between two values of a feature, drawn in proportion to the lengths of its sides,
/// and so on in each half until every point is alone. A new point that lies outside of a box may be cut off before the box is cut
/// itself, in proportion to how far outside it lies; the tree is then as if it had been drawn with the point from the start, and the
/// same holds when a point is taken away. The collusive displacement of a point looks at every node on its way to the root: it divides
/// the points below the node's sibling by those below the node, and the largest ratio counts. The score is the displacement that the
/// row would have if it were inserted: its expectation over all cuts that could be drawn, averaged over the trees, from 0 to `sample`.
///
/// Each tree holds a sample of its own, one of every 8 rows, and takes in a row when it gives up its oldest one.
///
/// Good at rows far from all others, in streams whose scale changes: no cut outlives the rows it was made for. Weak
/// where features have unlike units, since long sides are cut more often (scale them alike first), with many features that are
/// noise, and slow: a row goes down deep trees and is compared with a box of all features at every step.
///
/// Values beyond ±1e30 count as that, NaN as 1e30.
///
/// Cost: with 20 features 50 trees of 256 points take 2.5 MB; learning a row means one insertion and one deletion in an eighth of
/// the trees, scoring a row `trees * depth` comparisons with a box, and a depth of about 15.
///
/// ```
/// use dais_detect::{Columns, Detector, Online, RandomCutParams, Scratch};
///
/// let day: Vec<f32> = (0..2055).map(|row| (row * 7919 % 1009) as f32 / 63.0).collect();
/// let night: Vec<f32> = day.iter().map(|value| 100.0 + value).collect();
/// let batch = Columns::new(&[7.0, 107.0, 500.0], 3, 1);
/// let (mut scores, mut scratch) = ([0.0; 3], Scratch::default());
///
/// let mut model = RandomCutParams::default().fit(Columns::new(&day, 2055, 1), 1)?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert!(scores[0] < 20.0 && scores[1] > 200.0 && scores[2] > 200.0, "{scores:?}");
///
/// model.learn(Columns::new(&night, 2055, 1))?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert!(scores[0] > 200.0 && scores[1] < 20.0 && scores[2] > 200.0, "{scores:?}");
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on Streams", ICML 2016.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RandomCutParts")]
pub struct RandomCutForest {
    params: RandomCutParams,
    seed: u64,
    features: usize,
    /// The rows learned so far.
    learned: u64,
    /// The last rows, one after the other, in a ring.
    values: Vec<f32>,
    trees: Vec<Tree>,
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct RandomCutParts {
    params: RandomCutParams,
    seed: u64,
    features: usize,
    learned: u64,
    values: Vec<f32>,
    trees: Vec<TreeParts>,
}

impl TryFrom<RandomCutParts> for RandomCutForest {
    type Error = &'static str;

    fn try_from(parts: RandomCutParts) -> Result<Self, Self::Error> {
        let RandomCutParts { params, seed, features, learned, values, trees } = parts;
        params.check().map_err(|_| "a parameter of a random cut forest lies outside its range")?;
        if trees.len() != usize::from(params.trees) {
            return Err("a random cut forest has another number of trees than it says");
        }
        if !(1..=FEATURES_MAX).contains(&features) || Some(values.len()) != params.rows().checked_mul(features) {
            return Err("the rows of a random cut forest differ in number from what it learned");
        }
        if learned > u64::MAX / 2 || values.iter().any(|value| !(-VALUE_MAX..=VALUE_MAX).contains(value)) {
            return Err("the rows of a random cut forest are not numbers that it could have learned");
        }
        let points = Points { values: &values, features };
        let (every, sample) = (u64::from(params.every), u64::from(params.sample));
        let checked = |(parts, tree): (TreeParts, u64)| {
            let (group, filled) = (learned / every, learned % every);
            // The group of the newest row that the tree has taken.
            let is_taken = params.draw(seed, tree, group).1 < filled;
            let taken = group + u64::from(is_taken);
            let newest = taken.checked_sub(1).unwrap_or(sample - 1);
            let row = |place: usize| {
                let back = (newest % sample + sample - place as u64) % sample;
                let group = taken.checked_sub(1 + back)?;
                Some(((group * every + params.draw(seed, tree, group).1) % params.rows() as u64) as u32)
            };
            Tree::check(parts, points, sample as usize, (newest % sample) as usize, row)
        };
        let trees = trees.into_iter().zip(0..).map(checked).collect::<Option<Vec<_>>>();
        let trees = trees.ok_or("a random cut tree is not one of the rows that it should hold")?;
        Ok(Self { params, seed, features, learned, values, trees })
    }
}

impl RandomCutForest {
    fn points(&self) -> Points<'_> {
        Points { values: &self.values, features: self.features }
    }
}

fn bounded(value: f32) -> f32 {
    if value.is_nan() { VALUE_MAX } else { value.clamp(-VALUE_MAX, VALUE_MAX) }
}

impl Detector for RandomCutForest {
    fn features(&self) -> usize {
        self.features
    }

    fn size_bytes(&self) -> usize {
        size_of_val(&self.values[..])
            + self.trees.iter().map(|tree| size_of::<Tree>() + tree.size_bytes()).sum::<usize>()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features, &view, scores);
        let (points, per_tree) = (self.points(), 1.0 / self.trees.len() as f32);
        scratch.tiles.resize(BLOCK * self.features, 0.0);
        for (block, scores) in scores.chunks_mut(BLOCK).enumerate() {
            for feature in 0..self.features {
                let column = &view.column(feature)[block * BLOCK..][..scores.len()];
                for (row, &value) in column.iter().enumerate() {
                    scratch.tiles[row * self.features + feature] = bounded(value);
                }
            }
            scores.fill(0.0);
            for tree in &self.trees {
                for (score, point) in scores.iter_mut().zip(scratch.tiles.chunks_exact(self.features)) {
                    let mut displaced = 0.0;
                    let rest = tree.descend(points, point, |step| displaced += step.weight * step.extension);
                    *score += displaced + rest;
                }
            }
            for score in scores {
                *score *= per_tree;
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
        assert_explained(self.features, &view, row, contributions);
        let point: Vec<f32> = (0..self.features).map(|feature| bounded(view.column(feature)[row])).collect();
        let (points, per_tree) = (self.points(), 1.0 / self.trees.len() as f32);
        contributions.fill(0.0);
        let mut base = 0.0;
        for tree in &self.trees {
            base += tree.descend(points, &point, |step| {
                let (low, high) = step.bounds;
                for (feature, contribution) in contributions.iter_mut().enumerate() {
                    *contribution += step.weight * outside(point[feature], low[feature], high[feature]);
                }
            });
        }
        for contribution in contributions.iter_mut() {
            *contribution *= per_tree;
        }
        base *= per_tree;
        Ok(Explanation { base, value: base + contributions.iter().sum::<f32>() })
    }
}

impl Online for RandomCutForest {
    fn learn(&mut self, view: Columns<'_>) -> Result<(), FitError> {
        check_rows(self.features, &view)?;
        let Self { params, seed, features, learned, values, trees } = self;
        let (every, sample) = (u64::from(params.every), u64::from(params.sample));
        for row in 0..view.rows() {
            let slot = (*learned % params.rows() as u64) as usize;
            for (feature, value) in values[slot * *features..][..*features].iter_mut().enumerate() {
                *value = bounded(view.column(feature)[row]);
            }
            let points = Points { values, features: *features };
            let (group, filled) = (*learned / every, *learned % every);
            for (tree, number) in trees.iter_mut().zip(0..) {
                let (mut words, place) = params.draw(*seed, number, group);
                if place == filled {
                    let place = (group % sample) as usize;
                    if group >= sample {
                        tree.remove(points, place);
                    }
                    tree.insert(points, slot as u32, place, &mut words);
                }
            }
            *learned += 1;
        }
        Ok(())
    }

    fn horizon(&self) -> usize {
        self.params.rows() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(model: &RandomCutForest, values: &[f32]) -> Vec<f32> {
        let mut scores = vec![0.0; values.len()];
        model.score(Columns::new(values, values.len(), 1), &mut scores, &mut Scratch::default());
        scores
    }

    #[test]
    fn displacement_is_its_expectation_over_the_cuts_that_could_be_drawn() {
        let params = RandomCutParams { trees: 1, sample: 2, every: 1 };
        let model = params.fit(Columns::new(&[0.0, 1.0], 2, 1), 5).unwrap();
        // At 4 the box of 0 and 1 is 3 too short: 3 of 4 cuts displace both. The others leave it beside 1, where it displaces one.
        let scores = score(&model, &[4.0, 1.0]);
        assert!((scores[0] - (0.75 * 2.0 + 0.25)).abs() < 1e-6, "{scores:?}");
        // A second 1 lies in the leaf of the first: taking out the two moves 0.
        assert!((scores[1] - 0.5).abs() < 1e-6, "{scores:?}");
    }

    #[test]
    fn a_tree_holds_its_sample_whatever_repeats() {
        let params = RandomCutParams { trees: 3, sample: 4, every: 2 };
        let rows: Vec<f32> = (0..100).map(|row| (row * row % 7) as f32).collect();
        let mut model = params.start(1, 5).unwrap();
        for row in &rows {
            model.learn(Columns::new(&[*row], 1, 1)).unwrap();
            // What was updated row by row equals what follows from the points.
            let parts = RandomCutParts {
                params: model.params.clone(),
                seed: model.seed,
                features: 1,
                learned: model.learned,
                values: model.values.clone(),
                trees: model.trees.iter().map(Tree::parts).collect(),
            };
            assert_eq!(RandomCutForest::try_from(parts).as_ref(), Ok(&model));
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let params = RandomCutParams::default();
        for (params, name) in [
            (RandomCutParams { trees: 0, ..params.clone() }, "trees"),
            (RandomCutParams { sample: 1, ..params.clone() }, "sample"),
            (RandomCutParams { sample: 4097, ..params.clone() }, "sample"),
            (RandomCutParams { every: 0, ..params.clone() }, "every"),
            (RandomCutParams { every: 1025, ..params }, "every"),
        ] {
            let error = params.start(1, 1).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
