//! A window of rows that fills and turns.

use serde::{Deserialize, Serialize};

use crate::{Columns, FitError};

/// The rows of the current window of a stream.
///
/// A model is learned anew from every full window. Until the first one is full it is learned at 1, 2, 4, 8, … rows, so
/// that few rows already tell something. Both depend on the number of rows alone, not on how they are split in batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WindowParts")]
pub(crate) struct Window {
    size: usize,
    filled: usize,
    is_first: bool,
    /// The value of row `r` in feature `k` at `k * size + r`.
    values: Vec<f32>,
}

/// A window as it was written, not yet checked.
#[derive(Deserialize)]
struct WindowParts {
    size: usize,
    filled: usize,
    is_first: bool,
    values: Vec<f32>,
}

impl TryFrom<WindowParts> for Window {
    type Error = &'static str;

    fn try_from(parts: WindowParts) -> Result<Self, Self::Error> {
        let WindowParts { size, filled, is_first, values } = parts;
        if filled >= size || values.is_empty() || values.len() % size != 0 {
            return Err("the window of a stream has another size than its rows");
        }
        Ok(Self { size, filled, is_first, values })
    }
}

impl Window {
    /// A window of `size` rows, at least 1, with at least one feature.
    pub(crate) fn new(size: usize, features: usize) -> Self {
        Self { size, filled: 0, is_first: true, values: vec![0.0; size * features] }
    }

    /// The number of features.
    pub(crate) fn features(&self) -> usize {
        self.values.len() / self.size
    }

    /// The rows of a full window.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The memory of the rows, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        size_of_val(&self.values[..])
    }

    /// Adds the rows of `view`, which has been checked, and calls `learn` with the rows of the window whenever a model
    /// is due.
    pub(crate) fn add(&mut self, view: Columns<'_>, mut learn: impl FnMut(Columns<'_>)) {
        let mut start = 0;
        let windows = (self.filled + view.rows()) / self.size;
        if windows > 1 {
            // What all but the last full window teach is forgotten with the next one.
            start = (windows - 1) * self.size - self.filled;
            self.filled = 0;
            self.is_first = false;
        }
        while start < view.rows() {
            let due = match self.filled {
                filled if self.is_first => (filled + 1).next_power_of_two().min(self.size),
                _ => self.size,
            };
            let end = view.rows().min(start + due - self.filled);
            self.copy(view.slice(start..end));
            start = end;
            if self.filled == due {
                learn(Columns::with_stride(&self.values, self.filled, self.features(), self.size));
            }
            if self.filled == self.size {
                self.filled = 0;
                self.is_first = false;
            }
        }
    }

    fn copy(&mut self, rows: Columns<'_>) {
        for (feature, column) in self.values.chunks_exact_mut(self.size).enumerate() {
            column[self.filled..][..rows.rows()].copy_from_slice(rows.column(feature));
        }
        self.filled += rows.rows();
    }
}

/// The checks every [`learn`](crate::Online::learn) begins with.
pub(crate) fn check_rows(features: usize, view: &Columns<'_>) -> Result<(), FitError> {
    if view.features() != features {
        return Err(FitError::OtherFeatures { features: view.features(), expected: features });
    }
    match view.first_non_finite() {
        Some((row, feature)) => Err(FitError::NonFinite { row, feature }),
        None => Ok(()),
    }
}

/// The model that learned the rows of a view from the first to the last, if there is one.
pub(crate) fn learned<M: crate::Online>(
    view: Columns<'_>,
    start: impl FnOnce(usize) -> Result<M, FitError>,
) -> Result<M, FitError> {
    let mut model = start(view.features())?;
    if view.rows() == 0 {
        return Err(FitError::NoRows);
    }
    model.learn(view)?;
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_due_at_powers_of_two_and_then_at_full_windows() {
        let rows: Vec<f32> = (0..22).map(|row| row as f32).collect();
        let mut window = Window::new(6, 1);
        let mut due = Vec::new();
        for start in (0..22).step_by(2) {
            let view = Columns::new(&rows[start..start + 2], 2, 1);
            window.add(view, |rows| due.push((rows.column(0)[0], rows.rows())));
        }
        assert_eq!(due, [(0.0, 1), (0.0, 2), (0.0, 4), (0.0, 6), (6.0, 6), (12.0, 6)]);
    }

    #[test]
    fn a_long_batch_teaches_its_last_full_window_only() {
        let rows: Vec<f32> = (0..22).map(|row| row as f32).collect();
        let (mut at_once, mut due) = (Window::new(6, 1), Vec::new());
        at_once.add(Columns::new(&rows, 22, 1), |rows| due.push((rows.column(0)[0], rows.rows())));
        assert_eq!(due, [(12.0, 6)]);
        let mut row_by_row = Window::new(6, 1);
        for row in &rows {
            row_by_row.add(Columns::new(&[*row], 1, 1), |_| ());
        }
        assert_eq!(at_once, row_by_row);
    }
}
