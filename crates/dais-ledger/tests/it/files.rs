//! The SQLite file from creation to crash.

use std::fs;
use std::path::Path;

use dais_ledger::{Damage, Durability, HeadKey, Ledger, LedgerError, Origin, SqliteStorage, StorageError};
use rusqlite::Connection;

use super::{all_entries, entries, filled, key};

fn ledger_at(path: &Path, count: u32) -> Ledger<SqliteStorage> {
    filled(SqliteStorage::create(path, Durability::Normal).unwrap(), count, 50)
}

#[test]
fn an_existing_file_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(&path, "precious").unwrap();
    let refused = SqliteStorage::create(&path, Durability::Normal).unwrap_err();
    assert_eq!(refused, StorageError::Exists { path: path.clone() });
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/ledger.db");
    let refused = SqliteStorage::create(&path, Durability::Normal).unwrap_err();
    assert!(matches!(&refused, StorageError::CannotOpen { path: named, .. } if *named == path), "{refused}");
    assert_eq!(SqliteStorage::open_read_only(&path).unwrap_err(), StorageError::NotFound { path });
    let refused = SqliteStorage::open(folder.path(), Durability::Normal).unwrap_err();
    assert!(matches!(refused, StorageError::CannotOpen { .. }), "{refused}");
}

#[test]
fn other_files_are_not_taken_for_ledgers_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("other.db");
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "flow,label\n".repeat(200)).unwrap();
    let nothing = folder.path().join("nothing");
    fs::write(&nothing, "").unwrap();
    for path in [database, text, nothing] {
        let before = fs::read(&path).unwrap();
        let refused = SqliteStorage::open(&path, Durability::Normal).unwrap_err();
        assert!(matches!(refused, StorageError::NotALedger { .. }), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_file_of_a_later_version_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    ledger_at(&path, 5);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let refused = SqliteStorage::open(&path, Durability::Normal).unwrap_err();
    assert_eq!(refused, StorageError::NewerFormat { path, found: 9, supported: 1 });
}

#[test]
fn a_trigger_or_another_table_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    ledger_at(&path, 5);
    let trigger = "CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE idx = 0; END";
    Connection::open(&path).unwrap().execute_batch(trigger).unwrap();
    assert!(matches!(SqliteStorage::open_read_only(&path), Err(StorageError::Corrupt { .. })));
}

#[test]
fn a_file_opened_for_reading_refuses_to_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    ledger_at(&path, 120);
    let mut ledger = Ledger::resume(SqliteStorage::open_read_only(&path).unwrap(), key()).unwrap();
    let before = *ledger.head();
    assert_eq!(ledger.append_batch(&entries(1)), Err(StorageError::ReadOnly.into()));
    assert_eq!(*ledger.head(), before);
    assert_eq!(all_entries(&ledger).unwrap(), entries(120));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 120);
}

#[test]
fn what_was_appended_before_a_crash_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger_at(&path, 230);
    let image = folder.path().join("image");
    fs::create_dir(&image).unwrap();
    // What the disk holds at this moment, with the writer still alive, is what a killed process leaves behind.
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(folder.path().join(name), image.join(name)).unwrap();
    }
    assert!(fs::metadata(image.join("ledger.db-wal")).unwrap().len() > 0);
    let survivor = SqliteStorage::open(image.join("ledger.db"), Durability::Normal).unwrap();
    let mut survivor = Ledger::resume(survivor, key()).unwrap();
    assert_eq!(survivor.head(), ledger.head());
    assert_eq!(all_entries(&survivor).unwrap(), entries(230));
    assert_eq!(survivor.append_batch(&entries(9)), Ok(230..239));
    assert_eq!(survivor.verify(&key().verifier()).unwrap().entries, 239);
}

#[test]
fn a_torn_batch_leaves_the_log_at_an_earlier_head() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger_at(&folder.path().join("ledger.db"), 200);
    let wal = fs::read(folder.path().join("ledger.db-wal")).unwrap();
    let image = folder.path().join("image.db");
    let mut sizes = std::collections::BTreeSet::new();
    for cut in (0..=wal.len()).step_by(wal.len() / 40) {
        fs::copy(folder.path().join("ledger.db"), &image).unwrap();
        fs::write(folder.path().join("image.db-wal"), &wal[..cut]).unwrap();
        let opened = SqliteStorage::open(&image, Durability::Normal).map_err(LedgerError::from).and_then(Ledger::open);
        match opened {
            Ok(survivor) => {
                let size = survivor.head().head.size;
                assert_eq!(size % 50, 0);
                assert_eq!(survivor.verify(&key().verifier()).unwrap().entries, size);
                assert_eq!(survivor.head().head.root, ledger.root_at(size).unwrap());
                sizes.insert(size);
            }
            Err(LedgerError::NotCreated | LedgerError::Storage(StorageError::NotALedger { .. })) => (),
            Err(other) => panic!("cut at {cut}: {other}"),
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("image.db{suffix}")));
        }
    }
    assert!(sizes.len() >= 4, "{sizes:?}");
}

#[test]
fn a_second_writer_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut first = ledger_at(&path, 50);
    let second = SqliteStorage::open(&path, Durability::Normal).unwrap();
    let mut second = Ledger::resume(second, key()).unwrap();
    second.append_batch(&entries(10)).unwrap();
    let refused = first.append_batch(&entries(3));
    assert_eq!(refused, Err(StorageError::Conflict { expected: 50, found: 60 }.into()));
    assert_eq!(second.verify(&key().verifier()).unwrap().entries, 60);
}

#[test]
fn a_log_cut_back_under_a_reader_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger_at(&path, 200);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("DELETE FROM entries WHERE idx >= 150; DELETE FROM heads WHERE size > 150").unwrap();
    assert_eq!(ledger.verify(&key().verifier()), Err(Damage::EntryMissing { index: 150 }));
}

#[test]
fn a_log_sealed_anew_by_another_key_is_not_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let forged = SqliteStorage::create(&path, Durability::Normal).unwrap();
    let forger = HeadKey::from_seed([66; 32]);
    let mut forged = Ledger::create(forged, Origin::new("dais/test").unwrap(), forger).unwrap();
    forged.append_batch(&entries(5)).unwrap();
    assert!(matches!(forged.verify(&key().verifier()), Err(Damage::ForeignKey { .. })));
}

#[test]
fn closing_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    ledger_at(&folder.path().join("ledger.db"), 60).into_storage().close().unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["ledger.db"]);
}

#[test]
fn a_reader_beside_a_writer_always_finds_a_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut writer = ledger_at(&path, 50);
    let checks = std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for _ in 0..300 {
                writer.append_batch(&entries(20)).unwrap();
            }
        });
        let mut checks = 0;
        while !writing.is_finished() {
            let reader = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
            assert!(reader.verify(&key().verifier()).unwrap().entries >= reader.head().head.size);
            checks += 1;
        }
        checks
    });
    assert!(checks > 0);
    let reader = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    assert_eq!(reader.verify(&key().verifier()).unwrap().entries, 6_050);
}
