//! A borrowed view of flows, stored by column.

/// Borrowed flows, column-major: value `k` of row `i` stands at `numeric[k * stride + i]`, category code `k` at
/// `codes[k * stride + i]`.
///
/// The stride may exceed the number of rows, so that a window that grows in place can be viewed without a copy.
/// Numeric values are scaled to about [0, 1]; category codes index the schema's dictionaries.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// How many rows are to be looked at.
    pub rows: usize,
    /// Distance between the same row of two neighbouring columns; at least `rows`.
    pub stride: usize,
    /// The numeric columns, one after another.
    pub numeric: &'a [f32],
    /// The category columns, one after another.
    pub codes: &'a [u16],
}

impl<'a> Rows<'a> {
    /// The rows of numeric column `k`.
    ///
    /// # Panics
    /// When the view holds no such column.
    pub fn numeric_column(&self, k: usize) -> &'a [f32] {
        &self.numeric[k * self.stride..][..self.rows]
    }

    /// The rows of category column `k`.
    ///
    /// # Panics
    /// When the view holds no such column.
    pub fn code_column(&self, k: usize) -> &'a [u16] {
        &self.codes[k * self.stride..][..self.rows]
    }

    /// How many numeric columns the view holds.
    pub fn numeric_columns(&self) -> usize {
        columns(self.numeric.len(), self.rows, self.stride)
    }

    /// How many category columns the view holds.
    pub fn code_columns(&self) -> usize {
        columns(self.codes.len(), self.rows, self.stride)
    }
}

/// Full columns in `len` values; the last may lack its unused tail.
fn columns(len: usize, rows: usize, stride: usize) -> usize {
    if stride == 0 || len < rows { 0 } else { (len - rows) / stride + usize::from(rows > 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_whatever_the_stride() {
        let numeric: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let rows = Rows { rows: 3, stride: 4, numeric: &numeric, codes: &[5, 6, 7] };
        assert_eq!((rows.numeric_columns(), rows.code_columns()), (3, 1));
        assert_eq!(rows.numeric_column(1), [4.0, 5.0, 6.0]);
        assert_eq!(rows.code_column(0), [5, 6, 7]);
        // The unused tail of the last column may be missing.
        assert_eq!(Rows { numeric: &numeric[..11], ..rows }.numeric_columns(), 3);
        assert_eq!(Rows { rows: 0, stride: 0, numeric: &[], codes: &[] }.numeric_columns(), 0);
    }
}
