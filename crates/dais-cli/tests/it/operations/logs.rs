//! What a run logs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::SHORT;
use crate::{dais, json, printed, text};

/// Everything at level debug, without a limit for floods, into `dais.log`.
const DEBUG: [&str; 3] = ["logging.level=debug", "logging.flood_per_second=0", "logging.file=dais.log"];

fn run(folder: &Path, configure: &[&str]) -> String {
    let mut command = dais(folder);
    command.args(SHORT).args(["--out", "x"]);
    for setting in configure {
        command.args(["--configure", setting]);
    }
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn a_run_that_nobody_configured_says_nothing_but_its_summary() {
    let place = tempfile::tempdir().unwrap();
    let output = dais(place.path()).args(&SHORT[..9]).args(["--out", "x"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("ledger"), "{}", text(&output.stdout));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing but its folder");
}

#[test]
fn every_line_of_a_log_in_json_says_where_it_belongs() {
    let place = tempfile::tempdir().unwrap();
    let said = run(place.path(), &[&DEBUG[..], &["logging.format=json"]].concat());
    assert_eq!(said, "", "with a file the console stays empty");
    let log = fs::read_to_string(place.path().join("dais.log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let mut steps = BTreeSet::new();
    for line in &lines {
        assert_eq!((&line["run"], &line["seed"]), (&Value::from("synthetic"), &Value::from(7)), "{line}");
        let message = line["message"].as_str().unwrap();
        let is_about_a_step = ["step", "phase", "decided"].contains(&message) || message.starts_with("agent");
        if is_about_a_step {
            assert!(line["world"].is_string() && line["step"].is_u64(), "{line}");
        }
        if message == "step" {
            steps.insert((line["world"].to_string(), line["step"].as_u64()));
        }
    }
    assert_eq!(steps.len(), 3 * 40, "every step of every world");
    for message in ["the run begins", "the world begins", "decided", "the world ended", "the run ended"] {
        assert!(lines.iter().any(|line| line["message"] == message), "{message}");
    }
}

#[test]
fn every_line_of_a_log_in_text_says_where_it_belongs() {
    let place = tempfile::tempdir().unwrap();
    run(place.path(), &DEBUG);
    let log = fs::read_to_string(place.path().join("dais.log")).unwrap();
    assert!(log.lines().all(|line| line.contains(" run=synthetic")), "{log}");
    let phases: Vec<&str> = log.lines().filter(|line| line.contains(" phase=vote")).collect();
    assert!(phases.len() >= 40, "{}", phases.len());
    assert!(phases.iter().all(|line| line.contains(" world=") && line.contains(" step=")), "{phases:#?}");
    let shown = printed(dais(place.path()).args(["logs", "dais.log"]));
    assert!(shown.contains("Phases, ms") && shown.contains("observe"), "{shown}");
}

#[test]
fn a_log_that_is_rotated_stays_bounded_and_is_read_as_one() {
    let place = tempfile::tempdir().unwrap();
    let rotated = ["logging.max_bytes=4096", "logging.backup_count=3", "logging.compress=true"];
    run(place.path(), &[&DEBUG[..], &rotated].concat());
    let mut packed = 0;
    let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap());
    for entry in names.filter(|entry| entry.file_name().to_string_lossy().starts_with("dais.log")) {
        assert!(entry.metadata().unwrap().len() <= 4096, "{entry:?}");
        packed += u32::from(entry.file_name().to_string_lossy().ends_with(".gz"));
    }
    assert_eq!(packed, 3);
    let found = json(dais(place.path()).args(["logs", "dais.log", "--json"]));
    assert_eq!(found["unreadable"], 0, "{found:#}");
    assert!(found["lines"].as_u64().unwrap() > 60, "{found:#}");
    assert_eq!(found["files"].as_array().map_or(found["files"].as_u64(), |files| Some(files.len() as u64)), Some(4));
}
