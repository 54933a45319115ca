//! A ledger that follows what others append.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use dais_ledger::{
    Batch, Damage, Digest, Durability, Identity, Ledger, LedgerError, MemoryStorage, RowRef, SignedHead, SqliteStorage,
    Storage, StorageError,
};
use rusqlite::Connection;

use super::{all_entries, entries, filled, key};

/// A storage that several ledgers hold, and that notes what is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    inner: Arc<Mutex<MemoryStorage>>,
    read: Arc<Mutex<Vec<Scan>>>,
}

/// What was read, rows or leaf hashes, and which.
type Scan = (&'static str, Range<u64>);

impl Watched {
    fn inner(&self) -> MutexGuard<'_, MemoryStorage> {
        self.inner.lock().unwrap()
    }

    /// The ranges of rows and of leaf hashes that were read since the last call.
    pub(crate) fn read(&self) -> Vec<Scan> {
        std::mem::take(&mut self.read.lock().unwrap())
    }
}

impl Storage for Watched {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        self.inner().initialise(identity, head)
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.inner().identity()
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        self.inner().append_batch(batch, head)
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.inner().len()
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.read.lock().unwrap().push(("rows", range.clone()));
        self.inner().scan(range, visit)
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.read.lock().unwrap().push(("leaves", range.clone()));
        self.inner().scan_leaves(range, visit)
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.inner().latest_head()
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        self.inner().next_head(size)
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        self.inner().check_structure()
    }
}

#[test]
fn catching_up_reads_the_new_leaf_hashes_and_nothing_else() {
    let storage = Watched::default();
    let mut writer = filled(storage.clone(), 600, 100);
    let mut reader = Ledger::open(storage.clone()).unwrap();
    storage.read();
    assert_eq!(reader.catch_up(), Ok(600..600));
    assert_eq!(storage.read(), []);
    let more = entries(1_300);
    for part in more.chunks(260) {
        writer.append_batch(part).unwrap();
    }
    assert_eq!(reader.head().head.size, 600, "the head stays until it is asked to move");
    assert_eq!(reader.catch_up(), Ok(600..1_900));
    assert_eq!(storage.read(), [("leaves", 600..1_900)]);
    assert_eq!(reader.head(), writer.head());
    assert_eq!(all_entries(&reader).unwrap(), [entries(600), more].concat());
    for size in [1, 599, 600, 700, 1_899, 1_900] {
        assert_eq!(reader.root_at(size), writer.root_at(size), "size {size}");
        assert_eq!(reader.prove_inclusion(size - 1, 1_900), writer.prove_inclusion(size - 1, 1_900));
        assert_eq!(reader.prove_consistency(size, 1_900), writer.prove_consistency(size, 1_900));
    }
}

#[test]
fn a_second_writer_goes_on_after_it_has_caught_up() {
    let storage = Watched::default();
    let mut first = filled(storage.clone(), 10, 10);
    let mut second = Ledger::resume(storage, key()).unwrap();
    first.append_batch(&entries(5)).unwrap();
    let conflict = StorageError::Conflict { expected: 10, found: 15 };
    assert_eq!(second.append_batch(&entries(3)), Err(LedgerError::Storage(conflict)));
    assert_eq!(second.catch_up(), Ok(10..15));
    assert_eq!(second.append_batch(&entries(3)), Ok(15..18));
    assert_eq!(first.catch_up(), Ok(15..18));
    assert_eq!(first.verify(&key().verifier()).unwrap().entries, 18);
}

/// A log of 100 entries that a reader knows and that is then changed behind its back; what the reader says.
fn caught_up_after(change: impl FnOnce(&Path)) -> Damage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    filled(SqliteStorage::create(&path, Durability::Normal).unwrap(), 100, 50).into_storage().close().unwrap();
    let mut reader = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    let before = *reader.head();
    change(&path);
    let refused = reader.catch_up().unwrap_err();
    assert_eq!(*reader.head(), before, "the reader stays where it was");
    assert_eq!(reader.closed_by(), Some(&refused));
    let LedgerError::Damaged(damage) = refused else { panic!("{refused}") };
    damage
}

fn sql(path: &Path, change: &str) {
    Connection::open(path).unwrap().execute_batch(change).unwrap();
}

fn append(path: &Path, count: u32) {
    let storage = SqliteStorage::open(path, Durability::Normal).unwrap();
    Ledger::resume(storage, key()).unwrap().append_batch(&entries(count)).unwrap();
}

#[test]
fn a_log_that_did_not_only_grow_is_damaged() {
    let cut = "DELETE FROM entries WHERE idx >= 50; DELETE FROM heads WHERE size > 50";
    let damage = caught_up_after(|path| sql(path, cut));
    assert_eq!(damage, Damage::EntryMissing { index: 50 });
    // The same key seals another history: longer than the known one, and of the same length.
    for count in [70, 50] {
        let damage = caught_up_after(|path| {
            sql(path, cut);
            append(path, count);
        });
        let size = 50 + u64::from(count);
        assert!(matches!(damage, Damage::RootMismatch { first: 100, size: found, .. } if found == size), "{damage}");
    }
}

#[test]
fn new_heads_and_entries_that_were_altered_are_named() {
    let altered = |change: &str| {
        caught_up_after(|path| {
            append(path, 20);
            sql(path, change);
        })
    };
    let damage = altered("UPDATE heads SET seal = zeroblob(64) WHERE size = 120");
    assert!(matches!(damage, Damage::Seal(seal) if seal.size == 120), "{damage}");
    let damage = altered("UPDATE heads SET root = zeroblob(32) WHERE size = 120");
    assert!(matches!(damage, Damage::Seal(_)), "{damage}");
    let damage = altered("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 107");
    assert!(matches!(damage, Damage::EntryAltered { index: 107, .. }), "{damage}");
    assert_eq!(altered("DELETE FROM entries WHERE idx = 110"), Damage::EntryMissing { index: 110 });
    assert_eq!(altered("DELETE FROM heads"), Damage::Headless { what: "head" });
    let swapped = "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE idx = 3),
                                      bytes = (SELECT bytes FROM entries WHERE idx = 3) WHERE idx = 115";
    let damage = altered(swapped);
    assert!(matches!(damage, Damage::RootMismatch { first: 100, size: 120, .. }), "{damage}");
}
