//! The last flows of a site by column, and what they say about the next one.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Flow;

/// Flows remembered.
pub(crate) const CAPACITY: usize = 100;

/// How far back the counts by time look, in milliseconds.
pub(crate) const SPAN_MS: u32 = 2_000;

/// Bytes of one flow that count towards the byte balance of its source, so that 100 of them fit 32 bits.
const BYTES_MAX: u64 = 1 << 25;

/// Who speaks to whom, as short hashes; never 0, which marks an empty place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    source: u32,
    destination: u32,
    port: u32,
}

impl Ids {
    pub(crate) fn of(flow: &Flow) -> Self {
        Self {
            source: address_id(flow.source),
            destination: address_id(flow.destination),
            port: u32::from(flow.destination_port),
        }
    }

    /// One key for source, destination and port together.
    pub(crate) fn contact(self) -> u64 {
        mix((u64::from(self.source) << 32 | u64::from(self.destination)) ^ u64::from(self.port).rotate_right(16))
    }
}

fn address_id(address: IpAddr) -> u32 {
    let bits = match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            mix((bits >> 64) as u64 ^ 0x6) ^ bits as u64
        }
    };
    ((mix(bits) >> 32) as u32).max(1)
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What the remembered flows, the new one included, say about the new one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) source_flows: u32,
    pub(crate) source_destinations: u32,
    pub(crate) source_ports: u32,
    pub(crate) source_failed: u32,
    pub(crate) source_same_service: u32,
    pub(crate) source_flows_2s: u32,
    pub(crate) destination_flows_2s: u32,
    pub(crate) destination_port_sources: u32,
    pub(crate) source_bytes_out: u32,
    pub(crate) source_bytes_in: u32,
}

/// The last flows by column, in a ring.
///
/// A distinct count is the number of remembered flows that are the last of their kind: a new flow takes the mark
/// from the earlier ones of its kind, and what leaves the ring needs no care. So one pass answers everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub(crate) struct Window {
    next: usize,
    source: Column,
    destination: Column,
    port: Column,
    time_ms: Column,
    service: Column,
    failed: Column,
    bytes_out: Column,
    bytes_in: Column,
    /// 1 for the last flow of its source and destination.
    last_destination: Column,
    /// 1 for the last flow of its source and destination port.
    last_port: Column,
    /// 1 for the last flow of its source, destination and destination port.
    last_source: Column,
}

type Column = [u32; CAPACITY];

impl Default for Window {
    fn default() -> Self {
        let empty = [0; CAPACITY];
        Self {
            next: 0,
            source: empty,
            destination: empty,
            port: empty,
            time_ms: empty,
            service: empty,
            failed: empty,
            bytes_out: empty,
            bytes_in: empty,
            last_destination: empty,
            last_port: empty,
            last_source: empty,
        }
    }
}

impl Window {
    /// Remembers the flow in place of the oldest one and tells what surrounds it.
    pub(crate) fn observe(&mut self, flow: &Flow, ids: Ids) -> Surroundings {
        let place = self.next;
        self.next = (place + 1) % CAPACITY;
        self.source[place] = 0;
        self.destination[place] = 0;
        let time_ms = (flow.time_s * 1_000.0) as i64 as u32;
        let mut around = self.scan(ids, time_ms, u32::from(flow.service.code()));

        let failed = u32::from(flow.state.failed());
        let (bytes_out, bytes_in) = (flow.bytes_out.min(BYTES_MAX) as u32, flow.bytes_in.min(BYTES_MAX) as u32);
        self.source[place] = ids.source;
        self.destination[place] = ids.destination;
        self.port[place] = ids.port;
        self.time_ms[place] = time_ms;
        self.service[place] = u32::from(flow.service.code());
        self.failed[place] = failed;
        self.bytes_out[place] = bytes_out;
        self.bytes_in[place] = bytes_in;
        self.last_destination[place] = 1;
        self.last_port[place] = 1;
        self.last_source[place] = 1;
        around.source_failed += failed;
        around.source_bytes_out += bytes_out;
        around.source_bytes_in += bytes_in;
        around
    }

    /// Counts the remembered flows that resemble the new one, counting the new one as one of each kind but its
    /// failure and bytes, and takes the marks it will carry from the earlier flows.
    fn scan(&mut self, ids: Ids, time_ms: u32, service: u32) -> Surroundings {
        let mut around = Surroundings {
            source_flows: 1,
            source_destinations: 1,
            source_ports: 1,
            source_same_service: 1,
            source_flows_2s: 1,
            destination_flows_2s: 1,
            destination_port_sources: 1,
            ..Surroundings::default()
        };
        for i in 0..CAPACITY {
            let same_source = u32::from(self.source[i] == ids.source);
            let same_destination = u32::from(self.destination[i] == ids.destination);
            let same_port = u32::from(self.port[i] == ids.port);
            let same_service = u32::from(self.service[i] == service);
            let age = time_ms.wrapping_sub(self.time_ms[i]).wrapping_add(SPAN_MS);
            let recent = u32::from(age <= 2 * SPAN_MS);

            self.last_destination[i] &= (same_source & same_destination) ^ 1;
            self.last_port[i] &= (same_source & same_port) ^ 1;
            self.last_source[i] &= (same_source & same_destination & same_port) ^ 1;

            around.source_flows += same_source;
            around.source_destinations += same_source & self.last_destination[i];
            around.source_ports += same_source & self.last_port[i];
            around.source_failed += same_source & self.failed[i];
            around.source_same_service += same_source & same_service;
            around.source_flows_2s += same_source & recent;
            around.destination_flows_2s += same_destination & recent;
            around.destination_port_sources += same_destination & same_port & self.last_source[i];
            let of_source = same_source.wrapping_neg();
            around.source_bytes_out += of_source & self.bytes_out[i];
            around.source_bytes_in += of_source & self.bytes_in[i];
        }
        around
    }
}

/// A window as it is stored: columns of checked length.
#[derive(Serialize, Deserialize)]
struct Saved {
    next: usize,
    source: Vec<u32>,
    destination: Vec<u32>,
    port: Vec<u32>,
    time_ms: Vec<u32>,
    service: Vec<u32>,
    failed: Vec<u32>,
    bytes_out: Vec<u32>,
    bytes_in: Vec<u32>,
    last_destination: Vec<u32>,
    last_port: Vec<u32>,
    last_source: Vec<u32>,
}

impl From<Window> for Saved {
    fn from(window: Window) -> Self {
        Self {
            next: window.next,
            source: window.source.to_vec(),
            destination: window.destination.to_vec(),
            port: window.port.to_vec(),
            time_ms: window.time_ms.to_vec(),
            service: window.service.to_vec(),
            failed: window.failed.to_vec(),
            bytes_out: window.bytes_out.to_vec(),
            bytes_in: window.bytes_in.to_vec(),
            last_destination: window.last_destination.to_vec(),
            last_port: window.last_port.to_vec(),
            last_source: window.last_source.to_vec(),
        }
    }
}

impl TryFrom<Saved> for Window {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let column = |values: Vec<u32>, max: u32| -> Result<Column, String> {
            let column: Column = values
                .try_into()
                .map_err(|values: Vec<u32>| format!("a column of {} flows: expected {CAPACITY}", values.len()))?;
            let beyond = column.iter().find(|value| **value > max);
            beyond.map_or(Ok(column), |value| Err(format!("{value} in a column of at most {max}")))
        };
        if saved.next >= CAPACITY {
            return Err(format!("next place {}: expected less than {CAPACITY}", saved.next));
        }
        Ok(Self {
            next: saved.next,
            source: column(saved.source, u32::MAX)?,
            destination: column(saved.destination, u32::MAX)?,
            port: column(saved.port, u32::MAX)?,
            time_ms: column(saved.time_ms, u32::MAX)?,
            service: column(saved.service, u32::MAX)?,
            failed: column(saved.failed, 1)?,
            bytes_out: column(saved.bytes_out, BYTES_MAX as u32)?,
            bytes_in: column(saved.bytes_in, BYTES_MAX as u32)?,
            last_destination: column(saved.last_destination, 1)?,
            last_port: column(saved.last_port, 1)?,
            last_source: column(saved.last_source, 1)?,
        })
    }
}
