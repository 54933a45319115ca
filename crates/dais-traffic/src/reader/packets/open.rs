//! One flow while its packets come.

use etherparse::IpNumber;

use crate::{ConnState, Flow, Protocol, Service};

use super::idle::Wait;
use super::segment::Segment;
use super::service::{by_payload, by_ports, is_telling};
use super::table::Key;
use super::tcp::{Connection, SYN};

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
    /// The clock at its last packet.
    pub(super) idle_since_ns: u64,
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
    /// A flow without a packet yet.
    pub(super) fn new(key: Key, epoch: u32, upward: bool, at_ns: u64) -> Self {
        Self {
            key,
            wait: Wait::Free,
            epoch,
            idle_since_ns: at_ns,
            first_ns: at_ns,
            last_ns: at_ns,
            out: Direction::default(),
            back: Direction::default(),
            connection: Connection::default(),
            upward,
            whole: false,
            service: Service::None,
        }
    }

    /// Takes in a packet that goes from the lower end of the key to the higher, or the other way.
    #[inline]
    pub(super) fn count(&mut self, segment: &Segment<'_>, upward: bool, at_ns: u64) {
        let by_originator = upward == self.upward;
        let direction = if by_originator { &mut self.out } else { &mut self.back };
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
        if let Some(flags) = segment.flags {
            self.whole |= flags & SYN != 0 && self.out.packets + self.back.packets == 1;
            self.connection.see(flags, by_originator);
        }
        self.first_ns = self.first_ns.min(at_ns);
        self.last_ns = self.last_ns.max(at_ns);
    }

    /// When it is over unless another packet comes.
    pub(super) fn due_ns(&self) -> u64 {
        self.idle_since_ns.saturating_add(self.wait.limit_ns())
    }

    /// What it waits for after the packets so far.
    #[inline]
    pub(super) fn next_wait(&self) -> Wait {
        match self.key.protocol() {
            IpNumber::TCP if self.connection.is_closed() => Wait::Closed,
            IpNumber::TCP if self.connection.is_attempt() => Wait::Attempt,
            IpNumber::TCP => Wait::Tcp,
            _ => Wait::Datagram,
        }
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
