//! Records of one direction, put together to flows of both.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::Flow;

use super::record::Record;

/// How long a record waits for that of the other direction, by the times of export.
const WAIT_MS: i64 = 120_000;
/// How far apart two directions of one flow may lie: a question and its answer do not overlap.
const APART_MS: i64 = 60_000;

type End = (IpAddr, u16);
type Key = (End, End, u8);

/// Records that wait for their other direction, never more than a bound.
pub(super) struct Pairs {
    waiting: BTreeMap<Key, (Record, u64)>,
    /// In the order of their arrival, those that wait no longer included.
    order: VecDeque<(Key, u64, i64)>,
    arrived: u64,
    waiting_max: usize,
    /// Records that had to go on alone because there were too many.
    pub(super) crowded_out: u64,
}

impl Pairs {
    pub(super) fn new(waiting_max: usize) -> Self {
        let (waiting, order) = (BTreeMap::new(), VecDeque::new());
        Self { waiting, order, arrived: 0, waiting_max: waiting_max.max(1), crowded_out: 0 }
    }

    /// Takes in a record exported at a time; flows that are complete are appended to `ready`.
    pub(super) fn add(&mut self, record: Record, export_ms: i64, ready: &mut VecDeque<Flow>) {
        self.release(export_ms, ready);
        if record.is_bidirectional() {
            ready.push_back(record.flow());
            return;
        }
        let reverse = (record.destination, record.source, record.protocol.0);
        if let Some((other, _)) = self.waiting.get(&reverse)
            && other.first_ms <= record.last_ms.saturating_add(APART_MS)
            && record.first_ms <= other.last_ms.saturating_add(APART_MS)
            && reverse.0 != reverse.1
            && let Some((other, _)) = self.waiting.remove(&reverse)
        {
            ready.push_back(other.with_reverse(record).flow());
            return;
        }
        self.arrived += 1;
        let key = (record.source, record.destination, record.protocol.0);
        if let Some((earlier, _)) = self.waiting.insert(key, (record, self.arrived)) {
            ready.push_back(earlier.flow());
        }
        self.order.push_back((key, self.arrived, export_ms));
    }

    /// Lets those go alone that have waited long enough, or that are too many.
    fn release(&mut self, now_ms: i64, ready: &mut VecDeque<Flow>) {
        while let Some(&(key, arrival, since_ms)) = self.order.front() {
            let waits = self.waiting.get(&key).is_some_and(|(_, arrived)| *arrived == arrival);
            let due = now_ms.saturating_sub(since_ms) > WAIT_MS;
            let crowded = self.order.len() >= self.waiting_max;
            if waits && !due && !crowded {
                return;
            }
            self.order.pop_front();
            if waits && let Some((record, _)) = self.waiting.remove(&key) {
                self.crowded_out += u64::from(!due);
                ready.push_back(record.flow());
            }
        }
    }

    /// A record that found no other direction until the end.
    pub(super) fn next_left(&mut self) -> Option<Flow> {
        loop {
            let (key, arrival, _) = self.order.pop_front()?;
            if self.waiting.get(&key).is_some_and(|(_, arrived)| *arrived == arrival) {
                return self.waiting.remove(&key).map(|(record, _)| record.flow());
            }
        }
    }
}
