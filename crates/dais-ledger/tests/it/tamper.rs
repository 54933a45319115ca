//! Damage of every sort is found and named.

use std::fs;
use std::path::Path;

use dais_ledger::{Damage, Durability, Entry, Identity, Ledger, SignedHead, SqliteStorage, Storage, StorageError};
use rusqlite::Connection;

use super::{all_entries, filled, key};

const COUNT: u32 = 200;

/// All that a reader can learn from a ledger file.
pub(crate) type Content = (Identity, Vec<SignedHead>, Vec<Entry>);

/// Verifies a file and reads all of it; `Err` says how damage showed.
pub(crate) fn examine(path: &Path) -> Result<Content, String> {
    let storage = SqliteStorage::open_read_only(path).map_err(|error| error.to_string())?;
    dais_ledger::verify(&storage, &key().verifier()).map_err(|damage| damage.to_string())?;
    let ledger = Ledger::open(storage).map_err(|error| error.to_string())?;
    let entries = all_entries(&ledger).map_err(|error| error.to_string())?;
    let mut heads: Vec<SignedHead> = Vec::new();
    while let Some(head) = ledger.storage().next_head(heads.last().map(|last| last.head.size)).unwrap() {
        heads.push(head);
    }
    Ok((ledger.storage().identity().unwrap().unwrap(), heads, entries))
}

fn closed_ledger(path: &Path) {
    let storage = SqliteStorage::create(path, Durability::Normal).unwrap();
    filled(storage, COUNT, 50).into_storage().close().unwrap();
}

/// Makes a ledger, damages it with SQL, and returns what verification says.
fn damage_by(sql: &str) -> Damage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    closed_ledger(&path);
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
    let storage = SqliteStorage::open_read_only(&path).unwrap();
    let damage = dais_ledger::verify(&storage, &key().verifier()).unwrap_err();
    assert!(!damage.to_string().is_empty());
    damage
}

#[test]
fn a_cut_file_is_found_and_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    closed_ledger(&path);
    let good = fs::read(&path).unwrap();
    for cut in (0..good.len()).step_by(997) {
        fs::write(&path, &good[..cut]).unwrap();
        assert!(examine(&path).is_err(), "cut at {cut}");
    }
}

#[test]
fn altered_bytes_show_at_their_entry() {
    let damage = damage_by("UPDATE entries SET bytes = zeroblob(30) WHERE idx = 77");
    assert!(matches!(damage, Damage::EntryAltered { index: 77, .. }), "{damage}");
    let damage = damage_by("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 78");
    assert!(matches!(damage, Damage::EntryAltered { index: 78, .. }), "{damage}");
    assert_eq!(damage.first_index(), Some(78));
}

#[test]
fn swapped_entries_show_in_their_batch() {
    let swap = "UPDATE entries SET idx = -1 WHERE idx = 60; UPDATE entries SET idx = 60 WHERE idx = 170;
                UPDATE entries SET idx = 170 WHERE idx = -1";
    let damage = damage_by(swap);
    assert!(matches!(damage, Damage::RootMismatch { first: 50, size: 100, .. }), "{damage}");
    assert_eq!(damage.first_index(), Some(50));
}

#[test]
fn a_replaced_entry_with_its_own_hash_shows_in_its_batch() {
    let damage = damage_by(
        "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE idx = 3),
                            bytes = (SELECT bytes FROM entries WHERE idx = 3) WHERE idx = 120",
    );
    assert!(matches!(damage, Damage::RootMismatch { first: 100, size: 150, .. }), "{damage}");
}

#[test]
fn bytes_that_are_no_entry_are_named() {
    let leaf = dais_ledger::leaf_hash(b"junk");
    let damage = damage_by(&format!("UPDATE entries SET leaf = x'{leaf}', bytes = x'6a756e6b' WHERE idx = 9"));
    assert!(matches!(damage, Damage::EntryMalformed { index: 9, .. }), "{damage}");
}

#[test]
fn missing_entries_are_named() {
    assert_eq!(damage_by("DELETE FROM entries WHERE idx = 33"), Damage::EntryMissing { index: 33 });
    assert_eq!(damage_by("DELETE FROM entries WHERE idx = 0"), Damage::EntryMissing { index: 0 });
    assert_eq!(damage_by("DELETE FROM entries WHERE idx >= 190"), Damage::EntryMissing { index: 190 });
    assert_eq!(damage_by("DELETE FROM entries"), Damage::EntryMissing { index: 0 });
}

#[test]
fn added_entries_are_named() {
    let damage = damage_by("INSERT INTO entries SELECT idx + 200, leaf, bytes FROM entries WHERE idx < 3");
    assert_eq!(damage, Damage::EntriesUnsealed { first: 200, last: 202 });
    let damage = damage_by("INSERT INTO entries SELECT -5, leaf, bytes FROM entries WHERE idx = 0");
    assert!(matches!(damage, Damage::Unreadable { .. }), "{damage}");
    let damage = damage_by("INSERT INTO identity SELECT 2, 'other', public_key FROM identity");
    assert!(matches!(damage, Damage::Unreadable { .. }), "{damage}");
    let far = "INSERT INTO entries SELECT 9223372036854775807, leaf, bytes FROM entries WHERE idx = 0";
    assert_eq!(damage_by(far), Damage::EntriesUnsealed { first: 200, last: i64::MAX as u64 });
}

#[test]
fn altered_heads_are_named() {
    for change in ["root = zeroblob(32)", "seal = zeroblob(64)", "size = 140"] {
        let damage = damage_by(&format!("UPDATE heads SET {change} WHERE size = 150"));
        assert!(matches!(damage, Damage::Seal(seal) if [140, 150].contains(&seal.size)), "{damage}");
        assert_eq!(damage.first_index(), None);
    }
    let damage = damage_by("DELETE FROM heads WHERE size = 0");
    assert_eq!(damage, Damage::Headless { what: "head of the empty log" });
    assert_eq!(damage_by("DELETE FROM heads"), Damage::Headless { what: "head" });
    let damage = damage_by("DELETE FROM heads WHERE size = 200");
    assert_eq!(damage, Damage::EntriesUnsealed { first: 150, last: 199 });
}

#[test]
fn an_altered_identity_is_named() {
    assert_eq!(damage_by("DELETE FROM identity"), Damage::Headless { what: "identity" });
    let damage = damage_by("UPDATE identity SET public_key = zeroblob(32)");
    assert!(matches!(damage, Damage::ForeignKey { .. }), "{damage}");
    assert!(matches!(damage_by("UPDATE identity SET origin = 'dais/best'"), Damage::Seal(_)));
    let damage = damage_by("UPDATE identity SET origin = ''");
    assert!(matches!(damage, Damage::Unreadable { source: StorageError::Corrupt { .. }, .. }), "{damage}");
}

#[test]
fn opening_a_log_whose_tree_does_not_fit_names_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    closed_ledger(&path);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 4").unwrap();
    let refused = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap_err();
    let expected =
        |error: &_| matches!(error, dais_ledger::LedgerError::Damaged(Damage::EntryAltered { index: 4, .. }));
    assert!(expected(&refused), "{refused}");
}

#[test]
fn reading_an_altered_entry_is_an_error_and_the_others_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    closed_ledger(&path);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE entries SET bytes = zeroblob(20) WHERE idx = 4").unwrap();
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    assert!(ledger.entry(4).is_err());
    assert_eq!(ledger.entry(5).unwrap(), super::entries(6)[5]);
    let read: Vec<_> = ledger.entries_since(2).collect();
    let good: Vec<u64> = read.iter().flatten().map(|(index, _)| *index).collect();
    assert_eq!(good, [2, 3]);
    assert_eq!(read.len(), 3);
    assert!(read[2].is_err());
}
