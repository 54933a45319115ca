//! How much of a baseline lies on either side of a value, feature by feature.

use serde::{Deserialize, Serialize};

use crate::draw::{REFERENCE_MAX, evenly_spaced};
use crate::moment::{mean_of, sum_of};
use crate::{Columns, Explanation, FitError};

/// Rows whose sums are kept at a time.
const BLOCK: usize = 4096;

/// How the tails of all features become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TailSum {
    /// Three sums over the features: of left tails, of right tails, and of the tails on the skewed side. The largest sum
    /// counts. The form of the papers.
    BySide,
    /// Each feature adds the tail that counts for it. The form of `PyOD`.
    ByFeature,
}

/// Where the longer tail of a feature lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Skew {
    Left,
    Neither,
    Right,
}

/// The sorted distinct values of every feature with their ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TailParts", into = "TailParts")]
pub(crate) struct Tails {
    columns: Vec<Column>,
    /// `-ln((c + 1) / (rows + 1))` for a tail of `c` of the `rows` reference rows.
    surprises: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    skew: Skew,
    /// Rising, each once.
    values: Vec<f32>,
    /// Entry `i`: how many reference rows lie below `values[i]`; one more entry for all rows.
    below: Vec<u32>,
}

/// Tails as they were written, not yet checked.
#[derive(Deserialize, Serialize)]
struct TailParts {
    columns: Vec<Column>,
}

impl From<Tails> for TailParts {
    fn from(tails: Tails) -> Self {
        Self { columns: tails.columns }
    }
}

impl TryFrom<TailParts> for Tails {
    type Error = &'static str;

    fn try_from(TailParts { columns }: TailParts) -> Result<Self, Self::Error> {
        let rows = columns.first().and_then(|column| column.below.last()).copied().unwrap_or(0);
        if rows == 0 || rows as usize > REFERENCE_MAX {
            return Err("a tail model needs a feature and a reference row");
        }
        for Column { values, below, .. } in &columns {
            let is_rising = values.is_sorted_by(|a, b| a < b) && values.iter().all(|value| value.is_finite());
            if !is_rising || below.len() != values.len() + 1 {
                return Err("the values of a tail model do not rise");
            }
            if below[0] != 0 || below[values.len()] != rows || !below.is_sorted_by(|a, b| a < b) {
                return Err("the ranks of a tail model do not rise from 0 to its rows");
            }
        }
        Ok(Self { columns, surprises: surprises(rows) })
    }
}

fn surprises(rows: u32) -> Vec<f32> {
    let of_all = libm::log(f64::from(rows) + 1.0);
    (0..=rows).map(|count| (of_all - libm::log(f64::from(count) + 1.0)) as f32).collect()
}

impl Tails {
    /// Sorts at most `reference_max` evenly spaced rows of `view`.
    pub(crate) fn fit(view: Columns<'_>, reference_max: usize) -> Result<Self, FitError> {
        if !(1..=REFERENCE_MAX).contains(&reference_max) {
            let value = reference_max as f64;
            return Err(FitError::Parameter { name: "reference_max", value, expected: "1 to 16777216" });
        }
        view.check_learnable()?;
        let references = view.rows().min(reference_max);
        let mut sorted = Vec::with_capacity(references);
        let column = |feature| {
            let values = view.column(feature);
            sorted.clear();
            // Adding 0 makes one zero of the two that compare alike.
            sorted.extend((0..references).map(|index| values[evenly_spaced(index, references, view.rows())] + 0.0));
            Column::of(&mut sorted)
        };
        let columns = (0..view.features()).map(column).collect();
        Ok(Self { columns, surprises: surprises(references as u32) })
    }

    pub(crate) fn features(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn references(&self) -> usize {
        self.surprises.len() - 1
    }

    pub(crate) fn size_bytes(&self) -> usize {
        let values: usize = self.columns.iter().map(|column| column.values.len() + column.below.len()).sum();
        4 * (values + self.surprises.len()) + size_of_val(&self.columns[..])
    }

    /// Writes the score of every row; `of_feature` says what the left, the right and the skewed tail of one feature
    /// add where features are summed one by one.
    pub(crate) fn score(
        &self,
        sum: TailSum,
        of_feature: impl Fn(Surprise) -> f32,
        view: Columns<'_>,
        scores: &mut [f32],
        sums: &mut Vec<[f32; 3]>,
    ) {
        match sum {
            TailSum::ByFeature => {
                scores.fill(0.0);
                for (feature, column) in self.columns.iter().enumerate() {
                    for (score, &value) in scores.iter_mut().zip(view.column(feature)) {
                        *score += of_feature(column.surprise(value, &self.surprises));
                    }
                }
            }
            TailSum::BySide => {
                for (block, scores) in scores.chunks_mut(BLOCK).enumerate() {
                    let rows = view.slice(block * BLOCK..block * BLOCK + scores.len());
                    sums.clear();
                    sums.resize(scores.len(), [0.0; 3]);
                    for (feature, column) in self.columns.iter().enumerate() {
                        for ([left, right, skewed], &value) in sums.iter_mut().zip(rows.column(feature)) {
                            let surprise = column.surprise(value, &self.surprises);
                            *left += surprise.left;
                            *right += surprise.right;
                            *skewed += surprise.skewed;
                        }
                    }
                    for (score, &[left, right, skewed]) in scores.iter_mut().zip(&*sums) {
                        *score = left.max(right).max(skewed);
                    }
                }
            }
        }
    }

    /// As [`score`](Self::score), what each feature of one row adds; by side, on the side that counts.
    pub(crate) fn explain(
        &self,
        sum: TailSum,
        of_feature: impl Fn(Surprise) -> f32,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
    ) -> Explanation {
        let surprise = |feature: usize| self.columns[feature].surprise(view.column(feature)[row], &self.surprises);
        let mut add = |of: &dyn Fn(Surprise) -> f32| {
            let mut sum = 0.0f32;
            for (feature, contribution) in contributions.iter_mut().enumerate() {
                *contribution = of(surprise(feature));
                sum += *contribution;
            }
            sum
        };
        let value = match sum {
            TailSum::ByFeature => add(&of_feature),
            TailSum::BySide => {
                let [left, right, skewed]: [&dyn Fn(Surprise) -> f32; 3] = [&|s| s.left, &|s| s.right, &|s| s.skewed];
                let largest = add(left).max(add(right)).max(add(skewed));
                let sides = [left, right, skewed];
                // The search ends at the side that counts, so the contributions of that side stay.
                sides.into_iter().map(&mut add).find(|&sum| sum >= largest).unwrap_or(largest)
            }
        };
        Explanation { base: 0.0, value }
    }
}

/// How strange one value is as a small value, as a large one, and on the side of the longer tail: `-ln` of the share of the
/// reference rows, the row itself included, that lie as far out.
#[derive(Clone, Copy)]
pub(crate) struct Surprise {
    pub(crate) left: f32,
    pub(crate) right: f32,
    pub(crate) skewed: f32,
}

impl Column {
    /// Sorts the values.
    fn of(sorted: &mut [f32]) -> Self {
        let skew = skew_of(sorted);
        sorted.sort_unstable_by(f32::total_cmp);
        let (mut values, mut below) = (Vec::new(), Vec::new());
        for (rank, &value) in (0u32..).zip(sorted.iter()) {
            if values.last().is_none_or(|&last| last < value) {
                values.push(value);
                below.push(rank);
            }
        }
        below.push(sorted.len() as u32);
        values.shrink_to_fit();
        below.shrink_to_fit();
        Self { skew, values, below }
    }

    #[inline]
    fn surprise(&self, value: f32, surprises: &[f32]) -> Surprise {
        // Written so that NaN lies above all values.
        let place = self.values.partition_point(|&reference| reference < value || value.is_nan());
        let is_seen = self.values.get(place).is_some_and(|&reference| reference <= value);
        let at_most = self.below[place + usize::from(is_seen)];
        let at_least = surprises.len() - 1 - self.below[place] as usize;
        let (left, right) = (surprises[at_most as usize], surprises[at_least]);
        let skewed = match self.skew {
            Skew::Left => left,
            Skew::Neither => left.max(right),
            Skew::Right => right,
        };
        Surprise { left, right, skewed }
    }
}

/// The sign of the third central moment.
fn skew_of(values: &[f32]) -> Skew {
    let first = values.first();
    if values.iter().all(|value| Some(value) == first) {
        return Skew::Neither;
    }
    let mean = mean_of(values);
    let third = sum_of(values, |value| {
        let difference = f64::from(value) - mean;
        difference * difference * difference
    });
    if third < 0.0 {
        Skew::Left
    } else if third > 0.0 {
        Skew::Right
    } else {
        Skew::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surprise(baseline: &[f32], value: f32) -> (f32, f32) {
        let tails = Tails::fit(Columns::new(baseline, baseline.len(), 1), 100).unwrap();
        let Surprise { left, right, .. } = tails.columns[0].surprise(value, &tails.surprises);
        (left, right)
    }

    #[test]
    fn a_tail_counts_equal_values_and_the_row_itself() {
        let near = |(left, right): (f32, f32), at_most: f32, at_least: f32| {
            let expected = (-libm::logf(at_most / 5.0), -libm::logf(at_least / 5.0));
            assert!((left - expected.0).abs() < 1e-6 && (right - expected.1).abs() < 1e-6, "{left} {right}");
        };
        let baseline = [2.0, 1.0, 2.0, 4.0];
        near(surprise(&baseline, 2.0), 4.0, 4.0);
        near(surprise(&baseline, 3.0), 4.0, 2.0);
        near(surprise(&baseline, -9.0), 1.0, 5.0);
        near(surprise(&baseline, 9.0), 5.0, 1.0);
        near(surprise(&baseline, f32::NAN), 5.0, 1.0);
        near(surprise(&[-0.0, 0.0, 1.0, 1.0], 0.0), 3.0, 5.0);
    }

    #[test]
    fn the_skew_points_to_the_longer_tail_and_a_constant_has_none() {
        assert_eq!(skew_of(&[0.0, 0.0, 1.0]), Skew::Right);
        assert_eq!(skew_of(&[0.0, 1.0, 1.0]), Skew::Left);
        assert_eq!(skew_of(&[0.1; 7]), Skew::Neither);
        assert_eq!(skew_of(&[-1.0, 0.0, 1.0]), Skew::Neither);
    }

    #[test]
    fn of_a_large_baseline_evenly_spaced_rows_are_kept() {
        let rows: Vec<f32> = (0..1_000).map(|row| row as f32).collect();
        let tails = Tails::fit(Columns::new(&rows, 1_000, 1), 10).unwrap();
        assert_eq!(tails.references(), 10);
        assert_eq!(tails.columns[0].values[..3], [0.0, 100.0, 200.0]);
    }
}
