//! The matrix every detector reads.

use std::ops::Range;

use crate::FitError;

/// The largest number of features of a model that numbers them with 16 bits.
pub(crate) const FEATURES_MAX: usize = 1 << 16;

/// A borrowed column-major `f32` matrix: the value of row `r` in feature `k` is
/// `data[k * stride + r]`.
///
/// Rows are observations, columns are features. A `stride` above the number of rows lets a window
/// of a larger matrix, or the filled part of a reserved one, be read without a copy.
///
/// ```
/// use dais_detect::Columns;
///
/// // Three rows, two features.
/// let view = Columns::new(&[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], 3, 2);
/// assert_eq!(view.column(1), [10.0, 20.0, 30.0]);
/// assert_eq!(view.slice(1..3).column(0), [2.0, 3.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    data: &'a [f32],
    rows: usize,
    features: usize,
    stride: usize,
}

impl<'a> Columns<'a> {
    /// A dense matrix: the columns follow one another without a gap.
    ///
    /// # Panics
    /// If `data` does not hold exactly `rows * features` values.
    pub fn new(data: &'a [f32], rows: usize, features: usize) -> Self {
        assert!(
            rows.checked_mul(features) == Some(data.len()),
            "a dense matrix of {rows} x {features} needs rows * features values, got {}",
            data.len()
        );
        Self { data, rows, features, stride: rows }
    }

    /// A matrix whose columns begin `stride` values apart.
    ///
    /// # Panics
    /// If `stride < rows`, or `data` ends before the last value.
    pub fn with_stride(data: &'a [f32], rows: usize, features: usize, stride: usize) -> Self {
        assert!(stride >= rows, "stride {stride} is below the number of rows {rows}");
        let span = match features {
            0 => Some(0),
            _ => (features - 1).checked_mul(stride).and_then(|last| last.checked_add(rows)),
        };
        assert!(
            span.is_some_and(|span| span <= data.len()),
            "{rows} rows x {features} features with stride {stride} do not fit in {} values",
            data.len()
        );
        Self { data, rows, features, stride }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// All rows of feature `k`.
    ///
    /// # Panics
    /// If `k` is not below [`features`](Self::features).
    pub fn column(&self, k: usize) -> &'a [f32] {
        assert!(k < self.features, "feature {k} of {}", self.features);
        &self.data[k * self.stride..][..self.rows]
    }

    /// The same features of a range of rows.
    ///
    /// # Panics
    /// If the range does not lie within the rows.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let data = self.data.get(rows.start..).unwrap_or(&[]);
        Self { data, rows: rows.len(), ..*self }
    }

    /// Refuses what no detector can learn from: no row, no feature, a value that is not finite.
    pub(crate) fn check_learnable(&self) -> Result<(), FitError> {
        if self.rows == 0 {
            return Err(FitError::NoRows);
        }
        if self.features == 0 {
            return Err(FitError::NoFeatures);
        }
        match self.first_non_finite() {
            Some((row, feature)) => Err(FitError::NonFinite { row, feature }),
            None => Ok(()),
        }
    }

    /// The first value that is NaN or infinite, as `(row, feature)`, feature by feature.
    pub(crate) fn first_non_finite(&self) -> Option<(usize, usize)> {
        (0..self.features).find_map(|feature| {
            let column = self.column(feature);
            // The sum of `0 * x` is NaN exactly if a value is not finite; unlike a search that may
            // stop early, it runs at full vector width.
            let mut lanes = [0.0f32; 16];
            let chunks = column.chunks_exact(16);
            let tail = chunks.remainder();
            for chunk in chunks {
                for (lane, value) in lanes.iter_mut().zip(chunk) {
                    *lane += value * 0.0;
                }
            }
            if lanes.iter().all(|lane| !lane.is_nan()) && tail.iter().all(|value| value.is_finite()) {
                return None;
            }
            let row = column.iter().position(|value| !value.is_finite());
            row.map(|row| (row, feature))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strided_view_skips_the_gap_between_columns() {
        let data = [1.0, 2.0, -1.0, 3.0, 4.0];
        let view = Columns::with_stride(&data, 2, 2, 3);
        assert_eq!(view.column(0), [1.0, 2.0]);
        assert_eq!(view.column(1), [3.0, 4.0]);
    }

    #[test]
    fn a_slice_of_no_rows_at_the_end_is_empty() {
        let view = Columns::new(&[1.0, 2.0], 2, 1).slice(2..2);
        assert_eq!(view.rows(), 0);
        assert!(view.column(0).is_empty());
    }

    #[test]
    #[should_panic(expected = "do not fit")]
    fn a_view_that_ends_after_its_data_is_refused() {
        let _ = Columns::with_stride(&[1.0; 5], 3, 2, 3);
    }

    #[test]
    #[should_panic(expected = "needs rows * features values")]
    fn a_dense_view_of_the_wrong_length_is_refused() {
        let _ = Columns::new(&[1.0; 5], 2, 2);
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_found_in_chunks_and_in_the_tail() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 15, 16, 35, 39] {
                let mut data = vec![1.0e38; 40];
                data[at] = bad;
                assert_eq!(Columns::new(&data, 20, 2).first_non_finite(), Some((at % 20, at / 20)));
            }
        }
        assert_eq!(Columns::new(&[f32::MAX; 40], 20, 2).first_non_finite(), None);
    }
}
