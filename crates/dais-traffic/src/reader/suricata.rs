//! Records of Suricata's EVE log, one JSON object a line.
//!
//! `flow` records are flows; `alert` records are counted, for an alert is what a rule said and no ground truth;
//! other records are skipped. Format: <https://docs.suricata.io/en/latest/output/eve/eve-json-format.html>.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;

use crate::{ConnState, Flow, Protocol};

use super::error::Flaw;
use super::json::{Kind, Time, blame, parsed};
use super::value;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event_type: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Time<'a>,
    #[serde(borrow)]
    src_ip: Cow<'a, str>,
    #[serde(default)]
    src_port: u16,
    #[serde(borrow)]
    dest_ip: Cow<'a, str>,
    #[serde(default)]
    dest_port: u16,
    #[serde(borrow)]
    proto: Cow<'a, str>,
    #[serde(borrow, default)]
    app_proto: Cow<'a, str>,
    #[serde(borrow)]
    flow: Totals<'a>,
    #[serde(borrow, default)]
    tcp: Option<Tcp<'a>>,
}

#[derive(Deserialize)]
struct Totals<'a> {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    #[serde(borrow, default)]
    start: Option<Time<'a>>,
    #[serde(borrow, default)]
    end: Option<Time<'a>>,
    #[serde(borrow, default)]
    state: Cow<'a, str>,
    #[serde(default)]
    alerted: bool,
}

/// TCP flags seen in each direction, in hexadecimal.
#[derive(Deserialize)]
struct Tcp<'a> {
    #[serde(borrow, default)]
    tcp_flags_ts: Cow<'a, str>,
    #[serde(borrow, default)]
    tcp_flags_tc: Cow<'a, str>,
}

const FIELDS: [(&str, Kind, bool); 13] = [
    ("/timestamp", Kind::Time, true),
    ("/src_ip", Kind::Text, true),
    ("/src_port", Kind::Port, false),
    ("/dest_ip", Kind::Text, true),
    ("/dest_port", Kind::Port, false),
    ("/proto", Kind::Text, true),
    ("/app_proto", Kind::Text, false),
    ("/flow/pkts_toserver", Kind::Count, true),
    ("/flow/pkts_toclient", Kind::Count, true),
    ("/flow/bytes_toserver", Kind::Count, true),
    ("/flow/bytes_toclient", Kind::Count, true),
    ("/flow/start", Kind::Time, false),
    ("/flow/end", Kind::Time, false),
];

/// What one line holds.
pub(crate) enum Entry<'a> {
    /// A flow, and whether a rule raised an alert on it.
    Flow(Flow, bool),
    Alert,
    /// A record of another kind, which this names.
    Other(Cow<'a, str>),
}

/// What nearly every flow record holds, and no other.
static FLOW: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""event_type":"flow""#));

/// The record in a line.
pub(crate) fn entry(line: &[u8]) -> Result<Entry<'_>, Flaw> {
    // The common case in one pass; whatever does not fit is looked at step by step below.
    if FLOW.find(line).is_some()
        && let Ok(record) = parsed::<Record<'_>>(line)
        && record.event_type == "flow"
    {
        return flow(&record).map(|flow| Entry::Flow(flow, record.flow.alerted));
    }
    let event: Event<'_> = parsed(line).map_err(|error| blame(line, &[("/event_type", Kind::Text, true)], &error))?;
    match event.event_type.as_ref() {
        "flow" => {
            let record: Record<'_> = serde_json::from_slice(line).map_err(|error| blame(line, &FIELDS, &error))?;
            flow(&record).map(|flow| Entry::Flow(flow, record.flow.alerted))
        }
        "alert" => Ok(Entry::Alert),
        _ => Ok(Entry::Other(event.event_type)),
    }
}

fn flow(record: &Record<'_>) -> Result<Flow, Flaw> {
    let totals = &record.flow;
    let start = totals.start.as_ref().map(|time| time.seconds("flow.start")).transpose()?;
    let end = totals.end.as_ref().map(|time| time.seconds("flow.end")).transpose()?;
    let time_s = start.map_or_else(|| record.timestamp.seconds("timestamp"), Ok)?;
    let source = value::address("src_ip", record.src_ip.as_bytes())?;
    let protocol = value::protocol(&record.proto);
    let ports = if protocol == Protocol::Icmp { (0, 0) } else { (record.src_port, record.dest_port) };
    let headers = header_bytes(source, protocol);
    let payload = |bytes: u64, packets: u64| bytes.saturating_sub(packets.saturating_mul(headers));
    Ok(Flow {
        time_s,
        duration_s: end.map_or(0.0, |end| (end - time_s).max(0.0)),
        source,
        source_port: ports.0,
        destination: value::address("dest_ip", record.dest_ip.as_bytes())?,
        destination_port: ports.1,
        protocol,
        service: value::service(&record.app_proto),
        state: state(protocol, totals, record.tcp.as_ref()),
        bytes_out: payload(totals.bytes_toserver, totals.pkts_toserver),
        bytes_in: payload(totals.bytes_toclient, totals.pkts_toclient),
        packets_out: totals.pkts_toserver,
        packets_in: totals.pkts_toclient,
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
fn state(protocol: Protocol, totals: &Totals<'_>, tcp: Option<&Tcp<'_>>) -> ConnState {
    if let Some(tcp) = tcp.filter(|_| protocol == Protocol::Tcp) {
        let flags = |text: &str| u8::from_str_radix(text, 16).ok();
        if let (Some(out), Some(back)) = (flags(&tcp.tcp_flags_ts), flags(&tcp.tcp_flags_tc)) {
            return tcp_state(out, back);
        }
    }
    match (totals.pkts_toserver > 0, totals.pkts_toclient > 0, totals.state.as_ref()) {
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
