//! Rows of a Zeek `conn.log` as one JSON object a line.

use std::borrow::Cow;

use serde::Deserialize;

use crate::Flow;

use super::error::Flaw;
use super::json::{Kind, Time, blame, parsed};
use super::value;
use super::verdict::Said;
use super::zeek::{service, state, without_icmp_ports};

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    ts: Time<'a>,
    #[serde(borrow, rename = "id.orig_h")]
    source: Cow<'a, str>,
    #[serde(default, rename = "id.orig_p")]
    source_port: u16,
    #[serde(borrow, rename = "id.resp_h")]
    destination: Cow<'a, str>,
    #[serde(default, rename = "id.resp_p")]
    destination_port: u16,
    #[serde(borrow)]
    proto: Cow<'a, str>,
    #[serde(borrow, default)]
    service: Cow<'a, str>,
    #[serde(default)]
    duration: f64,
    #[serde(default)]
    orig_bytes: u64,
    #[serde(default)]
    resp_bytes: u64,
    #[serde(borrow, default)]
    conn_state: Cow<'a, str>,
    #[serde(default)]
    orig_pkts: u64,
    #[serde(default)]
    resp_pkts: u64,
    #[serde(borrow, default)]
    label: Cow<'a, str>,
    #[serde(borrow, default, alias = "detailed-label")]
    detailedlabel: Cow<'a, str>,
}

const FIELDS: [(&str, Kind, bool); 15] = [
    ("/ts", Kind::Time, true),
    ("/id.orig_h", Kind::Text, true),
    ("/id.orig_p", Kind::Port, false),
    ("/id.resp_h", Kind::Text, true),
    ("/id.resp_p", Kind::Port, false),
    ("/proto", Kind::Text, true),
    ("/service", Kind::Text, false),
    ("/duration", Kind::Seconds, false),
    ("/orig_bytes", Kind::Count, false),
    ("/resp_bytes", Kind::Count, false),
    ("/conn_state", Kind::Text, false),
    ("/orig_pkts", Kind::Count, false),
    ("/resp_pkts", Kind::Count, false),
    ("/label", Kind::Text, false),
    ("/detailedlabel", Kind::Text, false),
];

/// The flow in a line, and what its labels say.
pub(crate) fn flow(line: &[u8]) -> Result<(Flow, Said<'_>), Flaw> {
    let record: Record<'_> = parsed(line).map_err(|error| blame(line, &FIELDS, &error))?;
    if record.duration.is_nan() || record.duration < 0.0 {
        return Err(Flaw::field("duration", "a number of at least 0", record.duration.to_string().as_bytes()));
    }
    let flow = Flow {
        time_s: record.ts.seconds("ts")?,
        duration_s: record.duration,
        source: value::address("id.orig_h", record.source.as_bytes())?,
        source_port: record.source_port,
        destination: value::address("id.resp_h", record.destination.as_bytes())?,
        destination_port: record.destination_port,
        protocol: value::protocol(&record.proto),
        service: service(&record.service),
        state: state(&record.conn_state)?,
        bytes_out: record.orig_bytes,
        bytes_in: record.resp_bytes,
        packets_out: record.orig_pkts,
        packets_in: record.resp_pkts,
    };
    Ok((without_icmp_ports(flow), Said::zeek(record.label, record.detailedlabel)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnState;

    const LINE: &str = r#"{"ts":1664462456.755299,"uid":"C5","id.orig_h":"172.16.1.11","id.orig_p":40042,"id.resp_h":"8.8.8.8","id.resp_p":53,"proto":"udp","service":"dns","duration":0.0121,"orig_bytes":0,"resp_bytes":111,"conn_state":"SHR","local_orig":true,"orig_pkts":0,"resp_pkts":1}"#;

    #[test]
    fn a_line_becomes_an_undecided_flow() {
        let (flow, said) = flow(LINE.as_bytes()).expect("a sound line");
        assert_eq!((flow.state, flow.bytes_in, flow.source_port, said), (ConnState::Shr, 111, 40042, Said::Undecided));
    }

    #[test]
    fn broken_lines_name_the_field() {
        for (good, bad, column) in [
            ("\"id.resp_p\":53", "\"id.resp_p\":99999", Some("id.resp_p")),
            ("172.16.1.11", "172.16.1", Some("id.orig_h")),
            ("\"resp_bytes\":111", "\"resp_bytes\":\"x\"", Some("resp_bytes")),
            ("\"duration\":0.0121", "\"duration\":-1", Some("duration")),
            ("\"proto\":\"udp\",", "", Some("proto")),
            ("SHR", "???", Some("conn_state")),
            ("}", "", None),
        ] {
            let flaw = flow(LINE.replace(good, bad).as_bytes()).expect_err(bad);
            assert_eq!(flaw.column.as_deref(), column, "{bad}: {flaw:?}");
        }
    }
}
