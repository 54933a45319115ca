//! Rows of a Zeek `conn.log` as JSON objects.

use std::borrow::Cow;

use crate::Flow;

use super::error::Flaw;
use super::json::{Meaning, Scalar, record};
use super::value;
use super::verdict::Said;
use super::zeek::{state, without_icmp_ports};

/// A value of a record, as a place in [`NAMES`].
#[derive(Clone, Copy)]
enum Field {
    Time,
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Protocol,
    Service,
    Duration,
    BytesOut,
    BytesIn,
    State,
    PacketsOut,
    PacketsIn,
    Label,
    Details,
    Path,
}

const NAMES: [&str; 16] = [
    "ts",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "duration",
    "orig_bytes",
    "resp_bytes",
    "conn_state",
    "orig_pkts",
    "resp_pkts",
    "label",
    "detailedlabel",
    "_path",
];

/// What the keys of a record mean; the ends of a connection stand in an object of their own, or have names with a dot or,
/// where a program on the way allows none, an underscore.
fn keys(within: u8, key: &str) -> Meaning {
    const ID: u8 = 1;
    let field = match (within, key) {
        (0, "ts") => Field::Time,
        (0, "id.orig_h" | "id_orig_h") | (ID, "orig_h") => Field::Source,
        (0, "id.orig_p" | "id_orig_p") | (ID, "orig_p") => Field::SourcePort,
        (0, "id.resp_h" | "id_resp_h") | (ID, "resp_h") => Field::Destination,
        (0, "id.resp_p" | "id_resp_p") | (ID, "resp_p") => Field::DestinationPort,
        (0, "id") => return Meaning::Within(ID),
        (0, "proto") => Field::Protocol,
        (0, "service") => Field::Service,
        (0, "duration") => Field::Duration,
        (0, "orig_bytes") => Field::BytesOut,
        (0, "resp_bytes") => Field::BytesIn,
        (0, "conn_state") => Field::State,
        (0, "orig_pkts") => Field::PacketsOut,
        (0, "resp_pkts") => Field::PacketsIn,
        (0, "label") => Field::Label,
        (0, "detailedlabel" | "detailed-label" | "detailed_label") => Field::Details,
        (0, "_path") => Field::Path,
        _ => return Meaning::Nothing,
    };
    Meaning::Value(field as usize)
}

/// What one object holds.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A connection, and what its labels say.
    Flow(Flow, Said<'a>),
    /// A record of another log in the same stream, which this names.
    Other(Cow<'a, str>),
}

/// What an object is that has nothing of a connection but its ends.
const UNNAMED: &str = "record without conn_state";

/// The record in an object.
pub(crate) fn entry(line: &[u8]) -> Result<Entry<'_>, Flaw> {
    let mut record: [Scalar<'_>; NAMES.len()] = record(line, keys)?;
    if let Some(kind) = other(&mut record) {
        return Ok(Entry::Other(kind));
    }
    let get = |field: Field| (NAMES[field as usize], &record[field as usize]);
    let text = |field| get(field).1.text(get(field).0);
    let count = |field| get(field).1.count(get(field).0);
    let port = |field| get(field).1.port(get(field).0);
    let address = |field| value::address(get(field).0, get(field).1.needed(get(field).0)?.as_bytes());
    let flow = Flow {
        time_s: get(Field::Time).1.time(get(Field::Time).0)?,
        duration_s: get(Field::Duration).1.amount(get(Field::Duration).0)?,
        source: address(Field::Source)?,
        source_port: port(Field::SourcePort)?,
        destination: address(Field::Destination)?,
        destination_port: port(Field::DestinationPort)?,
        protocol: value::protocol(get(Field::Protocol).1.needed(get(Field::Protocol).0)?),
        service: value::service(text(Field::Service)?),
        state: state(text(Field::State)?)?,
        bytes_out: count(Field::BytesOut)?,
        bytes_in: count(Field::BytesIn)?,
        packets_out: count(Field::PacketsOut)?,
        packets_in: count(Field::PacketsIn)?,
    };
    let mut take = |field: Field| std::mem::take(&mut record[field as usize]).into_text();
    Ok(Entry::Flow(without_icmp_ports(flow), Said::zeek(take(Field::Label), take(Field::Details))))
}

/// Values that connections have and records of other logs have not.
const CONNECTION: [Field; 5] = [Field::State, Field::PacketsOut, Field::PacketsIn, Field::BytesOut, Field::BytesIn];

/// The name of the other log that a record is of: what `_path` says, else by whether it has what connections have.
fn other<'a>(record: &mut [Scalar<'a>; NAMES.len()]) -> Option<Cow<'a, str>> {
    let path = &record[Field::Path as usize];
    if !path.is_absent() {
        let is_connection = matches!(path, Scalar::Text(path) if path.starts_with("conn"));
        return (!is_connection).then(|| std::mem::take(&mut record[Field::Path as usize]).into_text());
    }
    let is_connection = CONNECTION.iter().any(|field| !record[*field as usize].is_absent());
    (!is_connection).then_some(Cow::Borrowed(UNNAMED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnState;

    const LINE: &str = r#"{"ts":1664462456.755299,"uid":"C5","id.orig_h":"172.16.1.11","id.orig_p":40042,"id.resp_h":"8.8.8.8","id.resp_p":53,"proto":"udp","service":"dns","duration":0.0121,"orig_bytes":0,"resp_bytes":111,"conn_state":"SHR","local_orig":true,"orig_pkts":0,"resp_pkts":1}"#;

    fn flow(line: &str) -> Flow {
        match entry(line.as_bytes()) {
            Ok(Entry::Flow(flow, _)) => flow,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_becomes_an_undecided_flow() {
        let Ok(Entry::Flow(flow, said)) = entry(LINE.as_bytes()) else { panic!("a sound line") };
        assert_eq!((flow.state, flow.bytes_in, flow.source_port, said), (ConnState::Shr, 111, 40042, Said::Undecided));
    }

    #[test]
    fn the_same_connection_is_read_however_its_ends_and_times_are_written() {
        let expected = flow(LINE);
        let ends = r#""id.orig_h":"172.16.1.11","id.orig_p":40042,"id.resp_h":"8.8.8.8","id.resp_p":53"#;
        assert!(LINE.contains(ends));
        for line in [
            LINE.replace("id.", "id_"),
            LINE.replace(ends, &format!(r#""id":{{{}}}"#, ends.replace("id.", ""))),
            LINE.replace("40042", "\"40042\"").replace(":111", ":\"111\""),
            LINE.replace("\"dns\"", "[\"dns\"]"),
            LINE.replace("\"ts\":", "\"ts\":null,\"ts\":"),
            LINE.replace("1664462456.755299", "1664462456755299"),
            LINE.replace("1664462456.755299", "\"2022-09-29T14:40:56.755299Z\""),
            LINE.replace("\"uid\"", "\"_path\":\"conn\",\"uid\""),
        ] {
            assert_eq!(flow(&line), expected, "{line}");
        }
        let millis = flow(&LINE.replace("1664462456.755299", "1664462456755"));
        assert!((millis.time_s - 1_664_462_456.755).abs() < 1e-6);
    }

    #[test]
    fn records_of_other_logs_are_named_and_no_flows() {
        let dns = r#"{"ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"udp","query":"a"}"#;
        for (line, kind) in [
            (dns.to_owned(), UNNAMED),
            (dns.replace("\"ts\"", "\"_path\":\"dns\",\"ts\""), "dns"),
            (LINE.replace("\"uid\"", "\"_path\":\"weird\",\"uid\""), "weird"),
            ("{\"index\":{}}".to_owned(), UNNAMED),
        ] {
            assert!(matches!(entry(line.as_bytes()), Ok(Entry::Other(found)) if found == kind), "{line}");
        }
    }

    #[test]
    fn broken_lines_name_the_field() {
        for (good, bad, column) in [
            ("\"id.resp_p\":53", "\"id.resp_p\":99999", Some("id.resp_p")),
            ("172.16.1.11", "172.16.1", Some("id.orig_h")),
            ("\"resp_bytes\":111", "\"resp_bytes\":\"x\"", Some("resp_bytes")),
            ("\"duration\":0.0121", "\"duration\":-1", Some("duration")),
            ("\"proto\":\"udp\",", "", Some("proto")),
            ("\"proto\":\"udp\"", "\"proto\":null", Some("proto")),
            ("SHR", "???", Some("conn_state")),
            ("}", "", None),
        ] {
            let flaw = entry(LINE.replace(good, bad).as_bytes()).expect_err(bad);
            assert_eq!(flaw.column.as_deref(), column, "{bad}: {flaw:?}");
        }
    }
}
