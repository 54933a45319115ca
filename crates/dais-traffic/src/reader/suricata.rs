//! Records of Suricata's EVE log, one JSON object a line.
//!
//! `flow` records are flows; `alert` records are counted, for an alert is what a rule said and no ground truth;
//! other records are skipped. Format: <https://docs.suricata.io/en/latest/output/eve/eve-json-format.html>.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::{ConnState, Flow, Protocol};

use super::error::Flaw;
use super::json::{Meaning, Scalar, record};
use super::value;

/// A value of a record, as a place in [`NAMES`].
#[derive(Clone, Copy)]
enum Field {
    Kind,
    Timestamp,
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Protocol,
    Service,
    PacketsOut,
    PacketsIn,
    BytesOut,
    BytesIn,
    Start,
    End,
    State,
    Alerted,
    FlagsOut,
    FlagsIn,
}

const NAMES: [&str; 18] = [
    "event_type",
    "timestamp",
    "src_ip",
    "src_port",
    "dest_ip",
    "dest_port",
    "proto",
    "app_proto",
    "flow.pkts_toserver",
    "flow.pkts_toclient",
    "flow.bytes_toserver",
    "flow.bytes_toclient",
    "flow.start",
    "flow.end",
    "flow.state",
    "flow.alerted",
    "tcp.tcp_flags_ts",
    "tcp.tcp_flags_tc",
];

type Record<'a> = [Scalar<'a>; NAMES.len()];

fn keys(within: u8, key: &str) -> Meaning {
    const FLOW: u8 = 1;
    const TCP: u8 = 2;
    let field = match (within, key) {
        (0, "event_type") => Field::Kind,
        (0, "timestamp") => Field::Timestamp,
        (0, "src_ip") => Field::Source,
        (0, "src_port") => Field::SourcePort,
        (0, "dest_ip") => Field::Destination,
        (0, "dest_port") => Field::DestinationPort,
        (0, "proto") => Field::Protocol,
        (0, "app_proto") => Field::Service,
        (0, "flow") => return Meaning::Within(FLOW),
        (0, "tcp") => return Meaning::Within(TCP),
        (FLOW, "pkts_toserver") => Field::PacketsOut,
        (FLOW, "pkts_toclient") => Field::PacketsIn,
        (FLOW, "bytes_toserver") => Field::BytesOut,
        (FLOW, "bytes_toclient") => Field::BytesIn,
        (FLOW, "start") => Field::Start,
        (FLOW, "end") => Field::End,
        (FLOW, "state") => Field::State,
        (FLOW, "alerted") => Field::Alerted,
        (TCP, "tcp_flags_ts") => Field::FlagsOut,
        (TCP, "tcp_flags_tc") => Field::FlagsIn,
        _ => return Meaning::Nothing,
    };
    Meaning::Value(field as usize)
}

/// What one object holds.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A flow, and whether a rule raised an alert on it.
    Flow(Flow, bool),
    Alert,
    /// A record of another kind, which this names.
    Other(Cow<'a, str>),
}

/// What an object is that is no event: the line of a bulk request, for instance.
const UNNAMED: &str = "object without event_type";

/// The record in an object.
pub(crate) fn entry(line: &[u8]) -> Result<Entry<'_>, Flaw> {
    let mut record: Record<'_> = record(line, keys)?;
    let kind = &record[Field::Kind as usize];
    if kind.is_absent() && record[Field::Source as usize].is_absent() {
        return Ok(Entry::Other(Cow::Borrowed(UNNAMED)));
    }
    match kind.needed(NAMES[Field::Kind as usize])? {
        "flow" => flow(&record).map(|flow| Entry::Flow(flow, record[Field::Alerted as usize].is_true())),
        "alert" => Ok(Entry::Alert),
        _ => Ok(Entry::Other(std::mem::take(&mut record[Field::Kind as usize]).into_text())),
    }
}

/// The records of each direction, which some sensors write in place of flows.
pub(crate) const DIRECTIONS: &str = "netflow";

/// What to do where a log has records of directions and none of flows.
pub(crate) const DIRECTIONS_HINT: &str = "the log has `netflow` records, one a direction, and no `flow` records, which dais reads: switch on `flow` among the \
     types of `eve-log` in suricata.yaml";

fn flow(record: &Record<'_>) -> Result<Flow, Flaw> {
    let get = |field: Field| (NAMES[field as usize], &record[field as usize]);
    let optional_time = |field| {
        let (name, time) = get(field);
        if time.is_absent() { Ok(None) } else { time.time(name).map(Some) }
    };
    let needed = |field| get(field).1.needed(get(field).0);
    let count = |field| {
        let (name, count) = get(field);
        if count.is_absent() { Err(Flaw::field(name, "a whole number of at least 0", b"")) } else { count.count(name) }
    };
    let (start, end) = (optional_time(Field::Start)?, optional_time(Field::End)?);
    let time_s = start.map_or_else(|| get(Field::Timestamp).1.time(get(Field::Timestamp).0), Ok)?;
    let source = value::address(NAMES[Field::Source as usize], needed(Field::Source)?.as_bytes())?;
    let protocol = value::protocol(needed(Field::Protocol)?);
    let port = |field| if protocol == Protocol::Icmp { Ok(0) } else { get(field).1.port(get(field).0) };
    let packets = [count(Field::PacketsOut)?, count(Field::PacketsIn)?];
    let headers = header_bytes(source, protocol);
    let payload = |bytes: u64, packets: u64| bytes.saturating_sub(packets.saturating_mul(headers));
    Ok(Flow {
        time_s,
        duration_s: end.map_or(0.0, |end| (end - time_s).max(0.0)),
        source,
        source_port: port(Field::SourcePort)?,
        destination: value::address(NAMES[Field::Destination as usize], needed(Field::Destination)?.as_bytes())?,
        destination_port: port(Field::DestinationPort)?,
        protocol,
        service: value::service(get(Field::Service).1.text(NAMES[Field::Service as usize])?),
        state: state(protocol, packets, record),
        bytes_out: payload(count(Field::BytesOut)?, packets[0]),
        bytes_in: payload(count(Field::BytesIn)?, packets[1]),
        packets_out: packets[0],
        packets_in: packets[1],
    })
}

/// Suricata counts whole frames: what Ethernet, IP and transport headers without options take of each.
pub(super) fn header_bytes(source: IpAddr, protocol: Protocol) -> u64 {
    let network = if source.is_ipv4() { 14 + 20 } else { 14 + 40 };
    network
        + match protocol {
            Protocol::Tcp => 20,
            Protocol::Udp | Protocol::Icmp => 8,
            Protocol::Other => 0,
        }
}

/// The state in Zeek's terms: by TCP flags where they are recorded, else by who sent packets.
fn state(protocol: Protocol, packets: [u64; 2], record: &Record<'_>) -> ConnState {
    let text = |field: Field| record[field as usize].text("").unwrap_or_default();
    if protocol == Protocol::Tcp {
        let flags = |field| u8::from_str_radix(text(field), 16).ok();
        if let (Some(out), Some(back)) = (flags(Field::FlagsOut), flags(Field::FlagsIn)) {
            return tcp_state(out, back);
        }
    }
    match (packets[0] > 0, packets[1] > 0, text(Field::State)) {
        (true, false, _) => ConnState::S0,
        (false, true, _) => ConnState::Shr,
        (_, _, "new" | "established") if protocol == Protocol::Tcp => ConnState::S1,
        (true, true, _) => ConnState::Sf,
        (false, false, _) => ConnState::Oth,
    }
}

/// The state of a TCP connection by all flags that each side sent.
pub(super) fn tcp_state(out: u8, back: u8) -> ConnState {
    const FIN: u8 = 0x01;
    const SYN: u8 = 0x02;
    const RST: u8 = 0x04;
    let (has_out, has_back) = (|flag| out & flag != 0, |flag| back & flag != 0);
    match (has_out(SYN), has_back(SYN)) {
        (true, true) if has_back(RST) => ConnState::Rstr,
        (true, true) if has_out(RST) => ConnState::Rsto,
        (true, true) => match (has_out(FIN), has_back(FIN)) {
            (true, true) => ConnState::Sf,
            (true, false) => ConnState::S2,
            (false, true) => ConnState::S3,
            (false, false) => ConnState::S1,
        },
        (true, false) if has_back(RST) => ConnState::Rej,
        (true, false) if has_out(RST) => ConnState::Rstos0,
        (true, false) if has_out(FIN) => ConnState::Sh,
        (true, false) if back == 0 => ConnState::S0,
        (false, true) if has_back(RST) => ConnState::Rstrh,
        (false, true) if has_back(FIN) => ConnState::Shr,
        (true | false, _) => ConnState::Oth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2021-06-06T15:57:37.272281+0200","flow_id":1,"event_type":"flow","src_ip":"fe80::1","src_port":1900,"dest_ip":"192.168.1.129","dest_port":44232,"proto":"UDP","app_proto":"failed","flow":{"pkts_toserver":12,"pkts_toclient":0,"bytes_toserver":4056,"bytes_toclient":0,"start":"2021-06-06T16:38:55.855844+0200","end":"2021-06-06T16:38:56.963027+0200","age":1,"state":"new","reason":"timeout","alerted":true},"host":"h"}"#;

    #[test]
    fn a_flow_record_is_a_flow_with_estimated_payload() {
        let Ok(Entry::Flow(flow, alerted)) = entry(LINE.as_bytes()) else { panic!("a sound flow record") };
        assert!((flow.duration_s - 1.107_183).abs() < 1e-5 && alerted);
        assert_eq!((flow.bytes_out, flow.state), (4056 - 12 * 62, ConnState::S0));
    }

    #[test]
    fn alerts_and_other_records_are_no_flows() {
        assert!(matches!(entry(br#"{"event_type":"alert","src_ip":1}"#), Ok(Entry::Alert)));
        assert!(matches!(entry(br#"{"event_type":"dns"}"#), Ok(Entry::Other(kind)) if kind == "dns"));
        assert!(matches!(entry(br#"{"index":{}}"#), Ok(Entry::Other(kind)) if kind == UNNAMED));
    }

    #[test]
    fn keys_that_come_twice_and_unset_values_change_nothing() {
        let Ok(Entry::Flow(expected, _)) = entry(LINE.as_bytes()) else { panic!("a sound flow record") };
        for line in [
            LINE.replace("\"proto\"", "\"app_proto\":null,\"proto\":\"TCP\",\"proto\""),
            LINE.replace("\"flow\":{", "\"tcp\":null,\"flow\":{\"pkts_toserver\":1,"),
            LINE.replace("\"event_type\":\"flow\"", "\"event_type\": \"stats\", \"event_type\" : \"flow\""),
        ] {
            assert_ne!(line, LINE);
            assert!(matches!(entry(line.as_bytes()), Ok(Entry::Flow(flow, true)) if flow == expected), "{line}");
        }
    }

    #[test]
    fn broken_records_name_the_field() {
        for (good, bad, column) in [
            ("192.168.1.129", "192.168.1", Some("dest_ip")),
            ("\"bytes_toserver\":4056", "\"bytes_toserver\":-1", Some("flow.bytes_toserver")),
            ("T16:38:55.855844+0200", " soon", Some("flow.start")),
            ("\"event_type\":\"flow\",", "", Some("event_type")),
            ("{\"timestamp\"", "{timestamp", None),
        ] {
            let Err(flaw) = entry(LINE.replace(good, bad).as_bytes()) else { panic!("{bad} is accepted") };
            assert_eq!(flaw.column.as_deref(), column, "{bad}: {flaw:?}");
        }
    }

    #[test]
    fn tcp_flags_give_the_state() {
        let states = [(0x02, 0x00), (0x02, 0x14), (0x1b, 0x1b), (0x1a, 0x1a), (0x1e, 0x12), (0x10, 0x10)];
        let expected = [ConnState::S0, ConnState::Rej, ConnState::Sf, ConnState::S1, ConnState::Rsto, ConnState::Oth];
        assert_eq!(states.map(|(out, back)| tcp_state(out, back)), expected);
    }
}
