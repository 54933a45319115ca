//! One flow while its packets come.

use etherparse::IpNumber;

use crate::{ConnState, Flow, Protocol, Service};

use super::history::History;
use super::idle::Wait;
use super::segment::Segment;
use super::service::{by_payload, by_ports, is_telling};
use super::table::Key;
use super::tcp::{Change, Connection, SYN};

/// What was counted of one direction.
#[derive(Clone, Copy, Default)]
struct Direction {
    packets: u64,
    bytes: u64,
    /// Payload was looked at for its protocol.
    read: bool,
}

/// A flow that may get more packets.
pub(super) struct Open {
    pub(super) key: Key,
    pub(super) wait: Wait,
    /// How often time had leapt back when it began.
    pub(super) epoch: u32,
    /// The clock since when it waits.
    pub(super) waits_since_ns: u64,
    first_ns: u64,
    last_ns: u64,
    out: Direction,
    back: Direction,
    connection: Connection,
    /// The originator is the lower end of the key.
    upward: bool,
    /// Its first packet began a connection, so its first payload is where a protocol begins.
    whole: bool,
    service: Service,
}

impl Open {
    /// A flow without a packet yet, whose first packet goes from the lower end of the key to the higher or not, and is
    /// sent by the originator or not.
    pub(super) fn new(key: Key, epoch: u32, upward: bool, by_originator: bool, at_ns: u64) -> Self {
        Self {
            key,
            wait: Wait::Free,
            epoch,
            waits_since_ns: at_ns,
            first_ns: at_ns,
            last_ns: at_ns,
            out: Direction::default(),
            back: Direction::default(),
            connection: if by_originator { Connection::default() } else { Connection::turned() },
            upward: upward == by_originator,
            whole: false,
            service: Service::None,
        }
    }

    /// Takes in a packet that goes from the lower end of the key to the higher, or the other way; whether the flow is
    /// over with it, but for stragglers.
    #[inline]
    pub(super) fn count(&mut self, segment: &Segment<'_>, upward: bool, at_ns: u64) -> bool {
        let mut change = Change::default();
        if let Some(header) = segment.tcp {
            let payload_bytes = u32::try_from(segment.payload_bytes).unwrap_or(u32::MAX);
            self.whole |= header.has(SYN) && self.out.packets + self.back.packets == 0;
            change = self.connection.see(header, payload_bytes, upward == self.upward);
            if change.turned {
                self.upward = !self.upward;
                std::mem::swap(&mut self.out, &mut self.back);
            }
        }
        let direction = if upward == self.upward { &mut self.out } else { &mut self.back };
        direction.packets += 1;
        direction.bytes = direction.bytes.saturating_add(segment.payload_bytes);
        if !direction.read && segment.payload_bytes > 0 {
            direction.read = !segment.payload.is_empty();
            if self.service == Service::None
                && let Some(service) = by_payload(segment.protocol, segment.payload)
            {
                self.service = service;
            }
        }
        self.first_ns = self.first_ns.min(at_ns);
        self.last_ns = self.last_ns.max(at_ns);
        change.over
    }

    /// When it is over unless another packet comes.
    pub(super) fn due_ns(&self) -> u64 {
        self.waits_since_ns.saturating_add(self.wait.limit_ns())
    }

    /// Waits for what comes after a packet at a time. What is attempted or over ends a while after that became so,
    /// anything else a while after its last packet; `None` where nothing changes.
    #[inline]
    pub(super) fn wait_on(&mut self, over: bool, at_ns: u64) -> Option<Wait> {
        let (wait, anew) = match self.key.protocol() {
            IpNumber::TCP if over => (Wait::Closed, true),
            IpNumber::TCP if self.wait == Wait::Closed => (Wait::Closed, false),
            IpNumber::TCP if self.connection.is_attempt() => (Wait::Attempt, self.wait != Wait::Attempt),
            IpNumber::TCP => (Wait::Tcp, true),
            _ => (Wait::Datagram, true),
        };
        if !anew {
            return None;
        }
        (self.wait, self.waits_since_ns) = (wait, at_ns);
        Some(wait)
    }

    /// Whether a packet with the key of this flow is the first of another one.
    pub(super) fn is_followed_by(&self, segment: &Segment<'_>) -> bool {
        segment.tcp.is_some_and(|header| self.connection.is_followed_by(header))
    }

    /// What happened so far.
    pub(super) fn history(&self) -> History {
        self.connection.history()
    }

    /// The flow with what was counted so far.
    pub(super) fn flow(&self) -> Flow {
        let [(source, source_port), (destination, destination_port)] = self.key.ends(self.upward);
        let protocol = match self.key.protocol() {
            IpNumber::TCP => Protocol::Tcp,
            IpNumber::UDP => Protocol::Udp,
            IpNumber::ICMP | IpNumber::IPV6_ICMP => Protocol::Icmp,
            _ => Protocol::Other,
        };
        let ports = if protocol == Protocol::Icmp { (0, 0) } else { (source_port, destination_port) };
        Flow {
            time_s: self.first_ns as f64 / 1e9,
            duration_s: (self.last_ns - self.first_ns) as f64 / 1e9,
            source,
            source_port: ports.0,
            destination,
            destination_port: ports.1,
            protocol,
            service: self.service([destination_port, source_port]),
            state: self.state(),
            bytes_out: self.out.bytes,
            bytes_in: self.back.bytes,
            packets_out: self.out.packets,
            packets_in: self.back.packets,
        }
    }

    fn service(&self, ports: [u16; 2]) -> Service {
        if self.service != Service::None || self.out.bytes + self.back.bytes == 0 {
            return self.service;
        }
        let protocol = self.key.protocol();
        let service = by_ports(protocol, ports);
        let contradicted = protocol == IpNumber::TCP && self.whole && (self.out.read || self.back.read);
        if contradicted && is_telling(service) { Service::None } else { service }
    }

    fn state(&self) -> ConnState {
        if self.key.protocol() == IpNumber::TCP {
            return self.connection.state(self.out.bytes == 0 && self.back.bytes == 0);
        }
        match (self.out.packets > 0, self.back.packets > 0) {
            (true, false) => ConnState::S0,
            (true, true) => ConnState::Sf,
            (false, true) => ConnState::Shr,
            (false, false) => ConnState::Oth,
        }
    }
}
