//! What is good in a damaged log is carried into a new one, and the damaged file stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use dais_ledger::{
    Damage, Durability, Head, HeadKey, Known, Ledger, LedgerError, MemoryStorage, SalvageError, Salvaged, SignedHead,
    SqliteStorage, Storage, StorageError, salvage,
};
use rand::RngExt;
use rand_philox::Philox;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{all_entries, entries, filled, key, origin};

const COUNT: u32 = 1_000;
const BATCH: u64 = 50;

fn damaged_file(damage: impl FnOnce(&Path)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let storage = SqliteStorage::create(&path, Durability::Normal).unwrap();
    filled(storage, COUNT, BATCH as usize).into_storage().close().unwrap();
    damage(&path);
    (folder, path)
}

fn by_sql(sql: &str) -> (TempDir, PathBuf) {
    damaged_file(|path| {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
    })
}

/// Salvages a file into memory and checks that what came out is a beginning of what went in, under the same seals.
fn salvaged(path: &Path, heads: &[SignedHead]) -> Result<(Salvaged, Ledger<MemoryStorage>), SalvageError> {
    let before = fs::read(path).unwrap();
    let verifier = key().verifier();
    let name = origin();
    let known = Known { verifier: &verifier, origin: (!heads.is_empty()).then_some(&name), heads };
    let mut into = MemoryStorage::new();
    let result = salvage(&SqliteStorage::open_damaged(path).unwrap(), &mut into, &known);
    assert!(fs::read(path).unwrap() == before, "the damaged file was changed");
    let saved = result?;
    let ledger = Ledger::resume(into, key()).unwrap();
    let verified = ledger.verify(&verifier).unwrap();
    assert_eq!((verified.entries, verified.heads, verified.head), (saved.entries, saved.heads, saved.head));
    assert_eq!(all_entries(&ledger).unwrap(), entries(COUNT)[..saved.entries as usize]);
    Ok((saved, ledger))
}

#[test]
fn a_whole_log_is_copied_whole() {
    let (_folder, path) = damaged_file(|_| ());
    let (saved, ledger) = salvaged(&path, &[]).unwrap();
    assert_eq!((saved.entries, saved.heads, saved.lost), (1_000, 21, None));
    assert_eq!(*ledger.head(), *filled(MemoryStorage::new(), COUNT, BATCH as usize).head());
}

#[test]
fn a_bad_entry_costs_its_batch_and_what_follows_and_writing_goes_on_in_the_new_log() {
    let (folder, path) = by_sql("UPDATE entries SET bytes = zeroblob(30) WHERE idx = 777");
    let (saved, _) = salvaged(&path, &[]).unwrap();
    let lost = saved.lost.unwrap();
    assert!(matches!(lost.damage, Damage::EntryAltered { index: 777, .. }), "{}", lost.damage);
    assert_eq!((saved.entries, saved.heads, lost.entries, lost.heads), (750, 16, Some(250), 5));

    let verifier = key().verifier();
    let new = folder.path().join("salvaged.db");
    let mut into = SqliteStorage::create(&new, Durability::Full).unwrap();
    let known = Known { verifier: &verifier, origin: None, heads: &[] };
    let again = salvage(&SqliteStorage::open_damaged(&path).unwrap(), &mut into, &known).unwrap();
    assert_eq!(again.entries, 750);
    let mut ledger = Ledger::resume(into, key()).unwrap();
    ledger.append_batch(&entries(COUNT)[750..]).unwrap();
    assert_eq!(ledger.verify(&verifier).unwrap().entries, 1_000);
    assert_eq!(*ledger.head(), *filled(MemoryStorage::new(), COUNT, 9).head());
    let mut storage = ledger.into_storage();
    let from = SqliteStorage::open_damaged(&path).unwrap();
    let refused = salvage(&from, &mut storage, &known).unwrap_err();
    assert_eq!(refused, SalvageError::Into(StorageError::AlreadyCreated));
}

#[test]
fn missing_replaced_and_unsealed_entries_cut_the_log_back_to_a_sealed_head() {
    for (sql, entries, first) in [
        ("DELETE FROM entries WHERE idx = 333", 300, Some(333)),
        (
            "UPDATE entries SET (leaf, bytes) = (SELECT leaf, bytes FROM entries WHERE idx = 3) WHERE idx = 444",
            400,
            Some(400),
        ),
        ("INSERT INTO entries SELECT idx + 1000, leaf, bytes FROM entries WHERE idx < 7", 1_000, Some(1_000)),
        ("UPDATE heads SET seal = zeroblob(64) WHERE size = 1000", 950, None),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 0", 0, Some(0)),
    ] {
        let (_folder, path) = by_sql(sql);
        let (saved, _) = salvaged(&path, &[]).unwrap();
        assert_eq!(saved.entries, entries, "{sql}");
        assert_eq!(saved.lost.unwrap().damage.first_index(), first, "{sql}");
    }
}

#[test]
fn a_bad_head_costs_no_entry_when_a_later_head_is_good() {
    for sql in [
        "UPDATE heads SET seal = zeroblob(64) WHERE size IN (100, 500)",
        "UPDATE heads SET root = zeroblob(32) WHERE size IN (100, 500)",
        "UPDATE heads SET root = x'00' WHERE size IN (100, 500)",
        "UPDATE heads SET size = size + 1 WHERE size IN (100, 500)",
    ] {
        let (_folder, path) = by_sql(sql);
        let (saved, ledger) = salvaged(&path, &[]).unwrap();
        assert_eq!((saved.entries, saved.heads), (1_000, 19), "{sql}");
        assert_eq!(saved.lost.unwrap().entries, Some(0), "{sql}");
        assert_eq!(*ledger.head(), *filled(MemoryStorage::new(), COUNT, 1).head());
    }
}

#[test]
fn heads_kept_elsewhere_stand_in_for_lost_ones() {
    let whole = filled(MemoryStorage::new(), COUNT, BATCH as usize);
    let empty = key().seal(&origin(), Head::empty());
    let (_folder, path) = by_sql("DELETE FROM heads; DELETE FROM identity");
    let nothing = salvaged(&path, &[]).unwrap_err();
    assert_eq!(nothing, SalvageError::Nothing(Damage::Headless { what: "identity" }));
    let (saved, _) = salvaged(&path, &[*whole.head(), empty]).unwrap();
    assert_eq!((saved.entries, saved.heads), (1_000, 2));

    let (_folder, path) = by_sql("DELETE FROM heads WHERE size = 0");
    let nothing = salvaged(&path, &[]).unwrap_err();
    assert_eq!(nothing, SalvageError::Nothing(Damage::Headless { what: "head of the empty log" }));
    let (saved, _) = salvaged(&path, &[empty, empty, *whole.head()]).unwrap();
    assert_eq!((saved.entries, saved.heads), (1_000, 21));
}

#[test]
fn nothing_is_taken_from_a_log_of_another_key() {
    let (_folder, path) = damaged_file(|_| ());
    let foreign = HeadKey::from_seed([8; 32]).verifier();
    let from = SqliteStorage::open_damaged(&path).unwrap();
    let name = origin();
    for origin in [None, Some(&name)] {
        let mut into = MemoryStorage::new();
        let known = Known { verifier: &foreign, origin, heads: &[] };
        assert!(matches!(salvage(&from, &mut into, &known), Err(SalvageError::Nothing(_))));
        assert_eq!(into.identity(), Ok(None));
    }
}

#[test]
fn a_malformed_file_is_read_as_far_as_it_can_be() {
    let (_folder, path) = damaged_file(|_| ());
    let good = fs::read(&path).unwrap();
    let heads = [*filled(MemoryStorage::new(), COUNT, 10).head(), key().seal(&origin(), Head::empty())];
    let mut random = Philox::from_u64_seed_stream(4, 0);
    let (mut malformed, mut partly) = (0, 0);
    // The first page holds the tables' definitions: without it there is nothing to ask SQLite for.
    for page in 1..good.len() / 8_192 {
        let mut bad = good.clone();
        random.fill(&mut bad[page * 8_192..(page + 1) * 8_192]);
        fs::write(&path, &bad).unwrap();
        malformed += u32::from(SqliteStorage::open_damaged(&path).unwrap().check_structure().is_err());
        let (saved, _) = salvaged(&path, &heads).unwrap();
        partly += u32::from((1..1_000).contains(&saved.entries));
    }
    println!("{malformed} files malformed, {partly} partly saved");
    assert!(malformed > 15 && partly > 10, "{malformed} malformed, {partly} partly saved");
}

#[test]
fn a_cut_file_gives_its_beginning() {
    let (_folder, path) = damaged_file(|_| ());
    let good = fs::read(&path).unwrap();
    let mut most = 0;
    for cut in (8_192..good.len()).step_by(8_192 * 2 + 999) {
        fs::write(&path, &good[..cut]).unwrap();
        if let Ok((saved, _)) = salvaged(&path, &[]) {
            assert!(saved.lost.is_some());
            most = most.max(saved.entries);
        }
    }
    assert!(most >= 500, "at most {most} entries were saved");
}

type Read = fn(&Ledger<SqliteStorage>) -> bool;

#[test]
fn damage_met_in_reading_closes_the_ledger_for_writing() {
    let (_folder, path) = by_sql("UPDATE entries SET bytes = zeroblob(30) WHERE idx = 4");
    let meets: [Read; 3] = [
        |ledger| ledger.entry(4).is_ok(),
        |ledger| ledger.entries_since(0).all(|read| read.is_ok()),
        |ledger| ledger.verify(&key().verifier()).is_ok(),
    ];
    for read in meets {
        let mut ledger = Ledger::resume(SqliteStorage::open(&path, Durability::Normal).unwrap(), key()).unwrap();
        assert!(ledger.verify(&HeadKey::from_seed([1; 32]).verifier()).is_err());
        assert_eq!(ledger.closed_by(), None, "another key is no damage");
        assert!(!read(&ledger));
        let cause = ledger.closed_by().unwrap().clone();
        assert!(matches!(cause, LedgerError::Damaged(Damage::EntryAltered { index: 4, .. })), "{cause}");
        assert_eq!(ledger.append_batch(&entries(1)), Err(LedgerError::Closed { cause: Box::new(cause) }));
        assert_eq!(ledger.entry(5).unwrap(), entries(6)[5]);
        ledger.prove_inclusion(5, 1_000).unwrap();
    }
}

#[test]
fn damage_met_in_appending_closes_the_ledger_for_writing() {
    let (_folder, path) = damaged_file(|_| ());
    let mut ledger = Ledger::resume(SqliteStorage::open(&path, Durability::Normal).unwrap(), key()).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("INSERT INTO heads SELECT 1003, root, seal FROM heads WHERE size = 1000").unwrap();
    let met = ledger.append_batch(&entries(3)).unwrap_err();
    assert!(ledger.closed_by().is_some(), "{met}");
    let refused = ledger.append_batch(&entries(3)).unwrap_err();
    assert!(matches!(refused, LedgerError::Closed { .. }), "{refused}");
    assert_eq!(all_entries(&ledger).unwrap(), entries(COUNT));
}
