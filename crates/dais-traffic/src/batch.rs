//! The flows an agent observes in one step, stored by column.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Schema;

/// Who spoke to whom in one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address of the originator.
    pub source: IpAddr,
    /// Address of the responder.
    pub destination: IpAddr,
    /// Port of the responder.
    pub destination_port: u16,
}

/// Endpoints by column, one value a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Addresses of the originators.
    pub source: Vec<IpAddr>,
    /// Addresses of the responders.
    pub destination: Vec<IpAddr>,
    /// Ports of the responders.
    pub destination_port: Vec<u16>,
}

/// The flows an agent observes in one step: scaled numeric values and category codes by column.
///
/// Rows are in order of time where times are known. Endpoints and times are absent for data sets that do not record them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    rows: usize,
    numeric: Vec<f32>,
    codes: Vec<u16>,
    endpoints: Option<Endpoints>,
    time_s: Option<Vec<f64>>,
}

impl Batch {
    /// Number of flows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All numeric values, scaled to [0, 1]: feature `k` of row `r` is at `k * rows + r`.
    #[must_use]
    pub fn numeric(&self) -> &[f32] {
        &self.numeric
    }

    /// All category codes: feature `k` of row `r` is at `k * rows + r`.
    #[must_use]
    pub fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// Scaled values of numeric feature `k`.
    #[must_use]
    pub fn numeric_column(&self, k: usize) -> &[f32] {
        &self.numeric[k * self.rows..(k + 1) * self.rows]
    }

    /// Codes of categorical feature `k`.
    #[must_use]
    pub fn code_column(&self, k: usize) -> &[u16] {
        &self.codes[k * self.rows..(k + 1) * self.rows]
    }

    /// Endpoints, where the source of the traffic records them.
    #[must_use]
    pub fn endpoints(&self) -> Option<&Endpoints> {
        self.endpoints.as_ref()
    }

    /// Start times in seconds, where the source of the traffic records them.
    #[must_use]
    pub fn time_s(&self) -> Option<&[f64]> {
        self.time_s.as_deref()
    }

    /// A copy of the given rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = |count: usize| (0..count).flat_map(|k| rows.iter().map(move |&row| (k, row)));
        let numeric_count = self.numeric.len().checked_div(self.rows).unwrap_or(0);
        let code_count = self.codes.len().checked_div(self.rows).unwrap_or(0);
        Self {
            rows: rows.len(),
            numeric: columns(numeric_count).map(|(k, row)| self.numeric[k * self.rows + row]).collect(),
            codes: columns(code_count).map(|(k, row)| self.codes[k * self.rows + row]).collect(),
            endpoints: self.endpoints.as_ref().map(|all| Endpoints {
                source: rows.iter().map(|&row| all.source[row]).collect(),
                destination: rows.iter().map(|&row| all.destination[row]).collect(),
                destination_port: rows.iter().map(|&row| all.destination_port[row]).collect(),
            }),
            time_s: self.time_s.as_ref().map(|all| rows.iter().map(|&row| all[row]).collect()),
        }
    }
}

/// Collects rows, then lays them out by column.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    numeric_count: usize,
    code_count: usize,
    rows: usize,
    numeric: Vec<f32>,
    codes: Vec<u16>,
    endpoints: Endpoints,
    time_s: Vec<f64>,
}

impl BatchBuilder {
    /// An empty builder for flows of this schema with room for `capacity` rows.
    #[must_use]
    pub fn new(schema: &Schema, capacity: usize) -> Self {
        Self {
            numeric_count: schema.numeric.len(),
            code_count: schema.categorical.len(),
            rows: 0,
            numeric: Vec::with_capacity(capacity * schema.numeric.len()),
            codes: Vec::with_capacity(capacity * schema.categorical.len()),
            endpoints: Endpoints::default(),
            time_s: Vec::new(),
        }
    }

    /// Adds a row of scaled values and codes. Endpoint and time are given for every row or for none.
    ///
    /// # Panics
    /// If the number of values does not fit the schema.
    pub fn push(&mut self, numeric: &[f32], codes: &[u16], endpoint: Option<Endpoint>, time_s: Option<f64>) {
        assert_eq!(numeric.len(), self.numeric_count, "one value for each numeric feature");
        assert_eq!(codes.len(), self.code_count, "one code for each categorical feature");
        self.rows += 1;
        self.numeric.extend_from_slice(numeric);
        self.codes.extend_from_slice(codes);
        if let Some(endpoint) = endpoint {
            self.endpoints.source.push(endpoint.source);
            self.endpoints.destination.push(endpoint.destination);
            self.endpoints.destination_port.push(endpoint.destination_port);
        }
        self.time_s.extend(time_s);
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The batch of all rows, by column.
    ///
    /// # Panics
    /// If only some rows were given an endpoint or a time.
    #[must_use]
    pub fn finish(self) -> Batch {
        let rows = self.rows;
        let with_endpoints = self.endpoints.source.len();
        assert!(with_endpoints == 0 || with_endpoints == rows, "endpoints for every row or for none");
        assert!(self.time_s.is_empty() || self.time_s.len() == rows, "times for every row or for none");
        Batch {
            rows,
            numeric: by_column(&self.numeric, rows, self.numeric_count),
            codes: by_column(&self.codes, rows, self.code_count),
            endpoints: (with_endpoints > 0).then_some(self.endpoints),
            time_s: (!self.time_s.is_empty()).then_some(self.time_s),
        }
    }
}

fn by_column<T: Copy>(by_row: &[T], rows: usize, features: usize) -> Vec<T> {
    let mut columns = Vec::with_capacity(rows * features);
    for feature in 0..features {
        columns.extend(by_row.iter().skip(feature).step_by(features));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Categorical, Numeric, Transform};

    fn schema() -> Schema {
        let numeric = |name: &str| Numeric {
            name: name.into(),
            unit: String::new(),
            transform: Transform::Identity,
            low: 0.0,
            high: 1.0,
        };
        Schema {
            name: "test".into(),
            numeric: vec![numeric("a"), numeric("b")],
            categorical: vec![Categorical { name: "c".into(), values: vec!["x".into()] }],
        }
    }

    fn batch() -> Batch {
        let mut builder = BatchBuilder::new(&schema(), 2);
        builder.push(&[0.1, 0.2], &[1], None, Some(5.0));
        builder.push(&[0.3, 0.4], &[0], None, Some(6.0));
        builder.finish()
    }

    #[test]
    fn rows_are_laid_out_by_column() {
        assert_eq!(batch().numeric(), [0.1, 0.3, 0.2, 0.4]);
        assert_eq!(batch().numeric_column(1), [0.2, 0.4]);
        assert_eq!(batch().code_column(0), [1, 0]);
    }

    #[test]
    fn selected_rows_keep_the_given_order() {
        let selected = batch().select(&[1, 0, 1]);
        assert_eq!(selected.numeric_column(0), [0.3, 0.1, 0.3]);
        assert_eq!(selected.time_s(), Some([6.0, 5.0, 6.0].as_slice()));
    }

    #[test]
    #[should_panic(expected = "times for every row or for none")]
    fn a_batch_with_some_times_missing_is_refused() {
        let mut builder = BatchBuilder::new(&schema(), 2);
        builder.push(&[0.1, 0.2], &[1], None, Some(5.0));
        builder.push(&[0.3, 0.4], &[0], None, None);
        let _ = builder.finish();
    }
}
