//! One record of an export packet, whatever its version.

use std::net::IpAddr;

use etherparse::IpNumber;

use crate::{ConnState, Flow, Protocol, Service};

use super::super::packets::service_by_port;
use super::super::suricata::{header_bytes, tcp_state};
use super::direction::Direction;
use super::draft::Draft;
use super::element::Span;
use super::sampling::Rate;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// How a connection ended, where an exporter says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Untold,
    /// A firewall let nothing through.
    Denied,
    /// It goes on.
    Open,
}

/// A flow as an exporter describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) source: (IpAddr, u16),
    pub(super) destination: (IpAddr, u16),
    pub(super) protocol: IpNumber,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) out: Direction,
    pub(super) back: Direction,
    pub(super) end: End,
    pub(super) span: Span,
}

impl Record {
    /// The record of a draft, where both addresses are known; times that are not said are that of the export.
    pub(super) fn of(draft: &Draft, now_ms: i64) -> Option<Self> {
        let (source, destination) = (draft.source?, draft.destination?);
        let protocol = IpNumber(draft.protocol);
        let ports = matches!(protocol, IpNumber::TCP | IpNumber::UDP);
        let (source_port, destination_port) = if ports { draft.ports } else { (0, 0) };
        let behind = |duration_ms| Some(draft.first_ms?.saturating_add(duration_ms));
        let last_ms = draft.last_ms.or_else(|| behind(draft.duration_ms?)).or(draft.observed_ms);
        let last_ms = last_ms.or(draft.first_ms).unwrap_or(now_ms);
        let duration_ms = draft.duration_ms.unwrap_or(0);
        Some(Self {
            source: (source, source_port),
            destination: (destination, destination_port),
            protocol,
            first_ms: draft.first_ms.unwrap_or(last_ms.saturating_sub(duration_ms)).min(last_ms),
            last_ms,
            out: if draft.out.is_counted() { draft.out } else { Direction { flags: draft.out.flags, ..draft.sent } },
            back: draft.back,
            end: End::Untold,
            span: draft.span,
        })
    }

    /// Whether there was anything of either direction.
    pub(super) fn is_counted(&self) -> bool {
        self.out.is_counted() || self.back.is_counted()
    }

    /// Whether the exporter counted both directions.
    pub(super) fn is_bidirectional(&self) -> bool {
        self.back.is_counted()
    }

    /// What was counted of sampled packets becomes what there was.
    pub(super) fn multiply(&mut self, rate: Rate) {
        self.out.multiply(rate);
        self.back.multiply(rate);
    }

    /// Takes in a later record of the same connection.
    pub(super) fn add(&mut self, later: &Self) {
        self.out.add(later.out, later.span);
        self.back.add(later.back, later.span);
        self.first_ms = self.first_ms.min(later.first_ms);
        self.last_ms = self.last_ms.max(later.last_ms);
    }

    /// The connection with its last record, whose counts may be of the whole of it.
    pub(super) fn ended_by(mut self, last: &Self) -> Self {
        let covers = |last: Direction, so_far: Direction| last.bytes >= so_far.bytes && last.packets >= so_far.packets;
        if last.span == Span::SinceOrWhole && covers(last.out, self.out) && covers(last.back, self.back) {
            let first_ms = self.first_ms.min(last.first_ms);
            return Self { first_ms, ..last.clone() };
        }
        self.add(last);
        self
    }

    /// Puts two directions together; the one that began first, or sent a SYN alone, is that of the originator.
    pub(super) fn with_reverse(self, other: Self) -> Self {
        let began = |record: &Self| {
            let answers = record.out.flags.unwrap_or(0) & ACK != 0;
            (record.first_ms, answers, record.source.1 < record.destination.1)
        };
        let (first, second) = if began(&other) < began(&self) { (other, self) } else { (self, other) };
        Self { last_ms: first.last_ms.max(second.last_ms), back: second.out, ..first }
    }

    pub(super) fn flow(&self) -> Flow {
        let protocol = match self.protocol {
            IpNumber::TCP => Protocol::Tcp,
            IpNumber::UDP => Protocol::Udp,
            IpNumber::ICMP | IpNumber::IPV6_ICMP => Protocol::Icmp,
            _ => Protocol::Other,
        };
        let headers = header_bytes(self.source.0, protocol) - 14;
        let payload = |counted: Direction| counted.bytes.saturating_sub(counted.packets.saturating_mul(headers));
        let (bytes_out, bytes_in) = (payload(self.out), payload(self.back));
        let service = if bytes_out == 0 && bytes_in == 0 {
            Service::None
        } else {
            service_by_port(self.protocol, [self.destination.1, self.source.1])
        };
        Flow {
            time_s: self.first_ms as f64 / 1e3,
            duration_s: (self.last_ms.saturating_sub(self.first_ms)) as f64 / 1e3,
            source: self.source.0,
            source_port: self.source.1,
            destination: self.destination.0,
            destination_port: self.destination.1,
            protocol,
            service,
            state: self.state(protocol),
            bytes_out,
            bytes_in,
            packets_out: self.out.packets,
            packets_in: self.back.packets,
        }
    }

    /// By what the exporter says of its end, by TCP flags where there are some, else by who sent packets.
    fn state(&self, protocol: Protocol) -> ConnState {
        let (sent, answered) = (self.out.is_counted(), self.back.is_counted());
        match (self.end, protocol, sent && answered) {
            (End::Denied, _, _) => return ConnState::Rej,
            (End::Open, Protocol::Tcp, true) => return ConnState::S1,
            (End::Open | End::Untold, _, _) => {}
        }
        if protocol == Protocol::Tcp
            && let Some(state) = self.state_by_flags(answered)
        {
            return state;
        }
        match (sent, answered) {
            (true, true) => ConnState::Sf,
            (true, false) => ConnState::S0,
            (false, true) => ConnState::Shr,
            (false, false) => ConnState::Oth,
        }
    }

    /// Where only one direction has flags, the other is taken to have opened and closed as it did.
    fn state_by_flags(&self, answered: bool) -> Option<ConnState> {
        let (out, back) = (self.out.known_flags(), self.back.known_flags());
        let (out, back) = match (out, back) {
            (None, None) => return None,
            (Some(out), _) if !answered => (out, 0),
            (Some(out), Some(back)) => (out, back),
            (Some(out), None) => (out, out & (SYN | FIN) | ACK),
            (None, Some(back)) => (SYN | back & FIN, back),
        };
        // An ACK answers something that was seen by nobody here.
        Some(if !answered && out & ACK != 0 { ConnState::Oth } else { tcp_state(out, back) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn record(out: Option<u8>, back: Option<u8>, packets: [u64; 2]) -> Record {
        let [to, from] = [1, 2].map(|last| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), 1));
        let direction = |flags, packets| Direction { packets, bytes: packets * 100, flags };
        Record {
            source: from,
            destination: to,
            protocol: IpNumber::TCP,
            first_ms: 0,
            last_ms: 5,
            out: direction(out, packets[0]),
            back: direction(back, packets[1]),
            end: End::Untold,
            span: Span::Since,
        }
    }

    #[test]
    fn flags_that_were_not_told_are_no_flags_that_were_not_set() {
        for (out, back, packets, state) in [
            (Some(0x1b), None, [4, 5], ConnState::Sf),
            (Some(0x1a), None, [4, 5], ConnState::S1),
            (Some(0x1b), Some(0), [4, 5], ConnState::Sf),
            (None, Some(0x14), [1, 1], ConnState::Rej),
            (None, Some(0x13), [4, 5], ConnState::Sf),
            (None, None, [4, 5], ConnState::Sf),
            (None, None, [4, 0], ConnState::S0),
            (Some(0x02), None, [1, 0], ConnState::S0),
            (Some(0x02), Some(0), [1, 0], ConnState::S0),
            (Some(0x18), None, [1, 0], ConnState::Oth),
        ] {
            let found = record(out, back, packets).flow().state;
            assert_eq!(found, state, "{out:?} {back:?} {packets:?}");
        }
    }

    #[test]
    fn the_last_word_on_a_connection_covers_or_completes_what_was_counted() {
        let last = Record { span: Span::SinceOrWhole, first_ms: 3, last_ms: 9, ..record(None, None, [7, 7]) };
        let ended = record(None, None, [4, 5]).ended_by(&last);
        assert_eq!((ended.out.packets, ended.back.packets, ended.first_ms, ended.last_ms), (7, 7, 0, 9));
        let smaller = Record { span: Span::SinceOrWhole, ..record(None, None, [1, 1]) };
        for later in [Record { span: Span::Since, ..last.clone() }, smaller] {
            let packets = later.out.packets;
            assert_eq!(record(None, None, [4, 5]).ended_by(&later).out.packets, 4 + packets);
        }
        let whole = Record { span: Span::Whole, ..last };
        assert_eq!(record(None, None, [4, 5]).ended_by(&whole).out.packets, 7);
    }
}
