//! The baseline window: an agent's memory of its own ordinary traffic.

use std::net::IpAddr;

use dais_protocol::{Medoid, Rows};
use dais_traffic::Batch;
use rand_philox::Philox;
use serde::{Deserialize, Serialize};

/// A sample of the ordinary flows of an agent, stored by column.
///
/// Every flow has the same chance of being in it, whatever the rate of flows: once the window is full, the `n`-th flow takes
/// the place of a random one with the chance `capacity / n` (reservoir sampling; J. Vitter, "Random Sampling with a
/// Reservoir", ACM TOMS 1985). From `span` flows on `n` stays there, so that what is older fades (biased reservoir
/// sampling; C. Aggarwal, VLDB 2006).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Window {
    capacity: usize,
    features: usize,
    categories: usize,
    rows: usize,
    /// Flows offered so far.
    seen: u64,
    /// Flows after which older ones fade.
    span: u64,
    numeric: Vec<f32>,
    codes: Vec<u16>,
}

impl Window {
    pub(crate) fn new(capacity: usize, span: u64, features: usize, categories: usize) -> Self {
        Self {
            capacity,
            features,
            categories,
            rows: 0,
            seen: 0,
            span: span.max(capacity as u64),
            numeric: vec![0.0; capacity * features],
            codes: vec![0; capacity * categories],
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Offers a flow.
    pub(crate) fn offer(&mut self, flow: &Remembered, random: &mut Philox) {
        let Some(slot) = self.admit(random) else { return };
        self.remember(slot, flow.numeric.iter().copied(), flow.codes.iter().copied());
    }

    /// Offers a flow of a batch.
    pub(crate) fn offer_row(&mut self, batch: &Batch, row: usize, random: &mut Philox) {
        let Some(slot) = self.admit(random) else { return };
        let numeric = batch.numeric().iter().skip(row).step_by(batch.rows()).copied();
        let codes = batch.codes().iter().skip(row).step_by(batch.rows()).copied();
        self.remember(slot, numeric, codes);
    }

    /// Lets what comes from now on take the places of what is remembered, as when traffic has changed.
    pub(crate) fn make_way(&mut self) {
        self.seen = self.rows as u64;
    }

    /// The place of the next flow, if it is to be remembered.
    fn admit(&mut self, random: &mut Philox) -> Option<usize> {
        self.seen += 1;
        if self.rows < self.capacity {
            self.rows += 1;
            return Some(self.rows - 1);
        }
        let chance = self.capacity as f64 / self.seen.min(self.span) as f64;
        let luck = rand_philox::u32_to_unit_f64(random.next_u32());
        (luck < chance).then(|| random.bounded(self.capacity as u32) as usize)
    }

    fn remember(&mut self, slot: usize, numeric: impl Iterator<Item = f32>, codes: impl Iterator<Item = u16>) {
        for (place, value) in self.numeric.iter_mut().skip(slot).step_by(self.capacity).zip(numeric) {
            *place = value;
        }
        for (place, code) in self.codes.iter_mut().skip(slot).step_by(self.capacity).zip(codes) {
            *place = code;
        }
    }

    /// All remembered rows, in no order of time.
    pub(crate) fn view(&self) -> Rows<'_> {
        Rows { rows: self.rows, stride: self.capacity, numeric: &self.numeric, codes: &self.codes }
    }

    pub(crate) fn numeric_column(&self, k: usize) -> &[f32] {
        &self.numeric[k * self.capacity..][..self.rows]
    }

    pub(crate) fn code_column(&self, k: usize) -> &[u16] {
        &self.codes[k * self.capacity..][..self.rows]
    }
}

/// One flow taken out of its batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) numeric: Vec<f32>,
    pub(crate) codes: Vec<u16>,
    /// Its [`address_key`].
    pub(crate) source: u128,
}

impl Remembered {
    pub(crate) fn of(batch: &Batch, row: usize) -> Self {
        Self {
            numeric: batch.numeric().iter().skip(row).step_by(batch.rows()).copied().collect(),
            codes: batch.codes().iter().skip(row).step_by(batch.rows()).copied().collect(),
            source: source_key(batch, row),
        }
    }

    /// Whether the other flow has the same categories, and its scaled values differ by at most `distance` (root mean square).
    pub(crate) fn is_near(&self, other: &Self, distance: f32) -> bool {
        let squares = || self.numeric.iter().zip(&other.numeric).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        self.codes == other.codes && squares() <= distance * distance * self.numeric.len() as f32
    }
}

impl From<Remembered> for Medoid {
    fn from(flow: Remembered) -> Self {
        Self { numeric: flow.numeric, codes: flow.codes }
    }
}

/// The key of a flow's source; 0 in a batch without addresses.
pub(crate) fn source_key(batch: &Batch, row: usize) -> u128 {
    batch.endpoints().map_or(0, |endpoints| address_key(endpoints.source[row]))
}

/// An address as a number that no other address has: comparing one is quicker than comparing an address. An IPv4 address
/// has that of the IPv6 address it is mapped to.
pub(crate) fn address_key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
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

    /// The mean of what a window of 200 rows holds after the flows 0 to 9,999.
    fn mean_after(span: u64) -> f32 {
        let mut window = Window::new(200, span, 1, 0);
        let mut random = Philox::from_u64_seed_stream(1, 1);
        let batch = batch(&(0..10_000).map(|k| k as f32 / 10_000.0).collect::<Vec<f32>>());
        (0..5_000).for_each(|row| window.offer_row(&batch, row, &mut random));
        (5_000..10_000).for_each(|row| window.offer(&Remembered::of(&batch, row), &mut random));
        assert_eq!(window.rows(), 200);
        window.numeric_column(0).iter().sum::<f32>() / 200.0
    }

    #[test]
    fn every_flow_has_the_same_chance_to_be_remembered() {
        let mean = mean_after(u64::MAX);
        assert!((mean - 0.5).abs() < 0.06, "{mean}");
    }

    #[test]
    fn beyond_its_span_a_window_fades() {
        // Ages are spread exponentially with the mean of the span: 1 - 1,000 / 10,000.
        let mean = mean_after(1_000);
        assert!((mean - 0.9).abs() < 0.03, "{mean}");
    }

    #[test]
    fn a_window_that_makes_way_is_soon_full_of_what_is_new() {
        let mut window = Window::new(100, u64::MAX, 1, 0);
        let mut random = Philox::from_u64_seed_stream(1, 1);
        let (old, new) = (batch(&[0.0; 1_000]), batch(&[1.0; 400]));
        (0..1_000).for_each(|row| window.offer_row(&old, row, &mut random));
        window.make_way();
        (0..400).for_each(|row| window.offer_row(&new, row, &mut random));
        let share = window.numeric_column(0).iter().sum::<f32>() / 100.0;
        assert!((0.7..0.9).contains(&share), "{share}: 4 of 5 flows that count are new");
    }

    #[test]
    fn near_flows_share_their_categories() {
        let flow = |value: f32, code| Remembered { numeric: vec![value], codes: vec![code], source: 0 };
        assert!(flow(0.1, 1).is_near(&flow(0.4, 1), 0.31) && !flow(0.1, 1).is_near(&flow(0.4, 1), 0.29));
        assert!(!flow(0.1, 1).is_near(&flow(0.1, 2), 0.3));
    }

    #[test]
    fn no_two_addresses_are_taken_for_one_another() {
        let keys = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::", "::1", "::c000:201"];
        let keys = keys.map(|text| address_key(text.parse().expect("an address")));
        assert!(keys.iter().enumerate().all(|(place, key)| !keys[..place].contains(key)), "{keys:x?}");
        assert_eq!(address_key("::ffff:192.0.2.1".parse().expect("an address")), keys[0]);
    }
}
