//! `dais verify` on a run, on damaged copies of it, and on forgeries.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use dais_ledger::{Durability, Entry, HeadKey, Kind, Ledger, SqliteStorage, Storage};
use dais_protocol::{Decision, Outcome};
use serde_json::Value;
use tempfile::TempDir;

use crate::{SMALL, dais, printed, refusal, text};

/// A run in the folder `r`.
pub(crate) fn a_run() -> TempDir {
    let folder = TempDir::new().unwrap();
    let arguments = ["--seed", "7", "--worlds", "collaborative", "--out", "r", "--quiet"];
    printed(dais(folder.path()).args(SMALL).args(arguments));
    folder
}

/// Settings under which few agents share and block quickly: votes alone decide, and one sighting suffices.
pub(crate) const QUICK: [&str; 6] =
    ["--set", "policy.burst=null", "--set", "exchange.sighters_min=1", "--set", "exchange.sighters_share=0"];

/// A small run in which addresses come to be blocked.
pub(crate) fn a_run_that_blocks() -> TempDir {
    let folder = TempDir::new().unwrap();
    let arguments = ["--seed", "7", "--worlds", "collaborative", "--out", "r", "--quiet"];
    printed(dais(folder.path()).args(SMALL).args(QUICK).args(arguments));
    folder
}

pub(crate) fn entries(ledger: &Path) -> Vec<Entry> {
    let storage = SqliteStorage::open_read_only(ledger).unwrap();
    let mut entries = Vec::new();
    let all = 0..storage.len().unwrap();
    storage
        .scan(all, &mut |row| {
            entries.push(Entry::decode(row.bytes).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    entries
}

/// What `dais verify --json` finds wrong.
fn finding(folder: &Path) -> Value {
    let output = dais(folder).args(["verify", "r", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let finding: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(finding["ok"], false);
    finding
}

/// Flips one bit wherever the file holds these bytes: SQLite leaves copies behind in unused parts of pages.
fn flip(ledger: &Path, bytes: &[u8], at: usize) {
    let mut file = fs::read(ledger).unwrap();
    let holds = |(place, window): (usize, &[u8])| (window == bytes).then_some(place);
    let places: Vec<usize> = file.windows(bytes.len()).enumerate().filter_map(holds).collect();
    assert!(!places.is_empty(), "the file holds these bytes");
    for place in places {
        file[place + at] ^= 1;
    }
    fs::write(ledger, file).unwrap();
}

#[test]
fn a_run_verifies_and_says_what_was_checked() {
    let folder = a_run();
    let screen = printed(dais(folder.path()).args(["verify", "r"]));
    for part in [
        "log ",
        " entries and ",
        "record ",
        "seals ",
        "decisions ",
        "recomputed from",
        "those of summary.json",
        " cosigned by 7 of 7 witnesses",
        "verified in",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let found: Value =
        serde_json::from_str(&printed(dais(folder.path()).args(["verify", "r/ledger.db", "--json"]))).unwrap();
    assert_eq!((found["ok"].as_bool(), found["summary"]["same"].as_bool()), (Some(true), Some(true)));
    assert_eq!(found["witnesses"]["held"].as_array().map(Vec::len), Some(7));
    assert_eq!((&found["witnesses"]["ok"], &found["split_view"]), (&true.into(), &Value::Null));
    assert!(found["audit"]["decisions"].as_u64().unwrap() > 0, "{found}");
    assert_eq!(found["audit"]["entries"].as_object().unwrap().len(), Kind::ALL.len());
}

#[test]
fn a_flipped_bit_is_found_in_the_entry_that_holds_it() {
    let folder = a_run();
    let ledger = folder.path().join("r/ledger.db");
    let whole = fs::read(&ledger).unwrap();
    let all = entries(&ledger);
    for kind in [Kind::Vote, Kind::Seal, Kind::Outcome] {
        fs::write(&ledger, &whole).unwrap();
        let index = all.iter().position(|entry| entry.kind == kind).unwrap();
        let bytes = all[index].encode();
        flip(&ledger, &bytes, bytes.len() - 3);
        let found = finding(folder.path());
        assert_eq!(found["fault"]["entry"]["index"], index as u64, "{kind:?}: {found}");
        assert_eq!(found["fault"]["check"], "log");
    }
    fs::write(&ledger, &whole).unwrap();
    let seal = SqliteStorage::open_read_only(&ledger).unwrap().latest_head().unwrap().unwrap().seal;
    flip(&ledger, seal.as_bytes(), 5);
    let found = finding(folder.path());
    assert!(found["fault"]["message"].as_str().unwrap().contains("seal of the head"), "{found}");
}

#[test]
fn a_forged_log_is_found_though_every_hash_and_head_in_it_fits() {
    let folder = a_run();
    let ledger = folder.path().join("r/ledger.db");
    let mut all = entries(&ledger);
    let accepted = |entry: &Entry| {
        entry.kind == Kind::Outcome && Decision::decode(&entry.body).unwrap().outcome == Outcome::Accepted
    };
    let index = all.iter().position(accepted).expect("something is accepted");
    let mut decision = Decision::decode(&all[index].body).unwrap();
    decision.radius *= 0.5;
    all[index].body = decision.encode();
    forge(&ledger, &all);
    let found = finding(folder.path());
    assert_eq!(
        (&found["fault"]["check"], &found["fault"]["entry"]["index"]),
        (&"decisions".into(), &(index as u64).into())
    );
    assert_eq!(found["summary"]["same"], false);
}

#[test]
fn another_key_and_a_cut_log_are_found() {
    let folder = a_run();
    let ledger = folder.path().join("r/ledger.db");
    let all = entries(&ledger);
    forge(&ledger, &all);
    let found = finding(folder.path());
    assert_eq!(found["fault"]["check"], "key", "{found}");
    let founding = all.iter().filter(|entry| matches!(entry.kind, Kind::Genesis | Kind::Member)).count();
    forge(&ledger, &all[..founding]);
    let output = dais(folder.path()).args(["verify", "r"]).output().unwrap();
    let screen = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(screen.contains("not the one that summary.json speaks of"), "{screen}");
}

/// Replaces the ledger by one of these entries, sealed by somebody else.
fn forge(ledger: &Path, entries: &[Entry]) {
    let origin = SqliteStorage::open_read_only(ledger).unwrap().identity().unwrap().unwrap().origin;
    fs::remove_file(ledger).unwrap();
    let storage = SqliteStorage::create(ledger, Durability::Normal).unwrap();
    let mut forged = Ledger::create(storage, origin, HeadKey::from_seed([66; 32])).unwrap();
    let founds = |entry: &Entry| matches!(entry.kind, Kind::Genesis | Kind::Member);
    for batch in entries.chunk_by(|a, b| a.step == b.step && founds(a) == founds(b)) {
        forged.append_batch(batch).unwrap();
    }
    forged.into_storage().close().unwrap();
}

#[test]
fn what_is_no_run_is_wrong_input() {
    let folder = TempDir::new().unwrap();
    assert!(refusal(dais(folder.path()).args(["verify", "nowhere"])).contains("no ledger here"));
    fs::write(folder.path().join("x.db"), "not a ledger").unwrap();
    assert!(refusal(dais(folder.path()).args(["verify", "x.db"])).contains("not a dais ledger"));
}
