//! Rows and labels of real files, against the counts published with them.

use std::collections::BTreeMap;

use dais_traffic::{Family, FlowLog, Format, Label, ReadOptions, Table, TableSet, flow_schema, read};

use crate::data::{self, CTU_165, CTU_167, CTU_234, EVE, NJRAT, NMAP, NSL_TEST, NSL_TRAIN, REMCOS};

fn counts(labels: &[Label], families: &[Family]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for label in labels {
        let name = match label {
            Label::Benign => "benign",
            Label::Undecided => "undecided",
            Label::Attack(id) => &families[usize::from(id.0)].name,
        };
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn assert_counts(actual: &BTreeMap<String, usize>, expected: &[(&str, usize)]) {
    for (name, count) in expected {
        assert_eq!(actual.get(*name), Some(count), "{name}");
    }
}

/// Attacks, benign and undecided flows of a log.
fn decided(log: &FlowLog) -> [usize; 3] {
    let count = |is: fn(&Label) -> bool| log.labels.iter().filter(|label| is(label)).count();
    [
        count(|label| matches!(label, Label::Attack(_))),
        count(|label| *label == Label::Benign),
        count(|label| *label == Label::Undecided),
    ]
}

fn assert_clean(table: &Table, rows: usize) {
    assert_eq!((table.rows(), table.stats.rows, table.stats.bad_rows), (rows, rows as u64, 0));
}

#[test]
fn nsl_kdd_train_has_its_published_rows_and_labels() {
    let Some(table) = data::table(NSL_TRAIN) else { return };
    assert_clean(&table, 125_973);
    let counts = counts(&table.labels, &table.families);
    let expected = "benign 67343 neptune 41214 satan 3633 ipsweep 3599 portsweep 2931 smurf 2646 nmap 1493 back 956 \
        teardrop 892 warezclient 890 pod 201 guess_passwd 53 buffer_overflow 30 warezmaster 20 land 18 imap 11 \
        rootkit 10 loadmodule 9 ftp_write 8 multihop 7 phf 4 perl 3 spy 2";
    let words: Vec<&str> = expected.split_whitespace().collect();
    let expected: Vec<(&str, usize)> =
        words.chunks(2).map(|pair| (pair[0], pair[1].parse().expect("a count"))).collect();
    assert_counts(&counts, &expected);
    assert_eq!(counts.len(), expected.len());
    let kinds: Vec<usize> = table.values.iter().map(Vec::len).collect();
    assert_eq!(kinds, [3, 70, 11]);
}

#[test]
fn nsl_kdd_test_has_its_published_rows_and_labels() {
    let Some(table) = data::table(NSL_TEST) else { return };
    assert_clean(&table, 22_544);
    let counts = counts(&table.labels, &table.families);
    assert_counts(&counts, &[("benign", 9_711), ("mscan", 996), ("apache2", 737), ("processtable", 685)]);
    assert_counts(&counts, &[("snmpguess", 331), ("saint", 319), ("mailbomb", 293), ("httptunnel", 133)]);
    assert_eq!(counts.len(), 38);
    assert_eq!(table.rows() - counts["benign"], 12_833);
}

#[test]
fn nsl_kdd_features_leave_out_label_and_difficulty() {
    let (Some(train), Some(test)) = (data::table(NSL_TRAIN), data::table(NSL_TEST)) else { return };
    let set = TableSet::new(vec![train, test]).expect("both files have one layout");
    let names: Vec<&str> = set.schema().names().collect();
    assert_eq!(names.len(), 41);
    assert!(!names.contains(&"difficulty") && !names.contains(&"label"));
    assert_eq!(set.families().len(), 39);
}

#[test]
fn a_plain_file_without_header_or_difficulty_reads_like_the_original() {
    let Some(original) = data::table(NSL_TEST) else { return };
    let mut plain = Vec::new();
    let packed = data::bytes(NSL_TEST).expect("just read");
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut plain).expect("sound gzip");
    let text = String::from_utf8(plain).expect("text");
    let cut = |line: &str| line.rsplit_once(',').map(|(row, _)| format!("{row}.\r\n")).unwrap_or_default();
    let kdd: String = text.lines().skip(1).map(cut).collect();
    let Ok(dais_traffic::Input::Table(table)) = read("kdd", kdd.as_bytes(), &ReadOptions::default()) else {
        panic!("rows of KDD Cup 1999 are not read as a table")
    };
    assert_eq!((table.numeric, table.codes, table.labels), (original.numeric, original.codes, original.labels));
}

#[test]
fn adbench_tables_are_read_by_a_drafted_schema() {
    for (path, rows, attacks) in [("adbench/http.csv.gz", 567_498, 2_211), ("adbench/smtp.csv.gz", 95_156, 30)] {
        let Some(table) = data::table(path) else { return };
        assert_clean(&table, rows);
        assert_counts(&counts(&table.labels, &table.families), &[("attack", attacks), ("benign", rows - attacks)]);
        let names: Vec<&str> = table.schema.numeric.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["log_duration", "log_src_bytes", "log_dst_bytes"]);
    }
}

#[test]
fn labelled_zeek_logs_have_their_published_labels() {
    for (path, expected) in [
        (CTU_167, [4_201, 1_402, 60]),
        (CTU_165, [3_951, 4_771, 326]),
        (CTU_234, [3_373, 1_937, 37]),
        (NJRAT, [244, 9, 739]),
        (REMCOS, [719, 44, 3]),
    ] {
        let Some(log) = data::log(path) else { return };
        assert_eq!((log.format, log.stats.bad_rows), (Format::ZeekTsv, 0), "{path}");
        assert_eq!(decided(&log), expected, "{path}");
        assert!(log.flows.is_sorted_by(|a, b| a.time_s <= b.time_s), "{path}");
    }
}

#[test]
fn families_of_zeek_logs_come_from_the_details() {
    let Some(log) = data::log(CTU_167) else { return };
    assert_eq!(counts(&log.labels, &log.families).get("External-Attack-to-Device"), Some(&4_201));
    let Some(log) = data::log(NJRAT) else { return };
    let family = log.families.iter().find(|family| family.name == "CC");
    assert_eq!(family.and_then(|family| family.technique.as_deref()), Some("T1071"));
}

#[test]
fn zeek_json_has_its_published_rows_and_destinations() {
    let Some(log) = data::log(NMAP) else { return };
    assert_eq!((log.format, log.flows.len(), log.stats.bad_rows), (Format::ZeekJson, 4_504, 0));
    assert_eq!(decided(&log), [0, 0, 4_504]);
    let mut destinations: Vec<_> = log.flows.iter().map(|flow| flow.destination).collect();
    destinations.sort_unstable();
    destinations.dedup();
    assert_eq!(destinations.len(), 182);
}

#[test]
fn suricata_flows_are_read_and_alerts_are_counted_but_are_no_truth() {
    let Some(log) = data::log(EVE) else { return };
    assert_eq!((log.format, log.flows.len()), (Format::SuricataEve, 3_512));
    assert_eq!((log.stats.alerts, log.stats.other_records(), log.stats.bad_rows), (745, 743, 0));
    assert!(log.stats.alerted_flows > 0);
    assert_eq!(decided(&log), [0, 0, 3_512]);
}

#[test]
fn no_flow_feature_tells_the_label_of_a_zeek_log_by_itself() {
    let schema = flow_schema();
    for leak in ["label", "local_orig", "local_resp", "source", "destination", "direction", "host"] {
        assert!(schema.names().all(|name| name != leak), "{leak} is a feature");
    }
}

#[test]
fn zeek_columns_as_csv_are_flows_with_their_labels() {
    for (name, rows, malicious) in [
        ("CTU-Honeypot-Capture-4-1", 452, 0),
        ("CTU-Honeypot-Capture-5-1", 1_374, 0),
        ("CTU-Malware-Capture-21-1", 3_286, 14),
        ("CTU-Malware-Capture-34-1", 23_145, 21_222),
        ("CTU-Malware-Capture-44-1", 237, 26),
    ] {
        let Some(log) = data::log(&format!("iot23/{name}.csv.gz")) else { return };
        assert_eq!((log.format, log.flows.len(), log.stats.bad_rows), (Format::ZeekCsv, rows, 0), "{name}");
        assert_eq!(decided(&log), [malicious, rows - malicious, 0], "{name}");
        assert!(log.flows.iter().all(|flow| flow.time_s > 1.5e9), "{name}");
    }
}

#[test]
fn tables_of_the_field_have_times_addresses_and_labels_and_no_leaks() {
    let Some(luflow) = data::table("luflow/2020.07.08.csv.gz") else { return };
    assert_clean(&luflow, 112_755);
    let counted = counts(&luflow.labels, &luflow.families);
    assert_counts(&counted, &[("benign", 65_580), ("malicious", 43_917), ("undecided", 3_258)]);
    let times = luflow.time_s.as_ref().expect("times are recognised");
    let day = 1_594_080_000.0..1_594_260_000.0;
    assert!(times.iter().all(|time| day.contains(time)), "zeros that were lost at the end change no day");
    for column in ["time_end", "src_ip", "dest_ip", "src_port"] {
        assert!(luflow.schema.ignored.iter().any(|ignored| ignored == column), "{column}");
    }
    let Some(quiet) = data::table("luflow/2020.12.17.csv.gz") else { return };
    let times = quiet.time_s.as_ref().expect("times are recognised");
    let day = 1_608_076_800.0..1_608_336_000.0;
    assert!(times.iter().all(|time| day.contains(time)), "{:?}", times.iter().find(|time| !day.contains(time)));
    let Some(unsw) = data::table("unsw_raw/first_10000.csv.gz") else { return };
    assert_clean(&unsw, 10_000);
    assert_counts(&counts(&unsw.labels, &unsw.families), &[("benign", 9_327), ("Exploits", 259), ("Worms", 2)]);
    assert!(unsw.endpoints.is_some() && unsw.time_s.is_some());
    let left_out: Vec<&str> = unsw.left_out.iter().map(|leak| leak.column.as_str()).collect();
    assert_eq!(left_out, ["sttl", "dttl", "ct_state_ttl"]);
}

#[test]
fn the_features_of_nsl_kdd_stay_when_they_are_looked_over() {
    let Some(train) = data::table(NSL_TRAIN) else { return };
    assert_eq!(dais_traffic::suspects(&[train]), []);
}
