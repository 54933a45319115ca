//! `dais ledger backup`, `restore` and `check-backup`.

use std::fs;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use dais_ledger::{Durability, Ledger, SqliteStorage, verify};
use serde_json::Value;
use tempfile::TempDir;

use crate::ledger::{a_ledger, key, outcome, votes};
use crate::verify::a_run;
use crate::{dais, json, printed, refusal, text};

/// A folder with a closed ledger `l.db` of 95 entries in it.
fn place() -> TempDir {
    let folder = TempDir::new().unwrap();
    a_ledger(&folder.path().join("l.db"), 95).into_storage().close().unwrap();
    folder
}

fn backup(folder: &Path, flags: &[&str]) -> Value {
    json(dais(folder).args(["ledger", "backup", "l.db", "--to", "b", "--json"]).args(flags))
}

fn check(folder: &Path, flags: &[&str]) -> (Option<i32>, Value) {
    outcome(dais(folder).args(["ledger", "check-backup", "b", "--json"]).args(flags))
}

fn packed(made: &Value) -> PathBuf {
    PathBuf::from(made["backup"].as_str().unwrap())
}

#[test]
fn the_backup_of_a_run_is_checked_and_restored_to_the_same_ledger() {
    let folder = a_run();
    let said = printed(dais(folder.path()).args(["ledger", "backup", "r", "--to", "b"]));
    assert!(said.starts_with("b/dais-run-") && said.contains("verified"), "{said}");
    let said = printed(dais(folder.path()).args(["ledger", "check-backup", "b", "--max-age-hours", "1"]));
    assert!(said.contains("verified") && said.contains("0 hours ago"), "{said}");
    fs::create_dir(folder.path().join("again")).unwrap();
    let said = printed(dais(folder.path()).args(["ledger", "restore", "b", "--to", "again"]));
    assert!(said.starts_with("again/ledger.db, from b/dais-run-"), "{said}");
    for name in ["summary.json", "checkpoint"] {
        fs::copy(folder.path().join("r").join(name), folder.path().join("again").join(name)).unwrap();
    }
    let said = printed(dais(folder.path()).args(["verify", "again"]));
    assert!(said.contains("those of summary.json") && said.contains("cosigned by 7 of 7"), "{said}");
}

#[test]
fn a_backup_while_another_process_appends_is_whole() {
    let folder = TempDir::new().unwrap();
    let mut ledger = a_ledger(&folder.path().join("l.db"), 3_000);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dais"));
    command.args(["ledger", "backup", "l.db", "--to", "b", "--json"]).current_dir(folder.path());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        ledger.append_batch(&votes(10)).unwrap();
    }
    let made: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let saved = made["manifest"]["size"].as_u64().unwrap();
    assert!((3_000..=ledger.head().head.size).contains(&saved));
    assert_eq!(made["manifest"]["root"], ledger.root_at(saved).unwrap().to_string());
    let (code, found) = check(folder.path(), &[]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &true.into()));
}

#[test]
fn a_flipped_byte_fails_the_check_and_is_not_restored() {
    let folder = place();
    let path = folder.path().join(packed(&backup(folder.path(), &[])));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = fs::read(folder.path().join("l.db")).unwrap();
    let output = dais(folder.path()).args(["ledger", "restore", "b", "--to", "l.db", "--force"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("was altered or cut"), "{}", text(&output.stderr));
    assert_eq!(fs::read(folder.path().join("l.db")).unwrap(), before);
    assert!(!folder.path().join("l.db.before-restore").exists());
    let (code, found) = check(folder.path(), &[]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("was altered"), "{found}");
}

#[test]
fn an_encrypted_backup_needs_its_identity() {
    let folder = place();
    let identity = Identity::generate();
    fs::write(folder.path().join("key.txt"), identity.to_string().expose_secret()).unwrap();
    fs::write(folder.path().join("other.txt"), Identity::generate().to_string().expose_secret()).unwrap();
    let made = backup(folder.path(), &["--recipient", &identity.to_public().to_string()]);
    assert!(packed(&made).to_str().unwrap().ends_with(".db.zst.age"));
    let (code, found) = check(folder.path(), &[]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &false.into()));
    let (code, found) = check(folder.path(), &["--identity", "key.txt"]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &true.into()));
    let restore = |flags: &[&str]| {
        let mut command = dais(folder.path());
        command.args(["ledger", "restore", "b", "--to", "r.db"]).args(flags);
        command
    };
    assert!(refusal(&mut restore(&[])).contains("is encrypted"));
    assert!(refusal(&mut restore(&["--identity", "other.txt"])).contains("cannot be decrypted"));
    assert!(refusal(&mut restore(&["--identity", "l.db"])).contains("l.db: this is no identity file"));
    printed(&mut restore(&["--identity", "key.txt"]));
    let storage = SqliteStorage::open_read_only(folder.path().join("r.db")).unwrap();
    assert_eq!(verify(&storage, &key().verifier()).unwrap().entries, 95);
    assert!(
        refusal(dais(folder.path()).args(["ledger", "backup", "l.db", "--to", "b", "--recipient", "age1x"]))
            .contains("age1x")
    );
}

#[test]
fn the_newest_are_kept() {
    let folder = place();
    let made: Vec<Value> = (0..4).map(|_| backup(folder.path(), &["--keep", "2"])).collect();
    let there: Vec<bool> = made.iter().map(|made| folder.path().join(packed(made)).exists()).collect();
    assert_eq!(there, [false, false, true, true]);
    assert_eq!(fs::read_dir(folder.path().join("b")).unwrap().count(), 4);
    assert_eq!(made[3]["removed"], Value::from(vec![made[1]["backup"].clone()]));
    let output = dais(folder.path()).args(["ledger", "backup", "l.db", "--to", "b", "--keep", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_point_in_time_is_restored_and_named() {
    let folder = place();
    backup(folder.path(), &[]);
    let said = printed(dais(folder.path()).args(["ledger", "restore", "b", "--to", "r.db", "--until", "37"]));
    assert!(said.contains("the last head of at most 37 entries has 30, of 95 saved"), "{said}");
    let whole = Ledger::open(SqliteStorage::open_read_only(folder.path().join("l.db")).unwrap()).unwrap();
    let cut = SqliteStorage::open(folder.path().join("r.db"), Durability::Normal).unwrap();
    let cut = Ledger::resume(cut, key()).unwrap();
    assert_eq!((cut.head().head.size, cut.head().head.root), (30, whole.root_at(30).unwrap()));
}

#[test]
fn a_file_that_is_there_is_replaced_by_force_only_and_kept() {
    let folder = place();
    backup(folder.path(), &[]);
    let restore = |flags: &[&str]| {
        let mut command = dais(folder.path());
        command.args(["ledger", "restore", "b", "--to", "l.db"]).args(flags);
        command
    };
    let refused = refusal(&mut restore(&[]));
    assert!(refused.contains("--force") && refused.contains("exists already"), "{refused}");
    let open = SqliteStorage::open(folder.path().join("l.db"), Durability::Normal).unwrap();
    assert!(refusal(&mut restore(&["--force"])).contains("in use"));
    drop(open);
    let said = printed(&mut restore(&["--force", "--until", "50"]));
    assert!(said.contains("l.db.before-restore"), "{said}");
    let size = |name: &str| {
        Ledger::open(SqliteStorage::open_read_only(folder.path().join(name)).unwrap()).unwrap().head().head.size
    };
    assert_eq!((size("l.db"), size("l.db.before-restore")), (50, 95));
}

#[test]
fn an_old_backup_and_a_folder_without_one_fail_the_check() {
    let folder = place();
    fs::create_dir(folder.path().join("b")).unwrap();
    let (code, found) = check(folder.path(), &[]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("no backup"), "{found}");
    assert!(refusal(dais(folder.path()).args(["ledger", "check-backup", "elsewhere"])).contains("elsewhere"));
    let made = backup(folder.path(), &[]);
    assert_eq!(check(folder.path(), &["--max-age-hours", "1"]).0, Some(0));
    let manifest = folder.path().join(made["backup"].as_str().unwrap().to_owned() + ".json");
    let mut aged: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    aged["created"] = "2024-02-29T12:00:00.000Z".into();
    fs::write(&manifest, aged.to_string()).unwrap();
    assert_eq!(check(folder.path(), &[]).0, Some(0));
    let (code, found) = check(folder.path(), &["--max-age-hours", "24"]);
    assert_eq!((code, &found["ok"], &found["too_old"]), (Some(1), &false.into(), &true.into()));
    let another = serde_json::to_value(dais_ledger::HeadKey::from_seed([1; 32]).verifier()).unwrap();
    let (code, found) = check(folder.path(), &["--public-key", another.as_str().unwrap()]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("expected"), "{found}");
}
