//! A pattern prepared for speed.

use serde::{Deserialize, Serialize};

use crate::{Pattern, Rows};

/// Rows treated together: their sums stay in the first-level cache.
const BLOCK: usize = 256;
/// A block is computed column by column when at least one row in this many passes the categories, else row by row.
const DENSE_SHARE: usize = 20;

/// A [`Pattern`] prepared for measuring distances: reciprocal spreads and sets of bits.
///
/// The distance of a flow is `sqrt(mean_k(((x_k - c_k) / s_k)^2))`, infinite where a category is not in the set. All
/// methods give the same bits for the same flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matcher {
    centre: Vec<f32>,
    reciprocal_spread: Vec<f32>,
    categories: Vec<CodeSet>,
}

/// The allowed codes of one categorical feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum CodeSet {
    /// One code, by far the most common: a cluster shares its category values.
    One(u16),
    /// Bit `code % 64` of word `code / 64`; codes beyond the last word are not in the set.
    Many(Vec<u64>),
}

impl CodeSet {
    fn new(codes: &[u16]) -> Self {
        if let &[code] = codes {
            return Self::One(code);
        }
        let words = codes.iter().max().map_or(0, |&max| max as usize / 64 + 1);
        let mut bits = vec![0; words];
        for &code in codes {
            bits[code as usize / 64] |= 1 << (code % 64);
        }
        Self::Many(bits)
    }

    fn holds(&self, code: u16) -> bool {
        match self {
            Self::One(only) => *only == code,
            Self::Many(bits) => bits.get(code as usize / 64).is_some_and(|word| word >> (code % 64) & 1 == 1),
        }
    }

    /// Clears the marks of the rows whose code is not in the set.
    fn filter(&self, codes: &[u16], marks: &mut [u16]) {
        match self {
            Self::One(only) => {
                for (mark, code) in marks.iter_mut().zip(codes) {
                    *mark &= u16::from(code == only);
                }
            }
            Self::Many(_) => {
                for (mark, &code) in marks.iter_mut().zip(codes) {
                    *mark &= u16::from(self.holds(code));
                }
            }
        }
    }
}

impl Matcher {
    /// Prepares a pattern that passed [`Signature::check`](crate::Signature::check).
    ///
    /// # Panics
    /// When centre and spread differ in length.
    pub fn new(pattern: &Pattern) -> Self {
        assert_eq!(pattern.centre.len(), pattern.spread.len(), "one spread for every centre");
        Self {
            centre: pattern.centre.clone(),
            reciprocal_spread: pattern.spread.iter().map(|spread| 1.0 / spread).collect(),
            categories: pattern.categories.iter().map(|codes| CodeSet::new(codes)).collect(),
        }
    }

    /// Whether every category code is in its set.
    ///
    /// # Panics
    /// When the number of codes is not that of the pattern.
    pub fn admits(&self, codes: &[u16]) -> bool {
        assert_eq!(codes.len(), self.categories.len(), "one code for every categorical feature");
        self.categories.iter().zip(codes).all(|(set, &code)| set.holds(code))
    }

    /// The distance of one flow.
    ///
    /// # Panics
    /// When the number of values or codes is not that of the pattern.
    pub fn distance(&self, numeric: &[f32], codes: &[u16]) -> f32 {
        assert_eq!(numeric.len(), self.centre.len(), "one value for every numeric feature");
        if !self.admits(codes) {
            return f32::INFINITY;
        }
        let mut sum = 0.0;
        for ((x, centre), reciprocal) in numeric.iter().zip(&self.centre).zip(&self.reciprocal_spread) {
            let z = (x - centre) * reciprocal;
            sum += z * z;
        }
        (sum * self.reciprocal_count()).sqrt()
    }

    /// The distances of all rows, into `out`, whose former content is dropped. Allocates only when `out` is too small.
    ///
    /// # Panics
    /// When the view holds fewer columns than the pattern has features.
    pub fn distances(&self, rows: Rows<'_>, out: &mut Vec<f32>) {
        out.clear();
        out.resize(rows.rows, f32::INFINITY);
        for (block, sums) in out.chunks_mut(BLOCK).enumerate() {
            self.block(rows, block * BLOCK, sums);
        }
    }

    /// The distances of the rows from `start` on, as many as `out` has places, all of which hold infinity.
    fn block(&self, rows: Rows<'_>, start: usize, out: &mut [f32]) {
        let mut marks = [1; BLOCK];
        let marks = &mut marks[..out.len()];
        let mut admitted = out.len();
        for (k, set) in self.categories.iter().enumerate() {
            set.filter(&rows.codes[k * rows.stride + start..][..out.len()], marks);
            admitted = usize::from(marks.iter().sum::<u16>());
            if admitted == 0 {
                return;
            }
        }
        let reciprocal_count = self.reciprocal_count();
        if admitted * DENSE_SHARE < out.len() {
            for (i, distance) in out.iter_mut().enumerate().filter(|&(i, _)| marks[i] == 1) {
                *distance = (self.sum_of_row(rows, start + i) * reciprocal_count).sqrt();
            }
            return;
        }
        let mut sums = [0.0; BLOCK];
        let sums = &mut sums[..out.len()];
        self.add_columns(rows, start, sums);
        for ((distance, sum), &mark) in out.iter_mut().zip(sums).zip(&*marks) {
            let root = (*sum * reciprocal_count).sqrt();
            *distance = if mark == 1 { root } else { f32::INFINITY };
        }
    }

    fn sum_of_row(&self, rows: Rows<'_>, row: usize) -> f32 {
        let mut sum = 0.0;
        for (k, (centre, reciprocal)) in self.centre.iter().zip(&self.reciprocal_spread).enumerate() {
            let z = (rows.numeric[k * rows.stride + row] - centre) * reciprocal;
            sum += z * z;
        }
        sum
    }

    /// Adds the squared deviations of every column to the sums, in the order of the columns. Four columns are taken
    /// together, which saves three of four round trips of the sums through memory; the order of the additions of one row
    /// is that of [`Matcher::distance`].
    fn add_columns(&self, rows: Rows<'_>, start: usize, sums: &mut [f32]) {
        let length = sums.len();
        let column = |k: usize| &rows.numeric[k * rows.stride + start..][..length];
        let (centres, centres_rest) = self.centre.as_chunks::<4>();
        let (reciprocals, reciprocals_rest) = self.reciprocal_spread.as_chunks::<4>();
        for (group, (c, r)) in centres.iter().zip(reciprocals).enumerate() {
            let [x0, x1, x2, x3] = std::array::from_fn(|i| column(4 * group + i));
            for ((((sum, x0), x1), x2), x3) in sums.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
                let z = [(x0 - c[0]) * r[0], (x1 - c[1]) * r[1], (x2 - c[2]) * r[2], (x3 - c[3]) * r[3]];
                *sum = *sum + z[0] * z[0] + z[1] * z[1] + z[2] * z[2] + z[3] * z[3];
            }
        }
        for (i, (c, r)) in centres_rest.iter().zip(reciprocals_rest).enumerate() {
            for (sum, x) in sums.iter_mut().zip(column(4 * centres.len() + i)) {
                let z = (x - c) * r;
                *sum += z * z;
            }
        }
    }

    /// One over the number of numeric features; 1 when there are none, so that the distance is 0.
    fn reciprocal_count(&self) -> f32 {
        1.0 / self.centre.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> Pattern {
        Pattern { centre: vec![0.5, 0.2], spread: vec![0.1, 0.04], categories: vec![vec![3], vec![0, 1, 700]] }
    }

    #[test]
    fn the_distance_is_the_root_mean_square_of_the_deviations_in_spreads() {
        let matcher = Matcher::new(&pattern());
        let distance = matcher.distance(&[0.6, 0.28], &[3, 700]);
        assert!((distance - 2.5_f32.sqrt()).abs() < 1.0e-6, "{distance}");
        assert!(matcher.distance(&[0.5, 0.2], &[3, 0]).abs() < f32::EPSILON);
    }

    #[test]
    fn a_category_outside_its_set_is_infinitely_far() {
        let matcher = Matcher::new(&pattern());
        for codes in [[2, 0], [3, 2], [3, 699], [3, 701], [3, u16::MAX]] {
            assert!(!matcher.admits(&codes));
            assert!(matcher.distance(&[0.5, 0.2], &codes).is_infinite());
        }
    }

    #[test]
    fn a_pattern_without_numeric_features_measures_zero_where_the_categories_fit() {
        let pattern = Pattern { centre: vec![], spread: vec![], categories: vec![vec![1]] };
        let mut out = Vec::new();
        let rows = Rows { rows: 2, stride: 2, numeric: &[], codes: &[1, 2] };
        Matcher::new(&pattern).distances(rows, &mut out);
        assert_eq!(out, [0.0, f32::INFINITY]);
    }

    #[test]
    #[should_panic(expected = "one value for every numeric feature")]
    fn a_flow_of_another_schema_is_a_fault_of_the_program() {
        Matcher::new(&pattern()).distance(&[0.5], &[3, 0]);
    }
}
