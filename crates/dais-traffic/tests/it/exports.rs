//! Kinds of export packets from the field: much in one set, values of any length, events, sampling, damage, captures.

use std::net::IpAddr;

use dais_traffic::{Account, ConnState, FlowLog, Input, Protocol, ReadOptions, read};
use proptest::prelude::*;

use super::captures::build::{By, RAW, pcap, quick, udp};
use super::netflow::{
    BACK, EXPORT_S, FIELDS_9, HOST, OUT, One, SERVER, assert_is_both, ipfix, log, log_with, record_9, set, template,
    version_5, version_9,
};

/// A field by number and length, with its value.
type Value = (u16, Vec<u8>);

/// The length that says that each value carries its own.
const VARIABLE: u16 = u16::MAX;

fn plain(fields: &[(u16, u16)]) -> Vec<(u16, u16, Option<u32>)> {
    fields.iter().map(|(number, length)| (*number, *length, None)).collect()
}

/// A template set and a data set for records of the same fields.
fn sets(templates: u16, id: u16, records: &[Vec<Value>]) -> Vec<Vec<u8>> {
    let fields: Vec<(u16, u16)> = records[0].iter().map(|(number, value)| (*number, value.len() as u16)).collect();
    let bytes: Vec<u8> = records.iter().flatten().flat_map(|(_, value)| value.clone()).collect();
    vec![set(templates, &template(id, &plain(&fields))), set(id, &bytes)]
}

/// Addresses, ports and protocol of a record.
fn ends(protocol: u8) -> Vec<Value> {
    vec![
        (8, HOST.to_vec()),
        (12, SERVER.to_vec()),
        (7, 40_000_u16.to_be_bytes().to_vec()),
        (11, 443_u16.to_be_bytes().to_vec()),
        (4, vec![protocol]),
    ]
}

fn with(mut record: Vec<Value>, more: &[(u16, &[u8])]) -> Vec<Value> {
    record.extend(more.iter().map(|(number, value)| (*number, value.to_vec())));
    record
}

fn word(value: u32) -> [u8; 4] {
    value.to_be_bytes()
}

fn milliseconds(seconds: u32) -> [u8; 8] {
    (u64::from(seconds) * 1_000).to_be_bytes()
}

#[test]
fn all_records_of_a_set_are_read_however_many() {
    let ones: Vec<Vec<u8>> = (0..3_000_u16).map(|port| record_9(&One { from: (HOST, port), ..OUT })).collect();
    let templates = set(0, &template(300, &FIELDS_9));
    let halves = ones.chunks(1_500).map(|half| set(300, &half.concat()));
    let stream: Vec<u8> = halves.flat_map(|data| version_9(1, &[templates.clone(), data])).collect();
    let log = log(&stream);
    assert_eq!((log.flows.len(), log.stats.rows, log.stats.bad_rows), (3_000, 3_000, 0));
}

#[test]
fn values_of_any_length_are_passed_over() {
    let names: [&[u8]; 4] = [b"", b"ok", &[b'x'; 254], &[b'x'; 300]];
    let records: Vec<u8> = names
        .iter()
        .enumerate()
        .flat_map(|(at, name)| {
            let one = record_9(&One { from: (HOST, at as u16 + 1), ..OUT });
            let length = if name.len() < 255 {
                vec![name.len() as u8]
            } else {
                [vec![255], (name.len() as u16).to_be_bytes().to_vec()].concat()
            };
            [&one[..4], &length, name, &one[4..]].concat()
        })
        .collect();
    let mut fields = FIELDS_9.to_vec();
    fields.insert(1, (96, VARIABLE, None));
    fields.insert(2, (82, 0, None));
    let (templates, data) = (template(300, &fields), set(300, &records));
    for stream in [version_9(1, &[set(0, &templates), data.clone()]), ipfix(1, &[set(2, &templates), data])] {
        let log = log(&stream);
        let ports: Vec<u16> = log.flows.iter().map(|flow| flow.source_port).collect();
        assert_eq!((ports, log.stats.bad_rows), (vec![1, 2, 3, 4], 0));
        assert!(log.flows.iter().all(|flow| flow.bytes_out == 1_000 - 6 * 40));
    }
}

#[test]
fn counts_of_initiator_and_responder_are_both_directions_in_either_version() {
    let counts: [(u16, &[u8]); 4] = [(231, &word(1_000)), (232, &word(5_000)), (298, &word(6)), (299, &[5])];
    let record = with(ends(6), &counts);
    for stream in [version_9(1, &sets(0, 300, &[record.clone()])), ipfix(1, &sets(2, 300, &[record]))] {
        let flow = &log(&stream).flows[0];
        assert_eq!((flow.bytes_out, flow.bytes_in, flow.packets_out, flow.packets_in), (760, 4_800, 6, 5));
        assert_eq!(flow.state, ConnState::Sf);
    }
}

#[test]
fn a_count_longer_than_eight_bytes_is_read_if_it_fits() {
    let record = with(ends(17), &[(1, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0]), (2, &[1])]);
    assert_eq!(log(&ipfix(1, &sets(2, 300, &[record]))).flows[0].bytes_out, 256 - 28);
}

/// An event of a firewall, with counts of both directions in bytes and packets.
fn event(kind: u8, at: u32, counts: [u32; 4]) -> Vec<Value> {
    let [out, back, packets_out, packets_in] = counts.map(word);
    let (began, now) = (milliseconds(EXPORT_S - 60), milliseconds(at));
    with(
        ends(6),
        &[
            (148, &word(77)),
            (233, &[kind]),
            (152, &began),
            (323, &now),
            (231, &out),
            (232, &back),
            (298, &packets_out),
            (299, &packets_in),
        ],
    )
}

#[test]
fn a_connection_of_a_firewall_is_one_flow_with_the_counts_of_its_end() {
    let life = [
        event(1, EXPORT_S - 60, [0; 4]),
        event(5, EXPORT_S - 30, [900, 500, 9, 5]),
        event(5, EXPORT_S - 10, [100, 0, 1, 0]),
        event(2, EXPORT_S, [1_000, 500, 10, 5]),
    ];
    let log = log(&version_9(1, &sets(0, 300, &life)));
    let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
    assert_eq!((flow.packets_out, flow.packets_in, flow.state), (10, 5, ConnState::Sf));
    assert!((flow.time_s - f64::from(EXPORT_S - 60)).abs() < 1e-3 && (flow.duration_s - 60.0).abs() < 1e-3);
    assert_eq!(log.stats.other["firewall event"], 3);
}

#[test]
fn a_connection_whose_end_is_not_told_has_the_sum_of_its_updates() {
    let life = [
        event(1, EXPORT_S - 60, [0; 4]),
        event(5, EXPORT_S - 30, [900, 500, 9, 5]),
        event(5, EXPORT_S, [100, 100, 1, 1]),
    ];
    let log = log(&version_9(1, &sets(0, 300, &life)));
    let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
    assert_eq!((flow.packets_out, flow.packets_in, flow.state), (10, 6, ConnState::S1));
}

#[test]
fn what_a_firewall_denies_has_failed() {
    let denied = with(ends(17), &[(233, &[3]), (323, &milliseconds(EXPORT_S))]);
    let log = log(&ipfix(1, &sets(2, 300, &[denied])));
    assert_eq!((log.flows.len(), log.flows[0].state, log.flows[0].protocol), (1, ConnState::Rej, Protocol::Udp));
    assert!(log.flows[0].state.failed());
}

#[test]
fn events_and_records_without_counts_are_no_flows() {
    let nat = with(ends(6), &[(230, &[1]), (225, &[203, 0, 113, 7])]);
    let plain = ends(6);
    let created = with(ends(6), &[(233, &[1])]);
    let counted = with(ends(6), &[(1, &word(400)), (2, &word(4))]);
    let stream = [
        ipfix(1, &sets(2, 300, &[nat.clone(), nat])),
        ipfix(1, &sets(2, 301, &[plain])),
        ipfix(1, &sets(2, 302, &[created])),
        ipfix(1, &sets(2, 303, &[counted])),
    ];
    let log = log(&stream.concat());
    let other: Vec<(&str, u64)> = log.stats.other.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(
        (log.flows.len(), other),
        (1, vec![("NAT event", 2), ("firewall event", 1), ("record without counts", 1)])
    );
}

#[test]
fn flags_of_one_direction_that_were_not_told_fail_no_connection() {
    let mut fields = plain(&[(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4)]);
    fields.extend([(2, 4, Some(29_305)), (1, 4, Some(29_305))]);
    let one = record_9(&OUT);
    let record = [&one[..one.len() - 8], &word(5), &word(5_000)].concat();
    let flow = &log(&ipfix(1, &[set(2, &template(300, &fields)), set(300, &record)])).flows[0];
    assert_eq!((flow.packets_in, flow.state, flow.state.failed()), (5, ConnState::Sf, false));
}

#[test]
fn times_may_be_told_back_from_the_export() {
    let record = with(ends(17), &[(1, &word(400)), (2, &word(4)), (158, &word(9_000_000)), (159, &word(4_000_000))]);
    let flow = &log(&ipfix(1, &sets(2, 300, &[record]))).flows[0];
    assert!((flow.time_s - f64::from(EXPORT_S - 9)).abs() < 1e-3 && (flow.duration_s - 5.0).abs() < 1e-3, "{flow:?}");
}

#[test]
fn times_since_the_start_of_an_exporter_need_the_time_of_that() {
    let started = milliseconds(EXPORT_S - 100);
    let counts: [(u16, &[u8]); 4] = [(1, &word(400)), (2, &word(4)), (22, &word(91_000)), (21, &word(96_000))];
    let options = [&301_u16.to_be_bytes()[..], &[0, 2, 0, 1], &[0, 149, 0, 4], &[0, 160, 0, 8]].concat();
    let told = [&word(1)[..], &started].concat();
    let told = ipfix(1, &[set(3, &options), set(301, &told)]);
    let data = ipfix(1, &sets(2, 300, &[with(ends(17), &counts)]));
    let flow = &log(&[told, data].concat()).flows[0];
    assert!((flow.time_s - f64::from(EXPORT_S - 9)).abs() < 1e-3 && (flow.duration_s - 5.0).abs() < 1e-3, "{flow:?}");
}

/// Options of version 9 that tell of sampling 1 in 1,000: by a field, and the exporter as a whole or a sampler.
fn sampling_9(sampler: Option<u8>) -> Vec<Vec<u8>> {
    let (scope, values) = match sampler {
        None => (vec![0, 1, 0, 4], [&word(7)[..], &word(1_000), &[2]].concat()),
        Some(id) => (vec![0, 1, 0, 4], [&word(7)[..], &[id], &word(1_000), &[2]].concat()),
    };
    let fields = match sampler {
        None => plain(&[(34, 4), (35, 1)]),
        Some(_) => plain(&[(48, 1), (50, 4), (49, 1)]),
    };
    let fields: Vec<u8> =
        fields.iter().flat_map(|(number, length, _)| [number.to_be_bytes(), length.to_be_bytes()].concat()).collect();
    let head = [301_u16.to_be_bytes(), 4_u16.to_be_bytes(), (fields.len() as u16).to_be_bytes()].concat();
    vec![set(1, &[head, scope, fields].concat()), set(301, &values)]
}

#[test]
fn counts_of_sampled_packets_are_multiplied_and_it_is_said() {
    let templates = set(0, &template(300, &FIELDS_9));
    let data = || set(300, &record_9(&OUT));
    let log = log(&version_9(1, &[vec![templates, data()], sampling_9(None), vec![data()]].concat()));
    let packets: Vec<u64> = log.flows.iter().map(|flow| flow.packets_out).collect();
    assert_eq!(packets, [6, 6_000], "what came before the rate is as it came");
    assert_eq!(log.flows[1].bytes_out, 760_000);
    let hints = log.stats.hints.join("\n");
    assert!(hints.contains("1 in 1000") && hints.contains("as they came: 1"), "{hints}");
}

#[test]
fn a_sampler_multiplies_only_its_own_records() {
    let by = |sampler: u8| with(ends(17), &[(48, &[sampler]), (1, &word(400)), (2, &word(4))]);
    let sets = [sampling_9(Some(3)), sets(0, 300, &[by(3), by(4)])].concat();
    let packets: Vec<u64> = log(&version_9(1, &sets)).flows.iter().map(|flow| flow.packets_out).collect();
    assert_eq!(packets, [4_000, 4]);
}

#[test]
fn version_5_tells_of_sampling_in_its_header() {
    let mut packet = version_5(&[OUT, BACK]);
    packet[22..24].copy_from_slice(&(0x4000_u16 | 100).to_be_bytes());
    let log = log(&packet);
    assert_eq!((log.flows[0].packets_out, log.flows[0].packets_in), (600, 500));
    assert!(log.stats.hints[0].contains("1 in 100"), "{:?}", log.stats.hints);
}

#[test]
fn selectors_of_ipfix_tell_their_rate_in_other_ways() {
    let counts: [(u16, &[u8]); 2] = [(1, &word(400)), (2, &word(4))];
    for fields in [
        &[(305, &word(1)[..]), (306, &word(99))][..],
        &[(309, &word(5)), (310, &word(500))],
        &[(311, &0.01_f64.to_be_bytes())],
    ] {
        let record = with(with(ends(17), &counts), fields);
        assert_eq!(log(&ipfix(1, &sets(2, 300, &[record]))).flows[0].packets_out, 400, "{fields:?}");
    }
}

#[test]
fn templates_of_one_domain_say_nothing_of_another() {
    let templates = ipfix(1, &[set(2, &template(300, &FIELDS_9))]);
    let data = |domain| ipfix(domain, &[set(300, &[record_9(&OUT), record_9(&BACK)].concat())]);
    let log = log(&[templates, data(2), data(1)].concat());
    assert_eq!((log.flows.len(), log.stats.bad_rows), (1, 1));
    assert!(log.stats.first_errors[0].starts_with("export:2: expected template 300"), "{:?}", log.stats);
}

#[test]
fn a_template_that_is_withdrawn_is_not_used_any_more() {
    let one = |port| set(300, &record_9(&One { from: (HOST, port), ..OUT }));
    let templates = set(2, &template(300, &FIELDS_9));
    for withdrawal in [[1, 44, 0, 0], [0, 2, 0, 0]] {
        let log = log(&ipfix(1, &[templates.clone(), one(1), set(2, &withdrawal), one(2)]));
        assert_eq!((log.flows.len(), log.flows[0].source_port, log.stats.bad_rows), (1, 1, 1));
    }
}

fn data_9(port: u16) -> Vec<u8> {
    version_9(1, &[set(0, &template(300, &FIELDS_9)), set(300, &record_9(&One { from: (HOST, port), ..OUT }))])
}

fn ports(log: &FlowLog) -> Vec<u16> {
    log.flows.iter().map(|flow| flow.source_port).collect()
}

#[test]
fn zeros_behind_an_export_packet_are_padding() {
    for zeros in [1, 3, 4, 5, 100, 70_000] {
        let log = log(&[data_9(1), vec![0; zeros], data_9(2), vec![0; zeros]].concat());
        assert_eq!((ports(&log), log.stats.bad_rows), (vec![1, 2], 0), "{zeros}: {:?}", log.stats.first_errors);
    }
}

#[test]
fn what_is_no_export_packet_is_passed_over_and_named() {
    let unknown = [&[0, 8, 0, 1][..], &[0; 4], &[0x11; 60]].concat();
    let reserved = [&data_9(7)[..], &[0, 77, 0, 8, 1, 2, 3, 4]].concat();
    let empty_set = [&data_9(7)[..], &[1, 44, 0, 0, 9, 9, 9, 9]].concat();
    let beyond = [&data_9(7)[..], &[1, 44, 0xff, 0xff, 9, 9, 9, 9]].concat();
    for (odd, more) in
        [(unknown, vec![]), (vec![0xff; 100_000], vec![]), (reserved, vec![7]), (empty_set, vec![7]), (beyond, vec![7])]
    {
        let log = log(&[data_9(1), odd.clone(), data_9(2), version_5(&[OUT])].concat());
        let mut found = ports(&log);
        found.sort_unstable();
        let expected = [vec![1, 2], more, vec![40_000]].concat();
        assert_eq!((found, log.stats.bad_rows), (expected, 1), "{:?}: {:?}", &odd[..8], log.stats.first_errors);
        assert!(log.stats.first_errors[0].contains("of something else"), "{:?}", log.stats.first_errors);
    }
}

/// An export packet in a capture, from the host to a port of the server.
fn exported(port: u16, packet: &[u8]) -> Vec<u8> {
    udp(By::Host, port, packet)
}

#[test]
fn export_packets_in_a_capture_are_told_of_and_can_be_read() {
    let export = version_5(&[OUT, BACK]);
    let capture = pcap(&quick([udp(By::Host, 53, b"question"), exported(2_055, &export)]), RAW);
    let told = log(&capture);
    assert_eq!(told.flows.len(), 2);
    assert!(
        told.stats.hints[0].contains("port 2055") && told.stats.hints[0].contains("`--exported`"),
        "{:?}",
        told.stats.hints
    );
    let read = log_with(&capture, &ReadOptions { exported: true, ..ReadOptions::default() }).expect("a capture");
    let [flow] = read.flows.as_slice() else { panic!("{:?}", read.flows) };
    assert_eq!((flow.source, flow.packets_out, flow.packets_in), (IpAddr::from(HOST), 6, 5));
    assert_eq!(read.stats.other["packet that exports nothing"], 1);
    let plain = log(&pcap(&quick([udp(By::Host, 53, b"question")]), RAW));
    assert_eq!(plain.stats.hints, Vec::<String>::new());
}

#[test]
fn exporters_in_a_capture_have_templates_of_their_own() {
    let template = version_9(1, &[set(0, &template(300, &FIELDS_9))]);
    let data = version_9(1, &[set(300, &record_9(&OUT))]);
    let mut other = exported(2_055, &data);
    other[12..16].copy_from_slice(&[10, 9, 9, 9]);
    let capture = pcap(&quick([exported(2_055, &template), other, exported(2_055, &data)]), RAW);
    let log = log_with(&capture, &ReadOptions { exported: true, ..ReadOptions::default() }).expect("a capture");
    assert_eq!((log.flows.len(), log.stats.bad_rows), (1, 1));
}

#[test]
fn the_account_has_every_record_in_one_of_its_counts() {
    let nat = with(ends(6), &[(230, &[1])]);
    let stream = [version_5(&[OUT, BACK]), ipfix(1, &sets(2, 300, &[nat])), ipfix(1, &[set(999, &[1; 8])])].concat();
    let log = log(&stream);
    let account = Account::of(&log.stats);
    assert_eq!((account.flows, account.packets, account.bytes, account.broken), (1, 11, 760 + 4_800, 1));
    assert_eq!(account.to_string(), "1 flow, 1 broken, 1 other (1 NAT event)");
    let nothing =
        read("export", ipfix(1, &sets(2, 300, &[with(ends(6), &[(230, &[1])])])).as_slice(), &ReadOptions::default());
    let error = nothing.map(|_: Input| ()).expect_err("no flow");
    assert_eq!(error.to_string(), "export: the file holds no flow (0 flows, 0 broken, 1 other (1 NAT event))");
}

/// A field beside those of [`FIELDS_9`]: `None` for one of variable length, whose values are as long as they are.
fn extra() -> impl Strategy<Value = (u16, Option<usize>)> {
    (100..130_u16, proptest::option::of(0..12_usize))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_record_is_read_whatever_else_its_template_names(
        extras in proptest::collection::vec((0..11_usize, extra()), 0..5),
        lengths in proptest::collection::vec(prop_oneof![0..3_usize, 250..260_usize], 1..60),
        nine: bool,
    ) {
        let mut fields = FIELDS_9.to_vec();
        for (at, (number, length)) in &extras {
            fields.insert(*at, (*number, length.map_or(VARIABLE, |length| length as u16), None));
        }
        let mut values = lengths.iter().cycle();
        let mut record = |port: u16| {
            let one = record_9(&One { from: (HOST, port), ..OUT });
            let (mut rest, mut bytes) = (one.as_slice(), Vec::new());
            for (number, length, _) in &fields {
                if *number < 100 {
                    let (value, behind) = rest.split_at(usize::from(*length));
                    bytes.extend(value);
                    rest = behind;
                } else if *length < VARIABLE {
                    bytes.extend(vec![0xaa; usize::from(*length)]);
                } else {
                    let length = *values.next().expect("values without end");
                    if length < 255 { bytes.push(length as u8) } else { bytes.extend([vec![255], (length as u16).to_be_bytes().to_vec()].concat()) }
                    bytes.extend(vec![0xbb; length]);
                }
            }
            bytes
        };
        let count = lengths.len() as u16;
        let records: Vec<u8> = (1..=count).flat_map(&mut record).collect();
        prop_assume!(records.len() < 60_000);
        let (templates, data) = (template(300, &fields), set(300, &records));
        let stream = if nine { version_9(1, &[set(0, &templates), data]) } else { ipfix(1, &[set(2, &templates), data]) };
        let log = log(&stream);
        let mut found = ports(&log);
        found.sort_unstable();
        prop_assert_eq!(found, (1..=count).collect::<Vec<_>>());
        prop_assert_eq!((log.stats.rows, log.stats.bad_rows), (u64::from(count), 0));
        prop_assert!(log.flows.iter().all(|flow| flow.packets_out == 6 && flow.destination_port == 443));
    }
}

#[test]
fn pairs_are_found_in_a_capture_too() {
    let capture = pcap(&quick([exported(9_995, &version_5(&[OUT])), exported(9_995, &version_5(&[BACK]))]), RAW);
    let mut log = log_with(&capture, &ReadOptions { exported: true, ..ReadOptions::default() }).expect("a capture");
    log.format = dais_traffic::Format::NetFlow;
    assert_is_both(&log);
}
