//! Labelled tables as they are found: read whatever is in them, and without what gives the label away.

use std::fmt::Write;

use dais_traffic::{Input, Label, ReadOptions, Table, TableSchema, TableSet, read};
use proptest::prelude::*;

fn table(bytes: &[u8]) -> Table {
    match read("t.csv", bytes, &ReadOptions::default()) {
        Ok(Input::Table(table)) => table,
        other => panic!("{other:?}"),
    }
}

fn families(table: &Table) -> Vec<&str> {
    table.families.iter().map(|family| family.name.as_str()).collect()
}

fn features(table: &Table) -> Vec<&str> {
    let numeric = table.schema.numeric.iter().map(|column| column.name.as_str());
    numeric.chain(table.schema.categorical.iter().map(|column| column.name.as_str())).collect()
}

/// Numbers that look random, the same in every run.
fn chance(row: u32, salt: u32) -> u32 {
    row.wrapping_add(salt.wrapping_mul(7_919)).wrapping_mul(2_654_435_761) >> 11
}

/// A table as the tool for CIC-IDS writes it: blanks before names, one name twice, Windows line ends.
fn cic(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b" Flow Duration, Fwd Header Length,Flow Bytes/s, Fwd Header Length, Label\r\n".to_vec();
    for row in 0..400 {
        let rate = if row % 40 == 7 { "Infinity".to_owned() } else { format!("{}.5", chance(row, 1) % 1_000) };
        let length = chance(row, 2) % 900;
        bytes.extend(format!("{},{length},{rate},{length},", chance(row, 3) % 90_000).bytes());
        bytes.extend(labels[row as usize % labels.len()]);
        bytes.extend(b"\r\n");
    }
    bytes
}

#[test]
fn names_twice_other_letters_and_quotients_by_zero_are_read() {
    let table = table(&cic(&[b"BENIGN", b"BENIGN", b"Web Attack \x96 XSS"]));
    assert_eq!((table.rows(), table.stats.bad_rows), (400, 0));
    assert_eq!(families(&table), ["Web Attack \u{2013} XSS"]);
    assert_eq!(features(&table), ["Flow Duration", "Fwd Header Length", "Flow Bytes/s"]);
    assert_eq!(table.schema.ignored, ["Fwd Header Length (2)"]);
    let set = TableSet::new(vec![table]).expect("a table");
    assert_eq!(set.schema().numeric.last().map(|feature| feature.name.as_str()), Some("Flow Bytes/s missing"));
}

#[test]
fn a_schema_that_was_drafted_reads_the_same_rows_of_the_same_features() {
    let bytes = cic(&[b"BENIGN", b"DoS"]);
    let drafted = table(&bytes);
    let yaml = drafted.schema.to_yaml().expect("a schema is YAML");
    let schema = TableSchema::from_yaml(&yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    assert_eq!(schema, *drafted.schema);
    match read("t.csv", bytes.as_slice(), &ReadOptions { schema: Some(schema), ..ReadOptions::default() }) {
        Ok(Input::Table(given)) => {
            assert_eq!(
                (&given.numeric, &given.codes, &given.labels),
                (&drafted.numeric, &drafted.codes, &drafted.labels)
            );
        }
        other => panic!("{other:?}"),
    }
}

/// A table of random features with one column more, as a program that makes data sets would write it.
fn offered(name: &str, column: impl Fn(u32, usize) -> String) -> Table {
    let mut text = format!("dur,bytes,proto,{name},label\n");
    for row in 0..1_200_u32 {
        let kind = if chance(row, 9) % 10 < 6 { 0 } else { 1 + (chance(row, 5) % 4) as usize };
        let label = u8::from(kind > 0);
        let (dur, bytes) = (f64::from(chance(row, 1) % 1_000) / 1e3, chance(row, 2) % 1_000);
        let proto = ["tcp", "udp"][chance(row, 3) as usize % 2];
        writeln!(text, "{dur},{bytes},{proto},{},{label}", column(row, kind)).expect("text grows");
    }
    table(text.as_bytes())
}

#[test]
fn second_labels_of_published_sets_are_left_out_with_the_figure() {
    const KINDS: [&str; 5] = ["normal", "ddos", "scanning", "xss", "backdoor"];
    let bot = ["Normal", "TCP", "UDP", "Service_Scan", "Keylogging"];
    let blank = ["", "Fuzzers", "DoS", "Exploits", "Generic"];
    for (name, kinds) in [
        ("type", KINDS),
        ("subcategory", bot),
        ("Attack Type", KINDS),
        ("attack-type", KINDS),
        ("detailed-label", ["-", "C&C", "DDoS", "PartOfAHorizontalPortScan", "Attack"]),
        ("Label2", ["0", "1", "1", "1", "1"]),
        ("traffic_type", ["BENIGN", "MALICIOUS", "MALICIOUS", "MALICIOUS", "MALICIOUS"]),
        ("attack_cat", blank),
        ("tool", blank),
        ("class_id", ["0", "1", "2", "3", "4"]),
        ("Attack_label", ["0", "1", "1", "1", "1"]),
    ] {
        let table = offered(name, |_, kind| kinds[kind].to_owned());
        assert_eq!(features(&table), ["dur", "bytes", "proto"], "{name}");
        let by_name = table.schema.label.column == name || table.schema.label.verdict.as_deref() == Some(name);
        let said = table.left_out.iter().any(|leak| leak.to_string().contains("separation 1.000"));
        let ignored = table.schema.ignored.iter().any(|column| column == name);
        assert!(by_name || said || ignored, "{name}: {:?}", table.left_out);
    }
}

#[test]
fn row_numbers_ids_and_times_of_published_sets_are_left_out() {
    for (name, column) in [
        ("", (|row, _| row.to_string()) as fn(u32, usize) -> String),
        ("pkSeqID", |row, _| (row + 792_371).to_string()),
        ("Unnamed: 0.1", |row, _| row.to_string()),
        ("frame.time_epoch", |row, _| format!("{}.{:03}", 1_556_340_000 + row / 3, chance(row, 4) % 1_000)),
        ("seen", |row, _| (1_526_344_000 + chance(row, 8) % 90_000).to_string()),
        ("flow_key", |row, _| format!("10.0.{}.{}-10.9.9.9-{row}", row % 7, row % 90)),
    ] {
        let table = offered(name, column);
        assert_eq!(features(&table), ["dur", "bytes", "proto"], "{name}: {:?}", table.left_out);
    }
}

#[test]
fn an_attack_name_that_ordinary_rows_lack_is_read_together_with_the_verdict() {
    let names = ["", " Fuzzers ", "DoS", "Exploits", "Generic"];
    let table = offered("attack_cat", |_, kind| names[kind].to_owned());
    assert_eq!(
        (table.schema.label.column.as_str(), table.schema.label.verdict.as_deref()),
        ("attack_cat", Some("label"))
    );
    let mut found = families(&table);
    found.sort_unstable();
    assert_eq!(found, ["DoS", "Exploits", "Fuzzers", "Generic"]);
    assert!(table.labels.contains(&Label::Benign) && !table.labels.contains(&Label::Undecided));
}

#[derive(Clone, Debug)]
enum Line {
    Row(Option<f64>, &'static str, bool),
    Blank,
    Header,
}

fn line() -> impl Strategy<Value = Line> {
    let row =
        (proptest::option::weighted(0.7, -1e3..1e3), prop::sample::select(&["tcp", "udp", ""][..]), any::<bool>());
    prop_oneof![
        8 => row.prop_map(|(number, kind, attack)| Line::Row(number, kind, attack)),
        1 => Just(Line::Blank),
        1 => Just(Line::Header),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_row_is_read_whatever_stands_between_rows_and_whatever_is_missing(
        lines in proptest::collection::vec(line(), 0..60), word in prop::sample::select(&["", "?", "NaN", "-", "null"][..]),
    ) {
        let header = "x,kind,label";
        let mut text = format!("{header}\n1,tcp,normal\n2,udp,worm\n");
        for line in &lines {
            match line {
                Line::Row(number, kind, attack) => {
                    let number = number.map_or_else(|| word.to_owned(), |number| number.to_string());
                    writeln!(text, "{number},{kind},{}", if *attack { "worm" } else { "normal" }).expect("text grows");
                }
                Line::Blank => text.push_str(",,\n"),
                Line::Header => writeln!(text, "{header}").expect("text grows"),
            }
        }
        let read = table(text.as_bytes());
        let rows: Vec<&Line> = lines.iter().filter(|line| matches!(line, Line::Row(..))).collect();
        prop_assert_eq!(read.rows(), rows.len() + 2);
        prop_assert_eq!((read.stats.bad_rows, read.stats.other_records()), (0, (lines.len() - rows.len()) as u64));
        for (at, line) in rows.iter().enumerate() {
            let Line::Row(number, _, attack) = line else { continue };
            prop_assert_eq!(matches!(read.labels[at + 2], Label::Attack(_)), *attack);
            if read.schema.numeric.len() == 1 {
                prop_assert_eq!(read.numeric[0].get(at + 2).is_nan(), number.is_none());
            }
        }
        let set = TableSet::new(vec![read]).expect("a table");
        let rows = set.files()[0].rows();
        prop_assert!(set.batch(0, 0..rows).numeric().iter().all(|x| (0.0..=1.0).contains(x)));
    }

    #[test]
    fn what_is_added_to_all_numbers_of_a_column_changes_nothing(
        numbers in proptest::collection::vec(0_u32..65_536, 60..200), offset in prop::sample::select(&[0.0, 1e4, 1.6e9, 1.7e12, -3e8][..]),
    ) {
        let text = |offset: f64| {
            let mut text = "a,label\n".to_owned();
            for (row, number) in numbers.iter().enumerate() {
                let value = offset + f64::from(*number) / 8192.0;
                writeln!(text, "{value},{}", ["normal", "worm"][row % 2]).expect("text grows");
            }
            text
        };
        let scaled = |offset: f64| {
            let set = TableSet::new(vec![table(text(offset).as_bytes())]).expect("a table");
            set.batch(0, 0..numbers.len()).numeric_column(0).to_vec()
        };
        let (expected, found) = (scaled(0.0), scaled(offset));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
}
