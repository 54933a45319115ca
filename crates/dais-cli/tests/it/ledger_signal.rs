//! Work on ledgers that is interrupted, and checks that go on until they are.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::ledger::a_ledger;
use crate::{dais, json, printed};

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.arg("ledger").args(args).current_dir(folder).env("TMPDIR", folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort_unstable();
    names
}

/// The unfinished copy of a ledger somewhere in a folder.
fn has_unfinished(folder: &Path) -> bool {
    names(folder)
        .iter()
        .any(|name| name.starts_with(".dais-unfinished-") && folder.join(name).join("ledger.db").exists())
}

/// A folder with a ledger `l.db` that takes a while to verify.
fn large() -> TempDir {
    let folder = TempDir::new().unwrap();
    a_ledger(&folder.path().join("l.db"), 20_000).into_storage().close().unwrap();
    folder
}

/// Starts work and sends it a signal once it has an unfinished copy; `None` when it was over before.
fn interrupted(folder: &Path, args: &[&str], name: &str) -> Option<ExitStatus> {
    let mut child = start(folder, args);
    while !has_unfinished(folder) {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, name);
    Some(child.wait().unwrap())
}

/// A copy is seen, and the work over before the signal comes, only on a machine that is very slow for a moment.
fn interrupt(folder: &Path, args: &[&str], name: &str) -> Option<i32> {
    for _ in 0..5 {
        match interrupted(folder, args, name) {
            Some(status) if !status.success() => return status.code(),
            _ => {}
        }
    }
    panic!("five times the work was over before {name}");
}

#[test]
fn an_interrupted_backup_and_restore_leave_nothing_behind() {
    let folder = large();
    for name in ["-INT", "-TERM"] {
        assert_eq!(interrupt(folder.path(), &["backup", "l.db", "--to", "b"], name), Some(130));
        assert!(
            !has_unfinished(folder.path()) && names(&folder.path().join("b")).iter().all(|name| !name.starts_with('.'))
        );
        fs::remove_dir_all(folder.path().join("b")).unwrap();
    }
    printed(dais(folder.path()).args(["ledger", "backup", "l.db", "--to", "b"]));
    assert_eq!(interrupt(folder.path(), &["restore", "b", "--to", "r.db"], "-TERM"), Some(130));
    assert_eq!(interrupt(folder.path(), &["check-backup", "b"], "-INT"), Some(130));
    assert_eq!(names(folder.path()), ["b", "l.db"]);
}

#[test]
fn what_a_killed_backup_left_goes_with_the_next_one_and_what_is_in_use_stays() {
    let folder = large();
    assert_eq!(interrupt(folder.path(), &["backup", "l.db", "--to", "b"], "-KILL"), None);
    assert!(has_unfinished(folder.path()), "a killed process cannot tidy up");
    assert_eq!(names(&folder.path().join("b")).len(), 1);
    // One that is stopped in the middle of its work is alive.
    let mut living = start(folder.path(), &["backup", "l.db", "--to", "c"]);
    let mine = format!(".dais-unfinished-{}-0", living.id());
    while !folder.path().join(&mine).join("ledger.db").exists() {
        assert!(living.try_wait().unwrap().is_none(), "it works for a while");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&living, "-STOP");
    let made = json(dais(folder.path()).args(["ledger", "backup", "l.db", "--to", "b", "--json"]));
    assert_eq!(names(&folder.path().join("b")).len(), 2, "{made}");
    assert_eq!(names(folder.path()), [mine, "b".to_owned(), "c".to_owned(), "l.db".to_owned()]);
    signal(&living, "-CONT");
    assert_eq!(living.wait().unwrap().code(), Some(0));
    assert_eq!(names(folder.path()), ["b", "c", "l.db"]);
}

#[test]
fn an_interrupted_import_or_salvage_leaves_no_half_ledger() {
    let folder = large();
    let exported = json(dais(folder.path()).args(["ledger", "export", "l.db", "--to", "tiles", "--json"]));
    let key = exported["key"].as_str().unwrap();
    for args in [&["salvage", "l.db", "--to", "new.db"][..], &["import", "tiles", "--key", key, "--to", "new.db"]] {
        let mut child = start(folder.path(), args);
        let log = folder.path().join("new.db-wal");
        while fs::metadata(&log).map_or(0, |log| log.len()) < 100_000 {
            assert!(child.try_wait().unwrap().is_none(), "it works for a while");
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(&child, "-TERM");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{args:?}");
        assert_eq!(names(folder.path()), ["l.db", "tiles"], "{args:?}");
        assert!(!log.exists());
    }
}

/// The next line of a check that goes on.
fn line(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
}

#[test]
fn the_newest_backup_is_checked_again_and_again() {
    let folder = TempDir::new().unwrap();
    a_ledger(&folder.path().join("l.db"), 95).into_storage().close().unwrap();
    let made = json(dais(folder.path()).args(["ledger", "backup", "l.db", "--to", "b", "--json"]));
    let packed = folder.path().join(made["backup"].as_str().unwrap());
    let every = |flags: &[&str]| {
        let mut child = start(folder.path(), &[&["check-backup", "b", "--every", "1s", "--json"], flags].concat());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    };
    let (mut child, mut lines) = every(&[]);
    for _ in 0..2 {
        let found = line(&mut lines);
        assert_eq!((&found["ok"], &found["log_verified"]), (&true.into(), &true.into()), "{found}");
        assert!(found["checked"].as_str().unwrap().ends_with('Z'));
    }
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0), "every check was good");

    let good = fs::read(&packed).unwrap();
    fs::write(&packed, &good[1..]).unwrap();
    let (mut child, mut lines) = every(&[]);
    let found = line(&mut lines);
    assert!(found["ok"] == false && found["message"].as_str().unwrap().contains("was altered"), "{found}");
    fs::write(&packed, &good).unwrap();
    while line(&mut lines)["ok"] == false {}
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(1), "one check was bad");

    fs::write(&packed, &good[1..]).unwrap();
    let output =
        dais(folder.path()).args(["ledger", "check-backup", "b", "--every", "1h", "--until-failure"]).output().unwrap();
    let said = crate::text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.lines().count() == 1 && said.contains("Z  FAILED  b/"), "{said}");
}
