//! `dais flows`: looking, converting, counting, summing up; and what tables give away.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{dais, json, printed, refusal};

/// A log of two kinds of records, with one broken line.
fn eve() -> String {
    let flow = |k: u32, port: u16, answered: bool| {
        let packets = u8::from(answered) * 3;
        format!(
            "{{\"timestamp\":\"2024-05-06T10:00:{k:02}.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"10.1.0.{k}\",\"src_port\":40000,\"dest_ip\":\"10.9.0.9\",\"dest_port\":{port},\"proto\":\"TCP\",\"flow\":{{\"pkts_toserver\":4,\"pkts_toclient\":{packets},\"bytes_toserver\":400,\"bytes_toclient\":0}}}}\n"
        )
    };
    let mut text: String = (0..60).map(|k| flow(k, if k < 20 { 22 } else { 443 }, k % 2 == 0)).collect();
    text.push_str("{\"event_type\":\"dns\"}\n{\"event_type\":\"dns\"}\n{\"event_type\":\"alert\"}\n");
    text
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("eve.json"), eve()).unwrap();
    place
}

#[test]
fn the_summary_is_one_object_with_every_count() {
    let place = place();
    let summary = json(dais(place.path()).args(["flows", "eve.json", "--summary", "--json"]));
    assert_eq!((&summary["flows"], &summary["broken"]), (&Value::from(60), &Value::from(0)));
    assert_eq!(summary["packets"], Value::from(60 * 4 + 30 * 3));
    assert_eq!(summary["bytes"], Value::from(60 * (400 - 4 * 54)));
    assert_eq!(summary["other"], serde_json::json!({ "dns": 2, "alert": 1 }));
    let part = json(dais(place.path()).args(["flows", "eve.json", "--summary", "--json", "--port", "22"]));
    assert_eq!((&part["flows"], &part["packets"]), (&Value::from(20), &Value::from(20 * 4 + 10 * 3)));
    let text = printed(dais(place.path()).args(["flows", "eve.json", "--summary"]));
    assert!(text.contains("60 flows, 330 packets") && text.contains("2 dns"), "{text}");
}

#[test]
fn what_is_converted_to_any_format_holds_the_same_flows() {
    let place = place();
    let zeek = printed(dais(place.path()).args(["flows", "eve.json", "--format", "zeek"]));
    assert!(zeek.starts_with("#separator \\x09\n") && zeek.lines().count() == 60 + 7, "{zeek}");
    let mut last = "eve.json".to_owned();
    for format in ["csv", "json", "parquet", "zeek"] {
        let next = format!("flows.{format}");
        let converted = printed(dais(place.path()).args(["flows", &last, "--format", format, "--out", &next]));
        assert_eq!(converted, "");
        last = next;
    }
    assert_eq!(fs::read_to_string(place.path().join(&last)).unwrap(), zeek);
}

#[test]
fn filters_counts_and_columns_say_what_is_there() {
    let place = place();
    let flows = |args: &[&str]| printed(dais(place.path()).args(["flows", "eve.json"]).args(args));
    let lines = flows(&["--json", "--host", "10.1.0.0/28", "--port", "22", "--state", "S0"]);
    assert_eq!(lines.lines().count(), 8, "{lines}");
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["id.orig_h"], &first["conn_state"]), (&Value::from("10.1.0.1"), &Value::from("S0")));
    let later = flows(&["--json", "--from", "2024-05-06T10:00:50Z", "--limit", "3"]);
    assert_eq!(later.lines().count(), 3);
    let counts = json(dais(place.path()).args(["flows", "eve.json", "--count", "port,state", "--json"]));
    assert_eq!((&counts["kinds"], &counts["counts"][0]["flows"]), (&Value::from(4), &Value::from(20)));
    let table = flows(&["--limit", "2"]);
    assert!(table.lines().count() == 3 && table.contains("10.9.0.9:22"), "{table}");
    assert!(flows(&["--columns"]).contains("source_destinations"));
    let wrong = refusal(dais(place.path()).args(["flows", "eve.json", "--state", "S9"]));
    assert!(wrong.contains("--state S9: expected one of S0"), "{wrong}");
}

#[test]
fn a_folder_of_logs_is_one_site_in_order_of_time() {
    let place = place();
    let day = place.path().join("logs/2024-05-06");
    fs::create_dir_all(&day).unwrap();
    for (hour, offset) in [("10", 0), ("11", 3_600)] {
        let rows: String = (0..40).map(|k| format!("{}\t10.0.0.1\t10.0.0.2\ttcp\tSF\n", offset + k)).collect();
        let text =
            format!("#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\n{rows}");
        fs::write(day.join(format!("conn.{hour}:00:00.log")), text).unwrap();
    }
    fs::write(day.join("dns.log"), "#separator \\x09\n#path\tdns\n#fields\tts\n").unwrap();
    let summary = json(dais(place.path()).args(["flows", "logs", "--summary", "--json"]));
    assert_eq!((&summary["flows"], &summary["last_s"]), (&Value::from(80), &Value::from(3_639.0)));
    assert!(summary["hints"][0].as_str().unwrap().contains("1 Zeek log of dns"), "{summary}");
    let run =
        json(dais(place.path()).args(["run", "--data", "logs", "--steps", "4", "--seed", "1", "--json", "--out", "o"]));
    assert_eq!(run["agents"], Value::from(1), "all files of the folder are one site");
}

/// A table of random features, with a column of one's choice.
fn table(column: &str, value: impl Fn(u32) -> String) -> String {
    let chance = |row: u32, salt: u32| row.wrapping_add(salt * 7_919).wrapping_mul(2_654_435_761) >> 11;
    let mut text = format!("dur,bytes,{column}proto,label\n");
    for row in 0..1_500 {
        let (dur, bytes, proto) =
            (chance(row, 1) % 1_000, chance(row, 2) % 1_000, ["tcp", "udp"][chance(row, 3) as usize % 2]);
        writeln!(text, "0.{dur:03},{bytes},{}{proto},{}", value(row), u8::from(row % 5 == 4)).unwrap();
    }
    text
}

fn recall(place: &Path, name: &str, text: &str) -> f64 {
    fs::write(place.join(name), text).unwrap();
    let mut command = dais(place);
    command.args([
        "run", "--data", name, "--agents", "4", "--steps", "8", "--seed", "1", "--worlds", "isolated", "--json",
    ]);
    json(command.args(["--out", &format!("{name}.out")]))["detection"]["isolated"]["recall"].as_f64().unwrap()
}

#[test]
fn a_column_that_gives_the_label_away_is_left_out_and_named() {
    let place = tempfile::tempdir().unwrap();
    let kinds = ["ddos", "xss", "scanning"];
    let offered =
        table("type,", |row| if row % 5 == 4 { format!("{},", kinds[row as usize % 3]) } else { "normal,".to_owned() });
    let without = recall(place.path(), "without.csv", &table("", |_| String::new()));
    let with = recall(place.path(), "with.csv", &offered);
    assert!((with - without).abs() < 1e-9 && with < 0.2, "{with} with the column, {without} without");
    let schema = printed(dais(place.path()).args(["schema", "with.csv"]));
    assert!(schema.contains("# column `type` is left out: its 4 values tell attacks from ordinary rows"), "{schema}");
    let message = String::from_utf8(
        dais(place.path())
            .args(["run", "--data", "with.csv", "--steps", "3", "--agents", "2", "--seed", "1", "--out", "said"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    assert!(message.contains("column `type` is left out"), "{message}");
}
