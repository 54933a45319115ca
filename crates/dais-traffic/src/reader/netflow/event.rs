//! Events of firewalls, of which several are one connection.
//!
//! A connection is told three times or more: when it is created, from time to time while it lasts, and when it is
//! deleted. Together they are one record, handed out at the end with what was counted in all.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::record::{End, Record};

/// What happened to a connection, by the values of `firewallEvent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Created,
    Updated,
    Deleted,
    Denied,
}

impl Event {
    /// `None` for what is said of no connection.
    pub(super) fn of(value: u64) -> Option<Self> {
        match value {
            1 => Some(Self::Created),
            2 => Some(Self::Deleted),
            3 => Some(Self::Denied),
            5 => Some(Self::Updated),
            _ => None,
        }
    }
}

type Key = ((IpAddr, u16), (IpAddr, u16), u8, u64);

/// Connections that were created and not deleted yet, never more than a bound.
pub(super) struct Connections {
    open: BTreeMap<Key, (Record, u64)>,
    /// In the order of their beginnings, those that ended included.
    order: VecDeque<(Key, u64)>,
    begun: u64,
    open_max: usize,
    /// Connections that were handed out early because there were too many.
    pub(super) crowded_out: u64,
}

impl Connections {
    pub(super) fn new(open_max: usize) -> Self {
        Self { open: BTreeMap::new(), order: VecDeque::new(), begun: 0, open_max: open_max.max(1), crowded_out: 0 }
    }

    /// Takes in what happened to the connection `id`; a record that is complete is handed out.
    pub(super) fn take(&mut self, event: Event, record: Record, id: u64) -> Option<Record> {
        let key = (record.source, record.destination, record.protocol.0, id);
        match event {
            Event::Denied => Some(Record { end: End::Denied, ..record }),
            Event::Deleted => Some(match self.open.remove(&key) {
                Some((so_far, _)) => so_far.ended_by(&record),
                None => record,
            }),
            Event::Created | Event::Updated => {
                if let Some((so_far, _)) = self.open.get_mut(&key) {
                    so_far.add(&record);
                    return None;
                }
                let crowded = if self.order.len() >= self.open_max { self.next_left() } else { None };
                self.crowded_out += u64::from(crowded.is_some());
                self.begun += 1;
                self.open.insert(key, (record, self.begun));
                self.order.push_back((key, self.begun));
                crowded
            }
        }
    }

    /// The oldest connection whose end was not told, where anything of it was counted.
    pub(super) fn next_left(&mut self) -> Option<Record> {
        loop {
            let (key, begun) = self.order.pop_front()?;
            if self.open.get(&key).is_some_and(|(_, number)| *number == begun)
                && let Some((record, _)) = self.open.remove(&key)
                && record.is_counted()
            {
                return Some(Record { end: End::Open, ..record });
            }
        }
    }
}
