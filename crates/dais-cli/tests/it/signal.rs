//! Ctrl-C.
#![cfg(unix)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A run that takes minutes if nobody stops it, seen to have begun.
fn long_run(folder: &Path, agents: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.args(["run", "--agents", agents, "--steps", "100000", "--seed", "1", "--out", "x", "--json"]);
    command.args(["--set", "traffic.synthetic.campaigns={listed: []}"]);
    let child = command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ledger = folder.join(format!("x.unfinished-{}", child.id())).join("ledger.db-wal");
    while std::fs::metadata(&ledger).map_or(0, |file| file.len()) < 20_000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_interrupted_run_writes_a_partial_report_and_says_so() {
    let place = tempfile::tempdir().unwrap();
    let child = long_run(place.path(), "8");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("stopped before its end"), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["interrupted"], true);
    assert!(summary["steps"].as_u64() < summary["steps_planned"].as_u64());
    for name in ["summary.json", "report.html", "ledger.db", "checkpoint", "scenario.yaml"] {
        assert!(place.path().join("x").join(name).exists(), "{name}");
    }
    let verified = Command::new(env!("CARGO_BIN_EXE_dais")).args(["verify", "x"]).current_dir(place.path()).output();
    let screen = String::from_utf8(verified.unwrap().stdout).unwrap();
    assert!(screen.contains("cosigned by 7 of 7 witnesses"), "{screen}");
}

/// The first interrupt lets the step end, so the run may be over before the second comes: steps are long here, and a
/// run that was faster all the same is tried again.
#[test]
fn a_second_interrupt_ends_at_once_and_leaves_nothing() {
    for _ in 0..5 {
        let place = tempfile::tempdir().unwrap();
        let mut child = long_run(place.path(), "200");
        interrupt(&child);
        // Something is said once the first one is heard.
        let mut first = [0_u8; 10];
        child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
        interrupt(&child);
        let code = child.wait().unwrap().code();
        if code == Some(130) {
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
            return;
        }
        assert_eq!(code, Some(0));
    }
    panic!("five runs were over before the second interrupt");
}
