//! Witnesses of a run: the cosigned checkpoint, and the proof against a two-faced coordinator.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::verify::a_run;
use crate::{SMALL, dais, json, printed, text};

/// The code, screen and JSON of `dais verify r`.
fn verified(folder: &Path) -> (Option<i32>, String, Value) {
    let screen = dais(folder).args(["verify", "r"]).output().unwrap();
    let object = dais(folder).args(["verify", "r", "--json"]).output().unwrap();
    assert_eq!(screen.status.code(), object.status.code());
    (screen.status.code(), text(&screen.stdout), serde_json::from_slice(&object.stdout).expect("one JSON object"))
}

/// A run in the folder `r` whose coordinator shows two histories.
fn a_two_faced_run(seed: &str) -> (TempDir, Value) {
    let folder = TempDir::new().unwrap();
    let mut command = dais(folder.path());
    command.args(SMALL).args(["--seed", seed, "--worlds", "collaborative", "--out", "r", "--json"]);
    let lies = ["--set", "exchange.two_faced_from=1", "--set", "exchange.witness_steps=2"];
    let summary = json(command.args(lies));
    (folder, summary)
}

#[test]
fn a_two_faced_coordinator_is_named_with_the_proof() {
    let (folder, summary) = a_two_faced_run("7");
    assert_eq!((&summary["ledger"]["cosigned"], &summary["ledger"]["split_views"]), (&0.into(), &1.into()));
    let (code, screen, found) = verified(folder.path());
    assert_eq!(code, Some(1), "{screen}");
    let split = &found["split_view"];
    assert_eq!((&split["proven"], &found["audit"]["origin"]), (&true.into(), &split["origin"]));
    assert!(split["roots"].as_array().unwrap().contains(&split["here"]), "{split}");
    for part in [
        "The coordinator showed two histories.",
        "author  dais/run/",
        split["key"].as_str().unwrap(),
        split["roots"][0].as_str().unwrap(),
        split["roots"][1].as_str().unwrap(),
        "which is in this ledger",
        "r/ledger.db.split-view",
        "0 of 7 witnesses",
        "checked in",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let mut again = dais(folder.path());
    let flags = ["--seed", "7", "--worlds", "collaborative", "--out", "r", "--force", "--quiet"];
    printed(again.args(SMALL).args(flags));
    assert!(!folder.path().join("r/ledger.db.split-view").exists(), "an honest run took its place");
}

#[test]
fn a_proof_about_another_log_and_slander_prove_nothing() {
    let folder = a_run();
    let (other, _) = a_two_faced_run("8");
    let place = folder.path().join("r/ledger.db.split-view");
    fs::copy(other.path().join("r/ledger.db.split-view"), &place).unwrap();
    let (code, screen, found) = verified(folder.path());
    assert_eq!((code, &found["split_view"]["proven"]), (Some(0), &false.into()), "{screen}");
    assert!(screen.contains("it proves nothing against this log"), "{screen}");
    fs::write(&place, "they cheat!").unwrap();
    let (code, screen, found) = verified(folder.path());
    assert_eq!((code, &found["split_view"]["proven"]), (Some(0), &false.into()), "{screen}");
    assert!(screen.contains("proves nothing: "), "{screen}");
}

#[test]
fn missing_and_changed_cosignatures_are_named() {
    let folder = a_run();
    let place = folder.path().join("r/checkpoint");
    let whole = fs::read_to_string(&place).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let name = |line: &str| line.split(' ').nth(1).unwrap().to_owned();

    fs::write(&place, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let (code, screen, found) = verified(folder.path());
    let last = name(lines[lines.len() - 1]);
    assert_eq!((code, &found["witnesses"]["missing"][0]), (Some(0), &last.as_str().into()));
    assert!(screen.contains("6 of 7 witnesses") && screen.contains(&format!("missing: {last}")), "{screen}");

    fs::write(&place, lines[..lines.len() - 4].join("\n") + "\n").unwrap();
    let (code, screen, _) = verified(folder.path());
    assert_eq!(code, Some(1));
    assert!(screen.contains("3 of 7 witnesses cosigned the head, needed are 4"), "{screen}");

    // The last characters of a line belong to the signature.
    let at = lines[6].len() - 20;
    let bent = if lines[6].as_bytes()[at] == b'A' { 'B' } else { 'A' };
    let bent = format!("{}{bent}{}", &lines[6][..at], &lines[6][at + 1..]);
    fs::write(&place, whole.replacen(lines[6], &bent, 1)).unwrap();
    let (code, screen, found) = verified(folder.path());
    assert_eq!((code, &found["witnesses"]["invalid"][0]), (Some(1), &name(lines[6]).as_str().into()));
    assert!(screen.contains("does not hold: the checkpoint was changed"), "{screen}");

    fs::remove_file(&place).unwrap();
    let (code, screen, found) = verified(folder.path());
    assert_eq!((code, &found["fault"], &found["witnesses"]["ok"]), (Some(1), &Value::Null, &false.into()));
    assert!(screen.contains("names 7 witnesses, and there is no checkpoint"), "{screen}");

    // A ledger alone has nothing to be missed.
    fs::rename(folder.path().join("r/ledger.db"), folder.path().join("alone.db")).unwrap();
    let screen = printed(dais(folder.path()).args(["verify", "alone.db"]));
    assert!(screen.contains("witnesses named in it: 7; no checkpoint of theirs"), "{screen}");
}

#[test]
fn a_run_without_witnesses_verifies_and_says_so() {
    let folder = TempDir::new().unwrap();
    let mut command = dais(folder.path());
    command.args(SMALL).args(["--seed", "7", "--worlds", "collaborative", "--out", "r", "--quiet"]);
    printed(command.args(["--set", "exchange.witnesses=0"]));
    assert!(!folder.path().join("r/checkpoint").exists());
    let (code, screen, _) = verified(folder.path());
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("made without witnesses"), "{screen}");
}
