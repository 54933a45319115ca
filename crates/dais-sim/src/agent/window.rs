//! The baseline window: an agent's memory of its own ordinary traffic.

use std::net::IpAddr;

use dais_protocol::{Medoid, Rows};
use dais_traffic::Batch;
use serde::{Deserialize, Serialize};

/// The last `capacity` ordinary flows of an agent, stored by column in a ring.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Window {
    capacity: usize,
    features: usize,
    categories: usize,
    rows: usize,
    next: usize,
    numeric: Vec<f32>,
    codes: Vec<u16>,
    sources: Vec<u64>,
}

impl Window {
    pub(crate) fn new(capacity: usize, features: usize, categories: usize) -> Self {
        Self {
            capacity,
            features,
            categories,
            rows: 0,
            next: 0,
            numeric: vec![0.0; capacity * features],
            codes: vec![0; capacity * categories],
            sources: vec![0; capacity],
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Remembers a flow, in the place of the oldest one when the window is full.
    pub(crate) fn push(&mut self, flow: &Remembered) {
        self.remember(flow.numeric.iter().copied(), flow.codes.iter().copied(), flow.source);
    }

    /// Remembers a flow of a batch.
    pub(crate) fn push_row(&mut self, batch: &Batch, row: usize) {
        let numeric = batch.numeric().iter().skip(row).step_by(batch.rows()).copied();
        let codes = batch.codes().iter().skip(row).step_by(batch.rows()).copied();
        self.remember(numeric, codes, source_key(batch, row));
    }

    fn remember(&mut self, numeric: impl Iterator<Item = f32>, codes: impl Iterator<Item = u16>, source: u64) {
        let slot = self.next;
        for (place, value) in self.numeric.iter_mut().skip(slot).step_by(self.capacity).zip(numeric) {
            *place = value;
        }
        for (place, code) in self.codes.iter_mut().skip(slot).step_by(self.capacity).zip(codes) {
            *place = code;
        }
        self.sources[slot] = source;
        self.next = (slot + 1) % self.capacity;
        self.rows = (self.rows + 1).min(self.capacity);
    }

    /// All remembered rows; their order is that of the ring.
    pub(crate) fn view(&self) -> Rows<'_> {
        Rows { rows: self.rows, stride: self.capacity, numeric: &self.numeric, codes: &self.codes }
    }

    pub(crate) fn numeric_column(&self, k: usize) -> &[f32] {
        &self.numeric[k * self.capacity..][..self.rows]
    }

    pub(crate) fn code_column(&self, k: usize) -> &[u16] {
        &self.codes[k * self.capacity..][..self.rows]
    }

    /// How many remembered flows came from this source.
    pub(crate) fn flows_from(&self, source: IpAddr) -> usize {
        let key = address_key(source);
        self.sources[..self.rows].iter().filter(|&&known| known == key).count()
    }
}

/// One flow taken out of its batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) numeric: Vec<f32>,
    pub(crate) codes: Vec<u16>,
    source: u64,
}

impl Remembered {
    pub(crate) fn of(batch: &Batch, row: usize) -> Self {
        Self {
            numeric: batch.numeric().iter().skip(row).step_by(batch.rows()).copied().collect(),
            codes: batch.codes().iter().skip(row).step_by(batch.rows()).copied().collect(),
            source: source_key(batch, row),
        }
    }
}

impl From<Remembered> for Medoid {
    fn from(flow: Remembered) -> Self {
        Self { numeric: flow.numeric, codes: flow.codes }
    }
}

/// The key of a flow's source; 0 in a batch without addresses.
fn source_key(batch: &Batch, row: usize) -> u64 {
    batch.endpoints().map_or(0, |endpoints| address_key(endpoints.source[row]))
}

/// A 64-bit stand-in for an address, never 0. IPv4 addresses never share one; two IPv6 addresses do with a chance of 2^-63.
pub(crate) fn address_key(address: IpAddr) -> u64 {
    let bits = match address {
        IpAddr::V4(v4) => return u64::from(u32::from(v4)) | 1 << 63,
        IpAddr::V6(v6) => u128::from(v6),
    };
    rand_philox::splitmix64(bits as u64 ^ rand_philox::splitmix64((bits >> 64) as u64)) >> 1 | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use dais_traffic::{BatchBuilder, Endpoint, Numeric, Schema, Transform};

    fn batch(values: &[f32]) -> Batch {
        let feature =
            Numeric { name: "x".into(), unit: String::new(), transform: Transform::Identity, low: 0.0, high: 1.0 };
        let schema = Schema { name: "test".into(), numeric: vec![feature], categorical: vec![] };
        let mut builder = BatchBuilder::new(&schema, values.len());
        let endpoint =
            Endpoint { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into(), destination_port: 80 };
        for &value in values {
            builder.push(&[value], &[], Some(endpoint), None);
        }
        builder.finish()
    }

    #[test]
    fn a_full_window_forgets_its_oldest_row() {
        let mut window = Window::new(2, 1, 0);
        let batch = batch(&[0.1, 0.2, 0.3]);
        (0..3).for_each(|row| window.push(&Remembered::of(&batch, row)));
        assert_eq!(window.numeric_column(0), [0.3, 0.2]);
    }

    #[test]
    fn ordinary_sources_are_remembered() {
        let mut window = Window::new(4, 1, 0);
        window.push(&Remembered::of(&batch(&[0.5]), 0));
        assert_eq!(window.flows_from([10, 0, 0, 1].into()), 1);
        assert_eq!(window.flows_from([10, 0, 0, 2].into()), 0);
    }
}
