//! JSON logs of flows as programs on the way write them: the same flows however they are written.

use dais_traffic::{Flow, FlowLog, Format, Input, ReadError, ReadOptions, read};
use proptest::prelude::*;

/// Ways to write the same connection.
#[derive(Clone, Debug)]
struct Way {
    ends: u8,
    time: u8,
    unset: u8,
    numbers_as_text: bool,
    twice: bool,
    path: bool,
    around: u8,
}

prop_compose! {
    fn way()(
        ends in 0_u8..3, time in 0_u8..4, unset in 0_u8..3, numbers_as_text: bool, twice: bool, path: bool, around in 0_u8..9,
    ) -> Way {
        Way { ends, time, unset, numbers_as_text, twice, path, around }
    }
}

/// A connection: time in milliseconds, last byte of the source, bytes, and whether there is a service.
type Connection = (u64, u8, Option<u32>, bool);

fn record((ms, host, bytes, service): Connection, way: &Way) -> String {
    let time = match way.time {
        0 => format!("{}.{:03}", ms / 1_000, ms % 1_000),
        1 => ms.to_string(),
        2 => format!("{ms}000"),
        _ => {
            let stamp = jiff::Timestamp::from_millisecond(ms as i64).expect("a time");
            format!("\"{stamp}\"")
        }
    };
    let number = |text: String| if way.numbers_as_text { format!("\"{text}\"") } else { text };
    let port = number("4000".to_owned());
    let ends = match way.ends {
        0 => {
            format!("\"id.orig_h\":\"10.0.0.{host}\",\"id.orig_p\":{port},\"id.resp_h\":\"10.0.1.1\",\"id.resp_p\":53")
        }
        1 => {
            format!("\"id_orig_h\":\"10.0.0.{host}\",\"id_orig_p\":{port},\"id_resp_h\":\"10.0.1.1\",\"id_resp_p\":53")
        }
        _ => format!("\"id\":{{\"orig_h\":\"10.0.0.{host}\",\"orig_p\":{port},\"resp_h\":\"10.0.1.1\",\"resp_p\":53}}"),
    };
    let unset = |key: &str| match way.unset {
        0 => String::new(),
        1 => format!(",\"{key}\":null"),
        _ => format!(",\"{key}\":\"-\""),
    };
    let bytes = bytes.map_or_else(|| unset("orig_bytes"), |b| format!(",\"orig_bytes\":{}", number(b.to_string())));
    let service = if service { ",\"service\":\"dns\"".to_owned() } else { unset("service") };
    let path = if way.path { "\"_path\":\"conn\"," } else { "" };
    let twice = if way.twice { "\"proto\":\"tcp\"," } else { "" };
    format!("{{{path}\"ts\":{time},{twice}{ends},\"proto\":\"udp\",\"conn_state\":\"SF\"{service}{bytes}}}")
}

/// A log of records, and whether each is a line.
fn log(records: &[String], around: u8) -> String {
    let quoted = |record: &String| serde_json::to_string(record).expect("text");
    let lines = |line: &dyn Fn(&String) -> String| records.iter().map(|r| line(r) + "\n").collect::<String>();
    match around {
        0 => lines(&Clone::clone),
        1 => lines(&|r| format!("May  6 10:00:00 fw1 zeek[7]: {r}")),
        2 => lines(&|r| format!("{{\"@timestamp\":\"x\",\"message\":{},\"agent\":{{\"id\":\"a\"}}}}", quoted(r))),
        3 => lines(&|r| format!("{{\"_index\":\"zeek\",\"_source\":{r}}}")),
        4 => lines(&|r| format!("{{\"event\":{{\"original\":{}}}}}", quoted(r))),
        5 => format!("[{}]", records.join(",")),
        6 => format!("[\n  {}\n]\n", records.join(",\n  ")),
        7 => lines(&|r| r.replace(",\"", ",\n  \"")),
        _ => lines(&|r| format!("{{\"conn\":{r}}}")),
    }
}

fn flows(text: &str) -> Vec<Flow> {
    match read("f", text.as_bytes(), &ReadOptions::default()) {
        Ok(Input::Flows(FlowLog { format: Format::ZeekJson, flows, stats, .. })) => {
            assert_eq!((stats.bad_rows, stats.other_records()), (0, 0), "{text}");
            flows
        }
        other => panic!("{text}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_same_connections_are_read_however_they_are_written(
        mut connections in proptest::collection::vec((1_100_000_000_000_u64..1_900_000_000_000, any::<u8>(), any::<Option<u32>>(), any::<bool>()), 1..8),
        way in way(),
    ) {
        connections.sort_by_key(|connection| connection.0);
        let plain = Way { ends: 0, time: 0, unset: 0, numbers_as_text: false, twice: false, path: false, around: 0 };
        let write = |way: &Way| {
            let records: Vec<String> = connections.iter().map(|connection| record(*connection, way)).collect();
            log(&records, way.around)
        };
        let expected = flows(&write(&plain));
        prop_assert_eq!(expected.len(), connections.len());
        let found = flows(&write(&way));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found.time_s - expected.time_s).abs() < 1e-5);
            prop_assert_eq!(Flow { time_s: expected.time_s, ..found.clone() }, expected.clone());
        }
        prop_assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn a_log_that_is_cut_anywhere_gives_all_flows_before_the_cut(lines in 3_usize..8, place in any::<prop::sample::Index>()) {
        let header = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\tresp_pkts\n";
        let tsv = |k: usize| format!("171497907{k}.300000\t10.1.0.5\t10.9.0.9\ttcp\tSF\t5\n");
        let json = |k: usize| format!("{{\"ts\":171497907{k}.5,\"id.orig_h\":\"10.1.0.5\",\"id.resp_h\":\"10.9.0.9\",\"proto\":\"tcp\",\"conn_state\":\"SF\"}}\n");
        let eve = |k: usize| format!("{{\"timestamp\":\"2024-05-06T10:00:0{k}.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"10.1.0.5\",\"dest_ip\":\"10.9.0.9\",\"proto\":\"TCP\",\"flow\":{{\"pkts_toserver\":4,\"pkts_toclient\":5,\"bytes_toserver\":600,\"bytes_toclient\":900}}}}\n");
        let csv = |k: usize| format!("171497907{k}.3,10.1.0.5,10.9.0.9,tcp,SF,Benign\n");
        let kinds: [(&str, &dyn Fn(usize) -> String); 4] =
            [(header, &tsv), ("", &json), ("", &eve), ("ts,id.orig_h,id.resp_h,proto,conn_state,label\n", &csv)];
        for (header, line) in kinds {
            let rows: Vec<String> = (0..lines).map(line).collect();
            let text = format!("{header}{}", rows.concat());
            let first = header.len() + rows[0].len();
            let cut = first + place.index(text.len() - first);
            let whole = text[header.len()..cut].matches('\n').count();
            match read("f", &text.as_bytes()[..cut], &ReadOptions::default()) {
                Ok(Input::Flows(log)) => {
                    // What is left of the last line may be a sound one, or nothing.
                    prop_assert!(log.flows.len() == whole || log.flows.len() == whole + 1, "{}", &text[..cut]);
                    prop_assert_eq!(log.flows.len() as u64 + log.stats.bad_rows, whole as u64 + u64::from(!text[..cut].ends_with('\n')));
                }
                other => prop_assert!(false, "{}: {other:?}", &text[..cut]),
            }
        }
    }
}

#[test]
fn logs_of_something_else_are_refused_and_streams_of_several_logs_are_sorted_out() {
    let dns =
        r#"{"ts":1714979075.4,"id.orig_h":"10.1.0.5","id.resp_h":"10.9.0.53","proto":"udp","query":"example.org"}"#;
    let refused = read("f", format!("{dns}\n{dns}\n").as_bytes(), &ReadOptions::default()).map(|_| ());
    assert!(matches!(&refused, Err(error) if error.to_string().contains("is a Zeek log of dns")), "{refused:?}");
    let named = dns.replace("\"ts\"", "\"_path\":\"dns\",\"ts\"");
    let conn = r#"{"_path":"conn","ts":1.5,"id.orig_h":"10.1.0.5","id.resp_h":"10.9.0.53","proto":"udp"}"#;
    match read("f", format!("{named}\n{named}\n{conn}\n").as_bytes(), &ReadOptions::default()) {
        Ok(Input::Flows(log)) => assert_eq!((log.flows.len(), log.stats.other["dns"]), (1, 2)),
        other => panic!("{other:?}"),
    }
    let refused = read("f", format!("{named}\n").as_bytes(), &ReadOptions::default()).map(|_| ());
    assert!(matches!(&refused, Err(ReadError::NoRows { what, .. }) if what.contains("1 dns")), "{refused:?}");
}

#[test]
fn a_log_of_directions_says_what_to_switch_on() {
    let line = r#"{"timestamp":"2024-05-06T10:00:00Z","event_type":"netflow","src_ip":"10.1.0.5","dest_ip":"10.9.0.9","proto":"TCP","netflow":{"pkts":4}}"#;
    let refused = read("f", line.as_bytes(), &ReadOptions::default()).map(|_| ()).expect_err("no flow").to_string();
    assert!(refused.contains("1 netflow") && refused.contains("suricata.yaml"), "{refused}");
}

#[test]
fn a_first_line_of_any_allowed_length_hides_nothing() {
    let alert = format!(r#"{{"event_type":"alert","payload":"{}"}}"#, "QUJD".repeat(50_000));
    let flow = r#"{"timestamp":"2024-05-06T10:00:00Z","event_type":"flow","src_ip":"10.1.0.5","dest_ip":"10.9.0.9","proto":"TCP","flow":{"pkts_toserver":4,"pkts_toclient":5,"bytes_toserver":600,"bytes_toclient":900}}"#;
    for prefix in ["", "May  6 10:00:00 fw1 suricata: "] {
        let text = format!("{prefix}{alert}\n{prefix}{flow}\n");
        match read("f", text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Flows(log)) => assert_eq!((log.flows.len(), log.stats.alerts), (1, 1)),
            other => panic!("{prefix}: {other:?}"),
        }
    }
}
