//! One record of an export packet, whatever its version.

use std::net::IpAddr;

use etherparse::IpNumber;
use netflow_parser::FieldValue;
use netflow_parser::static_versions::v5;
use netflow_parser::variable_versions::field_value::DurationValue;
use netflow_parser::variable_versions::ipfix::IPFixFieldPair;
use netflow_parser::variable_versions::ipfix::lookup::{
    IANAIPFixField as Iana, IPFixField, ReverseInformationElement as Reverse, YafIPFixField as Yaf,
};
use netflow_parser::variable_versions::v9::V9FieldPair;

use crate::{ConnState, Flow, Protocol, Service};

use super::super::packets::service_by_port;
use super::super::suricata::{header_bytes, tcp_state};

const ACK: u8 = 0x10;
/// From the beginning of 1900, from which NTP counts, to that of 1970.
const NTP_MS: i64 = 2_208_988_800_000;
/// Beyond it a time is taken for damage, as in logs: the year 5138.
const TIME_MAX_MS: i64 = 100_000_000_000_000;

/// When an exporter sent a packet, and how long it had been running.
#[derive(Clone, Copy)]
pub(super) struct Uptime {
    pub(super) now_ms: i64,
    pub(super) up_ms: u32,
}

impl Uptime {
    /// Milliseconds since 1970 of a time in milliseconds since the exporter started, which begin anew after 49 days.
    fn since_1970(self, up_ms: u32) -> i64 {
        let before = if up_ms > self.up_ms { i64::from(self.up_ms) + (1 << 32) } else { i64::from(self.up_ms) };
        self.now_ms - before + i64::from(up_ms)
    }
}

/// What was counted of one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Direction {
    packets: u64,
    /// Bytes of IP packets.
    bytes: u64,
    flags: u8,
}

/// A flow as an exporter describes it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) source: (IpAddr, u16),
    pub(super) destination: (IpAddr, u16),
    pub(super) protocol: IpNumber,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    out: Direction,
    back: Direction,
}

/// What of a record was found so far.
#[derive(Default)]
struct Draft {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    ports: (u16, u16),
    protocol: u8,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    duration_ms: Option<i64>,
    start_ms: Option<i64>,
    up: (Option<u32>, Option<u32>),
    out: Direction,
    back: Direction,
}

/// A number, also where the field has a type of its own.
fn number(value: &FieldValue) -> Option<u64> {
    if let FieldValue::ProtocolType(protocol) = value {
        Some(u64::from(u8::from(*protocol)))
    } else if let FieldValue::TcpControlBits(bits, _) = value {
        Some(u64::from(u16::from(*bits)))
    } else {
        value.as_u64()
    }
}

/// Milliseconds since 1970; `None` for what cannot be a time.
fn time(value: &FieldValue) -> Option<i64> {
    let ntp = matches!(value, FieldValue::Duration(DurationValue::MicrosNtp { .. } | DurationValue::NanosNtp { .. }));
    let milliseconds = i64::try_from(value.as_u64()?).ok().filter(|time| *time <= TIME_MAX_MS)?;
    Some(if ntp { milliseconds - NTP_MS } else { milliseconds })
}

impl Draft {
    fn take(&mut self, field: Iana, value: &FieldValue) {
        let is = |fields: &[Iana]| fields.contains(&field);
        let (count, address) = (number(value).unwrap_or(0), || IpAddr::try_from(value).ok());
        if is(&[Iana::SourceIpv4address, Iana::SourceIpv6address]) {
            self.source = self.source.filter(|known| !known.is_unspecified()).or_else(address);
        } else if is(&[Iana::DestinationIpv4address, Iana::DestinationIpv6address]) {
            self.destination = self.destination.filter(|known| !known.is_unspecified()).or_else(address);
        } else if is(&[Iana::SourceTransportPort]) {
            self.ports.0 = count as u16;
        } else if is(&[Iana::DestinationTransportPort]) {
            self.ports.1 = count as u16;
        } else if is(&[Iana::ProtocolIdentifier]) {
            self.protocol = count as u8;
        } else if is(&[Iana::OctetDeltaCount, Iana::OctetTotalCount, Iana::InitiatorOctets]) {
            self.out.bytes = self.out.bytes.max(count);
        } else if is(&[Iana::PacketDeltaCount, Iana::PacketTotalCount, Iana::InitiatorPackets]) {
            self.out.packets = self.out.packets.max(count);
        } else if is(&[Iana::ResponderOctets]) {
            self.back.bytes = count;
        } else if is(&[Iana::ResponderPackets]) {
            self.back.packets = count;
        } else if is(&[Iana::TcpControlBits]) {
            self.out.flags |= count as u8;
        } else {
            self.take_time(field, value);
        }
    }

    fn take_time(&mut self, field: Iana, value: &FieldValue) {
        let is = |fields: &[Iana]| fields.contains(&field);
        let up = || number(value).and_then(|up| u32::try_from(up).ok());
        if is(&[Iana::FlowStartSysUpTime]) {
            self.up.0 = up();
        } else if is(&[Iana::FlowEndSysUpTime]) {
            self.up.1 = up();
        } else if is(&[Iana::SystemInitTimeMilliseconds]) {
            self.start_ms = time(value);
        } else if is(&[Iana::FlowDurationMilliseconds]) {
            self.duration_ms = time(value);
        } else if is(&[
            Iana::FlowStartSeconds,
            Iana::FlowStartMilliseconds,
            Iana::FlowStartMicroseconds,
            Iana::FlowStartNanoseconds,
        ]) {
            self.first_ms = time(value);
        } else if is(&[
            Iana::FlowEndSeconds,
            Iana::FlowEndMilliseconds,
            Iana::FlowEndMicroseconds,
            Iana::FlowEndNanoseconds,
        ]) {
            self.last_ms = time(value);
        }
    }

    fn take_reverse(&mut self, field: Reverse, value: &FieldValue) {
        let count = number(value).unwrap_or(0);
        let is = |fields: &[Reverse]| fields.contains(&field);
        if is(&[Reverse::ReverseOctetDeltaCount, Reverse::ReverseOctetTotalCount]) {
            self.back.bytes = self.back.bytes.max(count);
        } else if is(&[Reverse::ReversePacketDeltaCount, Reverse::ReversePacketTotalCount]) {
            self.back.packets = self.back.packets.max(count);
        } else if is(&[Reverse::ReverseTcpControlBits]) {
            self.back.flags |= count as u8;
        }
    }

    /// The record, where both addresses are known; times that are not said are that of the export.
    fn finish(self, now_ms: i64) -> Option<Record> {
        let (source, destination) = (self.source?, self.destination?);
        let protocol = IpNumber(self.protocol);
        let ports = matches!(protocol, IpNumber::TCP | IpNumber::UDP);
        let (source_port, destination_port) = if ports { self.ports } else { (0, 0) };
        let duration_ms = self.duration_ms.unwrap_or(0);
        let last_ms = self.last_ms.or_else(|| Some(self.first_ms?.saturating_add(duration_ms))).unwrap_or(now_ms);
        let first_ms = self.first_ms.unwrap_or(last_ms.saturating_sub(duration_ms)).min(last_ms);
        Some(Record {
            source: (source, source_port),
            destination: (destination, destination_port),
            protocol,
            first_ms,
            last_ms,
            out: self.out,
            back: self.back,
        })
    }
}

impl Record {
    pub(super) fn version_5(flow: &v5::FlowSet, uptime: Uptime) -> Self {
        let protocol = IpNumber(flow.protocol_number);
        let ports = matches!(protocol, IpNumber::TCP | IpNumber::UDP);
        let (source_port, destination_port) = if ports { (flow.src_port, flow.dst_port) } else { (0, 0) };
        let last_ms = uptime.since_1970(flow.last);
        Self {
            source: (flow.src_addr.into(), source_port),
            destination: (flow.dst_addr.into(), destination_port),
            protocol,
            first_ms: uptime.since_1970(flow.first).min(last_ms),
            last_ms,
            out: Direction { packets: flow.d_pkts.into(), bytes: flow.d_octets.into(), flags: flow.tcp_flags },
            back: Direction::default(),
        }
    }

    /// `None` where the record names no addresses, for it is of something else.
    pub(super) fn version_9(fields: &[V9FieldPair], uptime: Uptime) -> Option<Self> {
        let mut draft = Draft::default();
        for (field, value) in fields {
            // The fields of version 9 are the first of IPFIX.
            draft.take(Iana::from(u16::from(*field)), value);
        }
        let since_1970 = |up: Option<u32>| up.map(|up| uptime.since_1970(up));
        draft.first_ms = draft.first_ms.or(since_1970(draft.up.0));
        draft.last_ms = draft.last_ms.or(since_1970(draft.up.1));
        draft.finish(uptime.now_ms)
    }

    /// `None` where the record names no addresses, for it is of something else.
    pub(super) fn ipfix(fields: &[IPFixFieldPair], now_ms: i64) -> Option<Self> {
        let mut draft = Draft::default();
        for (field, value) in fields {
            if let IPFixField::IANA(field) = field {
                draft.take(*field, value);
            } else if let IPFixField::ReverseInformationElement(field) = field {
                draft.take_reverse(*field, value);
            } else if let IPFixField::Yaf(Yaf::InitialTCPFlags | Yaf::UnionTCPFlags) = field {
                draft.out.flags |= number(value).unwrap_or(0) as u8;
            } else if let IPFixField::Yaf(Yaf::ReverseInitialTCPFlags | Yaf::ReverseUnionTCPFlags) = field {
                draft.back.flags |= number(value).unwrap_or(0) as u8;
            }
        }
        let since_1970 = |up: Option<u32>| Some(draft.start_ms?.saturating_add(i64::from(up?)));
        let (first_ms, last_ms) = (since_1970(draft.up.0), since_1970(draft.up.1));
        draft.first_ms = draft.first_ms.or(first_ms);
        draft.last_ms = draft.last_ms.or(last_ms);
        if let (Some(first), Some(last)) = draft.up {
            // Where nobody says when the exporter started, at least the duration is known.
            draft.duration_ms = draft.duration_ms.or(Some(i64::from(last.wrapping_sub(first))));
        }
        draft.finish(now_ms)
    }

    /// Whether the exporter counted both directions.
    pub(super) fn is_bidirectional(&self) -> bool {
        self.back.packets > 0
    }

    /// Puts two directions together; the one that began first, or sent a SYN alone, is that of the originator.
    pub(super) fn with_reverse(self, other: Self) -> Self {
        let began =
            |record: &Self| (record.first_ms, record.out.flags & ACK != 0, record.source.1 < record.destination.1);
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

    /// By TCP flags where there are some, else by who sent packets.
    fn state(&self, protocol: Protocol) -> ConnState {
        let (out, back) = (self.out.flags, self.back.flags);
        let answered = self.is_bidirectional();
        if protocol == Protocol::Tcp && out | back != 0 {
            // An ACK answers something that was seen by nobody here.
            return if !answered && out & ACK != 0 { ConnState::Oth } else { tcp_state(out, back) };
        }
        match (self.out.packets > 0, answered) {
            (true, true) => ConnState::Sf,
            (true, false) => ConnState::S0,
            (false, true) => ConnState::Shr,
            (false, false) => ConnState::Oth,
        }
    }
}
