//! Input that cannot be used: each is refused with exit code 2 and a message that names the place.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{dais, refusal, table};

/// The message for a file with this content.
fn refused(content: &[u8]) -> String {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("flows.csv"), content).unwrap();
    let message = refused_by(place.path(), &["run", "--data", "flows.csv"]);
    assert!(message.contains("flows.csv"), "{message}");
    message
}

fn refused_by(folder: &Path, flags: &[&str]) -> String {
    let message = refusal(dais(folder).args(flags).args(["--seed", "1"]));
    let runs = folder.join("runs");
    assert!(!runs.exists() || fs::read_dir(runs).unwrap().count() == 0, "nothing is left behind");
    message
}

fn with_row(row: &str) -> Vec<u8> {
    let text = table();
    let lines: Vec<&str> = text.lines().collect();
    [&lines[..17], &[row], &lines[17..]].concat().join("\n").into_bytes()
}

#[test]
fn truncated_gzip_is_named_as_such() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(table().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert!(refused(&packed[..packed.len() / 2]).contains("truncated"));
}

#[test]
fn a_wrong_number_of_columns_is_named_by_its_line() {
    let message = refused(&with_row("1.0,300"));
    assert!(message.contains("flows.csv:18:") && message.contains('4') && message.contains('2'), "{message}");
}

#[test]
fn a_value_that_is_no_number_is_named_by_line_and_column() {
    for value in ["many", "1x", "1e999"] {
        let message = refused(&with_row(&format!("{value},300,http,normal")));
        assert!(message.contains("flows.csv:18: column `seconds`") && message.contains(value), "{message}");
        assert!(message.contains("--max-bad-rows"), "the way out: {message}");
    }
}

#[test]
fn broken_rows_within_the_allowed_share_are_left_out_and_told() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("flows.csv"), with_row("many,300,http,normal")).unwrap();
    let flags = ["run", "--data", "flows.csv", "--max-bad-rows", "0.01", "--agents", "3", "--steps", "3"];
    let screen = crate::printed(dais(place.path()).args(flags));
    assert!(screen.contains("1 of 901 rows are broken"), "{screen}");
}

#[test]
fn empty_files_unknown_formats_and_folders_are_told_apart() {
    assert!(refused(b"").contains("empty"));
    assert!(refused(b"PK\x03\x04\x14\x00\x00\x00").contains("zip"));
    let message = refused(b"Dear Sir or Madam,\nplease find attached\n");
    assert!(message.contains("Zeek") && message.contains("--schema"), "{message}");
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("logs")).unwrap();
    assert!(refused_by(place.path(), &["run", "--data", "logs"]).contains("logs: no flow log among its 0 files"));
    let missing = refused_by(place.path(), &["run", "--data", "nowhere.csv"]);
    assert!(missing.contains("nowhere.csv") && missing.contains("No such file"), "{missing}");
}

#[test]
fn a_scenario_that_cannot_be_run_is_named_by_file_and_key() {
    let place = tempfile::tempdir().unwrap();
    let scenario = |text: &str| {
        fs::write(place.path().join("my.yaml"), text).unwrap();
        refused_by(place.path(), &["run", "my.yaml"])
    };
    let message = scenario("name: x\nseeed: 3\n");
    assert!(message.contains("my.yaml") && message.contains("seeed"), "{message}");
    assert!(scenario("rules: {policy: {threshold: 0.2}}\n").contains("threshold"));
    assert!(scenario("worlds: []\n").contains("worlds"));
    assert!(refused_by(place.path(), &["run", "nowhere.yaml"]).contains("nowhere.yaml"));
    fs::write(place.path().join("flows.csv"), table()).unwrap();
    assert!(refused_by(place.path(), &["run", "flows.csv"]).contains("--data"));
}

#[test]
fn flags_that_do_not_go_together_are_refused_with_the_way_out() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("flows.csv"), table()).unwrap();
    let refused = |flags: &[&str]| refused_by(place.path(), &[&["run"], flags].concat());
    assert!(refused(&["--schema", "x.yaml"]).contains("--data"));
    assert!(refused(&["--partition", "iid:3"]).contains("number of agents"));
    assert!(refused(&["--data", "flows.csv", "--partition", "iid:3"]).contains("times"));
    assert!(refused(&["--set", "agent.retrain=3"]).contains("retrain_every"));
    assert!(refused(&["--set", "agent.retrain_every=0"]).contains("at least 1"));
    assert!(refused(&["--set", "traffic.synthetic.step_s=0"]).contains("step_s"));
}

#[test]
fn a_flow_log_needs_no_schema() {
    let place = tempfile::tempdir().unwrap();
    let log = "{\"ts\":1.0,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":1,\"id.resp_h\":\"10.0.0.2\",\
               \"id.resp_p\":80,\"proto\":\"tcp\",\"conn_state\":\"S0\"}\n";
    fs::write(place.path().join("conn.log"), log).unwrap();
    let message = refusal(dais(place.path()).args(["schema", "conn.log"]));
    assert!(message.contains("needs no schema") && message.contains("--data conn.log"), "{message}");
}
