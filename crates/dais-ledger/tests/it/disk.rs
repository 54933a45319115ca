//! A disk that is full, and one that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use dais_ledger::{Durability, Entry, Kind, Ledger, LedgerError, SqliteStorage, StorageError};

use super::{all_entries, child, key, origin};

/// Runs what follows with its own view of mounted disks, which ends with it: no rights are needed, nothing is left.
const OWN_MOUNTS: [&str; 3] = ["unshare", "--map-root-user", "--mount"];

fn mount(options: &str, folder: &Path) {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder).status().unwrap();
    assert!(mounted.success(), "mount {options}");
}

fn votes(count: u32) -> Vec<Entry> {
    (0..count).map(|author| Entry { kind: Kind::Vote, step: 1, author, body: vec![5; 400] }).collect()
}

/// Runs a hidden test of this file with mounts of its own; not where the system keeps those from its users.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn with_own_mounts(test: &str) {
    let possible = Command::new(OWN_MOUNTS[0]).args(&OWN_MOUNTS[1..]).arg("true").output();
    if !possible.is_ok_and(|output| output.status.success()) {
        println!("skipped: this system gives no namespace of mounts");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = child::command(&OWN_MOUNTS, test, folder.path()).output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}{errors}");
}

#[test]
fn a_full_disk_refuses_batches_and_takes_them_when_there_is_space() {
    with_own_mounts("disk::on_a_small_disk");
}

#[test]
fn a_disk_that_cannot_be_written_is_named_and_written_again_when_it_can_be() {
    with_own_mounts("disk::on_a_read_only_disk");
}

#[test]
#[ignore = "needs a disk of its own, which another test gives it"]
fn on_a_small_disk() {
    let Some(folder) = child::folder() else { return };
    mount("size=1m", &folder);
    let path = folder.join("ledger.db");
    let storage = SqliteStorage::create(&path, Durability::Full).unwrap();
    let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
    let batch = votes(50);
    let mut acknowledged = Vec::new();
    let refused = loop {
        match ledger.append_batch(&batch) {
            Ok(_) => acknowledged.extend(batch.clone()),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 10_000, "the disk never fills");
    };
    assert_eq!(refused, LedgerError::Storage(StorageError::Full));
    assert_eq!(ledger.append_batch(&batch), Err(LedgerError::Storage(StorageError::Full)));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, acknowledged.len() as u64);
    assert_eq!(all_entries(&ledger).unwrap(), acknowledged);
    let none = folder.join("second.db");
    fs::write(folder.join("filler"), vec![1; 1 << 20]).unwrap_err();
    let refused = SqliteStorage::create(&none, Durability::Full).unwrap_err();
    assert!(matches!(refused, StorageError::Full | StorageError::Io { .. }), "{refused}");
    assert!(!none.exists());

    mount("remount,size=8m", &folder);
    for _ in 0..20 {
        ledger.append_batch(&batch).unwrap();
        acknowledged.extend(batch.clone());
    }
    ledger.into_storage().close().unwrap();
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    assert_eq!(ledger.verify(&key().verifier()).unwrap().heads, acknowledged.len() as u64 / 50 + 1);
    assert_eq!(all_entries(&ledger).unwrap(), acknowledged);
}

#[test]
#[ignore = "needs a disk of its own, which another test gives it"]
fn on_a_read_only_disk() {
    let Some(folder) = child::folder() else { return };
    mount("size=8m", &folder);
    let path = folder.join("a ledger?#%41.db");
    let storage = SqliteStorage::create(&path, Durability::Normal).unwrap();
    let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
    ledger.append_batch(&votes(50)).unwrap();
    ledger.into_storage().close().unwrap();

    mount("remount,ro", &folder);
    let refused = SqliteStorage::open(&path, Durability::Normal).unwrap_err();
    assert!(matches!(&refused, StorageError::CannotOpen { path: named, .. } if *named == path), "{refused:?}");
    let refused = SqliteStorage::create(folder.join("new.db"), Durability::Normal).unwrap_err();
    assert!(matches!(refused, StorageError::CannotOpen { .. }), "{refused:?}");
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 50);
    assert_eq!(all_entries(&ledger).unwrap(), votes(50));
    drop(ledger);

    mount("remount,rw", &folder);
    let bind = |options: &str| {
        let bound = Command::new("mount").args(["-o", options]).arg(&path).arg(&path).status().unwrap();
        assert!(bound.success(), "mount {options}");
    };
    bind("bind");
    bind("remount,bind,ro");
    let storage = SqliteStorage::open(&path, Durability::Normal).unwrap();
    let mut ledger = Ledger::resume(storage, key()).unwrap();
    assert_eq!(ledger.append_batch(&votes(9)), Err(LedgerError::Storage(StorageError::ReadOnly)));
    assert_eq!(all_entries(&ledger).unwrap(), votes(50));
    drop(ledger);

    bind("remount,bind,rw");
    let storage = SqliteStorage::open(&path, Durability::Normal).unwrap();
    let mut ledger = Ledger::resume(storage, key()).unwrap();
    assert_eq!(ledger.append_batch(&votes(9)), Ok(50..59));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 59);
}
