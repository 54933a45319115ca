//! Export packets of NetFlow and IPFIX, built field by field: what each becomes is known.

use std::net::IpAddr;

use dais_traffic::{ConnState, FlowLog, FlowReader, Format, Input, Protocol, ReadError, ReadOptions, Service, read};
use proptest::prelude::*;

pub(crate) const HOST: [u8; 4] = [10, 0, 0, 1];
pub(crate) const SERVER: [u8; 4] = [192, 168, 0, 9];
/// When packets are exported, in seconds, and for how long the exporter has been running.
pub(crate) const EXPORT_S: u32 = 1_700_000_000;
pub(crate) const UP_MS: u32 = 1_000_000;

/// One record of one direction; times in milliseconds before the export.
#[derive(Clone, Copy)]
pub(crate) struct One {
    pub(crate) from: ([u8; 4], u16),
    pub(crate) to: ([u8; 4], u16),
    pub(crate) protocol: u8,
    pub(crate) flags: u8,
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
    pub(crate) before_ms: (u32, u32),
}

pub(crate) const OUT: One = One {
    from: (HOST, 40_000),
    to: (SERVER, 443),
    protocol: 6,
    flags: 0x1b,
    packets: 6,
    bytes: 1_000,
    before_ms: (9_000, 4_000),
};
pub(crate) const BACK: One =
    One { from: OUT.to, to: OUT.from, packets: 5, bytes: 5_000, before_ms: (8_900, 4_100), ..OUT };

pub(crate) fn version_5(records: &[One]) -> Vec<u8> {
    let mut packet = [&5_u16.to_be_bytes()[..], &(records.len() as u16).to_be_bytes()].concat();
    for word in [UP_MS, EXPORT_S, 0, 7, 0] {
        packet.extend(word.to_be_bytes());
    }
    for one in records {
        packet.extend([one.from.0, one.to.0, [0; 4], [0; 4]].concat());
        for word in [one.packets, one.bytes, UP_MS - one.before_ms.0, UP_MS - one.before_ms.1] {
            packet.extend(word.to_be_bytes());
        }
        packet.extend([one.from.1.to_be_bytes(), one.to.1.to_be_bytes()].concat());
        packet.extend([0, one.flags, one.protocol, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    packet
}

pub(crate) fn set(id: u16, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    [&id.to_be_bytes()[..], &(padded.len() as u16 + 4).to_be_bytes(), &padded].concat()
}

/// A template of fields by number and length; those of an enterprise with its number.
pub(crate) fn template(id: u16, fields: &[(u16, u16, Option<u32>)]) -> Vec<u8> {
    let mut body = [id.to_be_bytes(), (fields.len() as u16).to_be_bytes()].concat();
    for (number, length, enterprise) in fields {
        let number = if enterprise.is_some() { number | 0x8000 } else { *number };
        body.extend([number.to_be_bytes(), length.to_be_bytes()].concat());
        body.extend(enterprise.map(u32::to_be_bytes).into_iter().flatten());
    }
    body
}

pub(crate) fn version_9(source: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = [9_u16.to_be_bytes(), (sets.len() as u16).to_be_bytes()].concat();
    for word in [UP_MS, EXPORT_S, 3, source] {
        packet.extend(word.to_be_bytes());
    }
    packet.extend(sets.concat());
    packet
}

pub(crate) fn ipfix(domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let body = sets.concat();
    let mut packet = [10_u16.to_be_bytes(), (body.len() as u16 + 16).to_be_bytes()].concat();
    for word in [EXPORT_S, 3, domain] {
        packet.extend(word.to_be_bytes());
    }
    packet.extend(body);
    packet
}

/// Addresses, ports, protocol, flags, packets, bytes, uptime at start and end.
pub(crate) const FIELDS_9: [(u16, u16, Option<u32>); 10] = [
    (8, 4, None),
    (12, 4, None),
    (7, 2, None),
    (11, 2, None),
    (4, 1, None),
    (6, 1, None),
    (2, 4, None),
    (1, 4, None),
    (22, 4, None),
    (21, 4, None),
];

pub(crate) fn record_9(one: &One) -> Vec<u8> {
    let mut bytes = [one.from.0, one.to.0].concat();
    bytes.extend([one.from.1.to_be_bytes(), one.to.1.to_be_bytes()].concat());
    bytes.extend([one.protocol, one.flags]);
    for word in [one.packets, one.bytes, UP_MS - one.before_ms.0, UP_MS - one.before_ms.1] {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

const PLAIN: Option<u32> = None;
const REVERSE: Option<u32> = Some(29_305);

/// The same with times since 1970, and the other direction in the same record.
const FIELDS_10: [(u16, u16, Option<u32>); 13] = [
    (8, 4, PLAIN),
    (12, 4, PLAIN),
    (7, 2, PLAIN),
    (11, 2, PLAIN),
    (4, 1, PLAIN),
    (6, 1, PLAIN),
    (2, 4, PLAIN),
    (1, 4, PLAIN),
    (152, 8, PLAIN),
    (153, 8, PLAIN),
    (6, 1, REVERSE),
    (2, 8, REVERSE),
    (1, 8, REVERSE),
];

fn record_10(out: &One, back: &One) -> Vec<u8> {
    let mut bytes = record_9(out);
    bytes.truncate(bytes.len() - 8);
    for before in [out.before_ms.0, out.before_ms.1] {
        bytes.extend((u64::from(EXPORT_S) * 1_000 - u64::from(before)).to_be_bytes());
    }
    bytes.push(back.flags);
    bytes.extend([u64::from(back.packets).to_be_bytes(), u64::from(back.bytes).to_be_bytes()].concat());
    bytes
}

pub(crate) fn log_with(stream: &[u8], options: &ReadOptions) -> Result<FlowLog, ReadError> {
    match read("export", stream, options)? {
        Input::Flows(log) => Ok(log),
        Input::Table(_) => panic!("export packets are read as a table"),
    }
}

pub(crate) fn log(stream: &[u8]) -> FlowLog {
    log_with(stream, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The flow that both directions together are, whatever way they were exported.
pub(crate) fn assert_is_both(log: &FlowLog) {
    let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
    assert_eq!((log.format, log.stats.bad_rows), (Format::NetFlow, 0), "{:?}", log.stats.first_errors);
    assert_eq!((flow.source, flow.source_port), (IpAddr::from(HOST), 40_000));
    assert_eq!((flow.destination, flow.destination_port), (IpAddr::from(SERVER), 443));
    assert_eq!((flow.protocol, flow.service, flow.state), (Protocol::Tcp, Service::Tls, ConnState::Sf));
    assert_eq!((flow.packets_out, flow.packets_in), (6, 5));
    assert_eq!((flow.bytes_out, flow.bytes_in), (1_000 - 6 * 40, 5_000 - 5 * 40), "without IP and TCP headers");
    assert!((flow.time_s - 1_699_999_991.0).abs() < 1e-3 && (flow.duration_s - 5.0).abs() < 1e-3, "{flow:?}");
}

#[test]
fn two_directions_of_version_5_become_one_flow() {
    assert_is_both(&log(&version_5(&[OUT, BACK])));
    assert_is_both(&log(&[version_5(&[BACK]), version_5(&[OUT])].concat()));
}

#[test]
fn version_9_is_read_by_its_templates() {
    let templates = set(0, &template(300, &FIELDS_9));
    let data = set(300, &[record_9(&OUT), record_9(&BACK)].concat());
    assert_is_both(&log(&version_9(1, &[templates.clone(), data])));
    let apart = [&OUT, &BACK].map(|one| version_9(1, &[set(300, &record_9(one))]));
    assert_is_both(&log(&[version_9(1, &[templates]), apart.concat()].concat()));
}

#[test]
fn ipfix_with_both_directions_in_a_record_needs_no_pair() {
    let templates = set(2, &template(400, &FIELDS_10));
    let data = set(400, &record_10(&OUT, &BACK));
    assert_is_both(&log(&[ipfix(1, &[templates]), ipfix(1, &[data])].concat()));
}

#[test]
fn data_before_its_template_is_counted_and_named_but_no_reason_to_refuse() {
    let data = |source| version_9(source, &[set(300, &[record_9(&OUT), record_9(&BACK)].concat())]);
    let templates = version_9(1, &[set(0, &template(300, &FIELDS_9))]);
    // A template of one exporter says nothing of another's data.
    let stream = [data(1), templates, data(1), data(2)].concat();
    let log = log_with(&stream, &ReadOptions { bad_rows_max: Some(0.0), ..ReadOptions::default() }).expect("excused");
    assert_eq!((log.flows.len(), log.stats.bad_rows, log.stats.rows), (1, 2, 4));
    assert!(
        log.stats.first_errors[0].starts_with("export:1: expected template 300 before its data"),
        "{:?}",
        log.stats
    );
    assert!(log.stats.first_errors[1].starts_with("export:4: "), "{:?}", log.stats);
}

#[test]
fn directions_apart_in_time_are_flows_of_their_own() {
    let late = One { before_ms: (200_000, 190_000), ..BACK };
    let flows = log(&version_5(&[OUT, late])).flows;
    assert_eq!(flows.len(), 2);
    assert!(flows.iter().all(|flow| flow.packets_in == 0 && flow.state == ConnState::Oth), "{flows:?}");
}

#[test]
fn a_record_that_waited_long_enough_goes_on_alone() {
    let later = |seconds: u32| {
        let mut packet = version_5(&[One { to: (SERVER, 80), ..OUT }]);
        packet[8..12].copy_from_slice(&(EXPORT_S + seconds).to_be_bytes());
        packet
    };
    for (seconds, first) in [(121, 443), (120, 80)] {
        let stream = [version_5(&[OUT]), later(seconds), version_5(&[One { to: (SERVER, 80), ..OUT }])].concat();
        let mut reader = FlowReader::open("pipe", stream.as_slice(), &ReadOptions::default()).expect("export packets");
        let flow = reader.next().expect("a flow").expect("sound packets").flow;
        assert_eq!(flow.destination_port, first, "{seconds}");
    }
}

#[test]
fn at_the_bound_the_record_that_waited_longest_goes_first() {
    let ones: Vec<One> = (1..=10).map(|port| One { to: (SERVER, port), ..OUT }).collect();
    let options = ReadOptions { open_flows_max: 4, ..ReadOptions::default() };
    let log = log_with(&version_5(&ones), &options).expect("sound packets");
    assert_eq!((log.flows.len(), log.stats.crowded_out), (10, 6));
}

#[test]
fn attempts_and_datagrams_have_the_states_of_captures() {
    for (one, state) in [
        (One { flags: 0x02, ..OUT }, ConnState::S0),
        (One { flags: 0x18, ..OUT }, ConnState::Oth),
        (One { protocol: 17, flags: 0, ..OUT }, ConnState::S0),
        (One { protocol: 1, flags: 0, ..OUT }, ConnState::S0),
    ] {
        let flow = &log(&version_5(&[one])).flows[0];
        assert_eq!(flow.state, state);
        assert_eq!(flow.source_port == 0, one.protocol == 1);
    }
    let refused = log(&version_5(&[One { flags: 0x02, ..OUT }, One { flags: 0x14, ..BACK }]));
    assert_eq!(refused.flows[0].state, ConnState::Rej);
}

#[test]
fn the_exporters_clock_may_have_begun_anew() {
    let mut packet = version_5(&[OUT]);
    packet[4..8].copy_from_slice(&1_000_u32.to_be_bytes());
    packet[24 + 24..24 + 28].copy_from_slice(&(u32::MAX - 999).to_be_bytes());
    packet[24 + 28..24 + 32].copy_from_slice(&500_u32.to_be_bytes());
    let flow = &log(&packet).flows[0];
    assert!((flow.time_s - 1_699_999_998.0).abs() < 1e-3 && (flow.duration_s - 1.5).abs() < 1e-3, "{flow:?}");
}

#[test]
fn a_stream_cut_in_its_last_packet_gives_what_came_before() {
    let templates = set(0, &template(300, &FIELDS_9));
    let data = version_9(1, &[set(300, &record_9(&OUT))]);
    for last in [version_5(&[OUT]), ipfix(1, &[set(2, &template(400, &FIELDS_10))]), data] {
        let stream = [version_9(1, std::slice::from_ref(&templates)), version_5(&[OUT, BACK]), last].concat();
        let log = log(&stream[..stream.len() - 5]);
        assert_eq!((log.flows.len(), log.stats.bad_rows), (1, 1));
        assert!(log.stats.first_errors[0].contains("cut off here"), "{:?}", log.stats.first_errors);
    }
}

#[test]
fn what_does_not_begin_as_an_export_packet_is_no_netflow() {
    for text in [&b"\0\x05\0\0"[..], b"\0\x0a\0\x04", b"\0\x09\0\x01"] {
        assert!(matches!(log_with(text, &ReadOptions::default()), Err(ReadError::Unknown { .. })), "{text:?}");
    }
}

/// Reads to the end whatever comes; what is accepted must be sound.
fn feed(stream: &[u8]) -> usize {
    let options = ReadOptions { bad_rows_max: Some(1.0), open_flows_max: 3, ..ReadOptions::default() };
    let Ok(reader) = FlowReader::open("f", stream, &options) else { return 0 };
    let flows = reader.map_while(Result::ok).inspect(|flow| {
        assert!(flow.flow.time_s.is_finite() && flow.flow.duration_s >= 0.0, "{flow:?}");
    });
    flows.count()
}

fn samples() -> [Vec<u8>; 3] {
    [
        version_5(&[OUT, BACK, OUT]),
        version_9(1, &[set(0, &template(300, &FIELDS_9)), set(300, &record_9(&OUT))]),
        ipfix(1, &[set(2, &template(400, &FIELDS_10)), set(400, &record_10(&OUT, &BACK))]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_behind_a_known_beginning_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        kept in 2..100_usize,
    ) {
        for sample in samples() {
            feed(&[&sample[..kept.min(sample.len())], &bytes].concat());
            feed(&[&sample, &bytes[..]].concat());
        }
    }

    #[test]
    fn mutated_export_packets_never_make_a_reader_panic(
        which in 0..3_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut stream = samples()[which].repeat(2);
        prop_assert!(feed(&stream) > 0, "the original is accepted");
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        feed(&stream);
        feed(&stream[..end.index(stream.len())]);
    }
}
