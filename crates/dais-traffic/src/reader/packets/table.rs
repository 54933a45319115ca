//! The open flows of a capture.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;

use etherparse::IpNumber;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::Flow;

use super::history::History;
use super::idle::{Queues, Wait};
use super::open::Open;
use super::segment::Segment;
use super::service::answers;

/// How far time may go back between packets; a greater leap is the beginning of another capture in the same file.
const BACK_NS: u64 = 300_000_000_000;

/// The two ends of a flow and its protocol, in an order that does not depend on who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
    protocol: IpNumber,
}

impl Key {
    /// The key of a packet, and whether it goes from the lower end to the higher.
    #[inline]
    fn of(segment: &Segment<'_>) -> (Self, bool) {
        let source = (segment.source, segment.source_port);
        let destination = (segment.destination, segment.destination_port);
        let upward = source <= destination;
        let (low, high) = if upward { (source, destination) } else { (destination, source) };
        (Self { low, high, protocol: segment.protocol }, upward)
    }

    /// Both ends, that of the originator first.
    pub(super) fn ends(&self, upward: bool) -> [(IpAddr, u16); 2] {
        if upward { [self.low, self.high] } else { [self.high, self.low] }
    }

    pub(super) fn protocol(&self) -> IpNumber {
        self.protocol
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (address, _) in [self.low, self.high] {
            match address {
                IpAddr::V4(address) => state.write_u32(address.to_bits()),
                IpAddr::V6(address) => state.write_u128(address.to_bits()),
            }
        }
        let ports = u64::from(self.low.1) << 32 | u64::from(self.high.1) << 16;
        state.write_u64(ports | u64::from(self.protocol.0));
    }
}

/// A flow that is over, and the letters of its history, of which only TCP has any.
pub(super) struct Ended {
    pub(super) flow: Flow,
    pub(super) history: History,
}

/// The open flows: found by key, ended by idleness, never more than a bound.
///
/// Memory is the bound times some 150 bytes. A packet costs one look-up and one move within the queues. The hash is
/// keyed anew in each process, so that no capture can be made to fill one bucket; nothing depends on its order.
pub(super) struct FlowTable {
    hasher: RandomState,
    places: HashTable<u32>,
    flows: Vec<Open>,
    queues: Queues,
    open_max: usize,
    /// The latest time seen.
    now_ns: u64,
    /// No flow is over before this time.
    due_ns: u64,
    /// How often time leapt back.
    epoch: u32,
    /// Flows ended because there were too many.
    pub(super) crowded_out: u64,
}

impl FlowTable {
    /// A table of at most `open_max` flows, at least one.
    pub(super) fn new(open_max: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            places: HashTable::new(),
            flows: Vec::new(),
            queues: Queues::default(),
            // Places are counted in 32 bits.
            open_max: open_max.clamp(1, 1 << 30),
            now_ns: 0,
            due_ns: 0,
            epoch: 0,
            crowded_out: 0,
        }
    }

    /// Counts a packet to its flow, or to a new one; a flow that had to end for that is handed out.
    pub(super) fn observe(&mut self, segment: &Segment<'_>, at_ns: u64) -> Option<Ended> {
        self.advance(at_ns);
        let (key, upward) = Key::of(segment);
        let hash = self.hasher.hash_one(key);
        let known = self.places.find(hash, |&place| self.flows[place as usize].key == key).copied();
        let mut ended = None;
        let place = match known {
            Some(place) if !self.begins_anew(place, segment) => place,
            Some(place) => {
                ended = Some(self.end(place));
                self.begin(key, hash, upward, segment, at_ns)
            }
            None => {
                if self.places.len() >= self.open_max {
                    ended = self.longest_idle().map(|place| self.end(place));
                    self.crowded_out += 1;
                }
                self.begin(key, hash, upward, segment, at_ns)
            }
        };
        let open = &mut self.flows[place as usize];
        let over = open.count(segment, upward, at_ns);
        if let Some(wait) = open.wait_on(over, self.now_ns) {
            self.queues.move_to_tail(place, wait);
            self.due_ns = self.due_ns.min(self.now_ns.saturating_add(wait.limit_ns()));
        }
        ended
    }

    /// A flow that is over, if there is one.
    #[inline]
    pub(super) fn next_ended(&mut self) -> Option<Ended> {
        if self.now_ns < self.due_ns { None } else { self.look_for_ended() }
    }

    fn look_for_ended(&mut self) -> Option<Ended> {
        let heads = Wait::OPEN.into_iter().filter_map(|queue| self.queues.head(queue));
        if let Some(place) = heads.clone().find(|&place| self.is_over(&self.flows[place as usize])) {
            return Some(self.end(place));
        }
        let due = heads.map(|place| self.flows[place as usize].due_ns()).min();
        self.due_ns = due.unwrap_or(u64::MAX);
        None
    }

    /// The flow that has been idle longest, at the end of the capture.
    pub(super) fn next_open(&mut self) -> Option<Ended> {
        self.longest_idle().map(|place| self.end(place))
    }

    fn advance(&mut self, at_ns: u64) {
        if self.now_ns.saturating_sub(at_ns) > BACK_NS {
            for queue in Wait::OPEN {
                self.queues.append(queue, Wait::Ended);
            }
            self.epoch = self.epoch.wrapping_add(1);
            self.now_ns = at_ns;
            self.due_ns = 0;
        } else {
            self.now_ns = self.now_ns.max(at_ns);
        }
    }

    fn is_over(&self, open: &Open) -> bool {
        open.epoch != self.epoch || self.now_ns > open.due_ns()
    }

    /// Whether a packet with the key of an open flow is the first of another one.
    fn begins_anew(&self, place: u32, segment: &Segment<'_>) -> bool {
        let open = &self.flows[place as usize];
        self.is_over(open) || open.is_followed_by(segment)
    }

    fn longest_idle(&self) -> Option<u32> {
        let heads = Wait::OPEN.into_iter().filter_map(|queue| self.queues.head(queue));
        heads.min_by_key(|&place| {
            let open = &self.flows[place as usize];
            (open.epoch == self.epoch, open.waits_since_ns)
        })
    }

    fn begin(&mut self, key: Key, hash: u64, upward: bool, segment: &Segment<'_>, at_ns: u64) -> u32 {
        let open = Open::new(key, self.epoch, upward, !answers(segment), at_ns);
        let place = if let Some(place) = self.queues.head(Wait::Free) {
            self.flows[place as usize] = open;
            place
        } else {
            self.queues.add_place();
            self.flows.push(open);
            self.flows.len() as u32 - 1
        };
        self.places.insert_unique(hash, place, |&place| self.hasher.hash_one(self.flows[place as usize].key));
        place
    }

    fn end(&mut self, place: u32) -> Ended {
        let open = &self.flows[place as usize];
        let ended = Ended { flow: open.flow(), history: open.history() };
        let hash = self.hasher.hash_one(open.key);
        if let Ok(entry) = self.places.find_entry(hash, |&other| other == place) {
            entry.remove();
        }
        self.queues.move_to_tail(place, Wait::Free);
        ended
    }
}
