//! A server that is gone in the middle of a run.

use std::time::Duration;

use tempfile::TempDir;

use super::postgres::url;
use super::postgres_process::PostgresProcess;
use super::{LONG, WHAT, begun, public};
use crate::{dais, json, text};

#[test]
fn a_run_waits_for_a_server_that_is_restarted_and_its_ledger_has_no_gap() {
    let mut server = PostgresProcess::begin();
    let folder = TempDir::new().unwrap();
    let place = folder.path();
    let url = url(&server, "run_7");
    let mut child = begun(place, &url, &["--json", "--ledger-retry-attempts", "20"]);
    server.stop();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(child.try_wait().unwrap(), None, "the server was stopped in the middle of the run");
    server.start();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let in_a_file = TempDir::new().unwrap();
    let expected = json(dais(in_a_file.path()).args(LONG).args(WHAT).arg("--json"));
    assert_eq!(summary["ledger"], expected["ledger"]);
    // No gap, no entry twice: every entry, hash and head is checked.
    let found = json(dais(place).args(["verify", "r", "--json", "--ledger", &url]));
    assert_eq!((found["ok"].as_bool(), found["summary"]["same"].as_bool()), (Some(true), Some(true)));
}

#[test]
fn a_server_that_stays_away_ends_the_run_and_its_readers() {
    let mut server = PostgresProcess::begin();
    let folder = TempDir::new().unwrap();
    let url = url(&server, "run_7");
    let soon = ["--ledger-retry-attempts", "2", "--ledger-retry-delay", "0.01"];
    let child = begun(folder.path(), &url, &soon);
    server.stop();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in [&public(&url), "not available, tried 3 times", "another `schema=`", "--ledger-retry-attempts"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing unfinished is left");
    for command in [["verify", &url].as_slice(), &["ledger", "verify", &url], &["explain", &url, "1.2.3.4"]] {
        let output = dais(folder.path()).args(command).args(soon).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "it was not found to be damaged: {}", text(&output.stderr));
    }
    // What was stored until then holds.
    server.start();
    let found = json(dais(folder.path()).args(["ledger", "verify", &url, "--json"]));
    assert!(found["ok"] == true && found["entries"].as_u64() > Some(0), "{found}");
}
