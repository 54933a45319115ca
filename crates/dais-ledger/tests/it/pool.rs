//! Readers beside a writer.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dais_ledger::{
    Durability, Entry, Kind, Ledger, LedgerError, LedgerWriter, Location, PoolError, PoolSettings, PoolStats,
    ReaderPool, SqliteStorage, StorageError, StorageOptions, WriterParams,
};
use rusqlite::Connection;

use super::{all_entries, entries, filled, key, origin};

const WRITERS: u32 = 8;
const READERS: u64 = 4;

fn pooled(pool: PoolSettings) -> StorageOptions {
    StorageOptions { pool, ..StorageOptions::default() }
}

/// Two readers that stay, one more when they are in use, and who finds none is told at once.
fn small() -> PoolSettings {
    PoolSettings { size: 2, overflow: 1, timeout: Duration::ZERO, ..PoolSettings::default() }
}

/// A file with 100 entries and its readers.
fn with_readers(settings: PoolSettings) -> (tempfile::TempDir, Location, ReaderPool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    filled(SqliteStorage::create(&path, Durability::Normal).unwrap(), 100, 50).into_storage().close().unwrap();
    let location = Location::Sqlite(path);
    let pool = ReaderPool::open(location.clone(), pooled(settings)).unwrap();
    (folder, location, pool)
}

/// Eight threads append through the writer while four check what the readers of a pool show them; there are three
/// readers.
pub(crate) fn readers_follow_eight_threads_that_append(location: &Location, options: StorageOptions, appends: u32) {
    let settings = PoolSettings { timeout: Duration::from_mins(2), ..small() };
    let options = StorageOptions { pool: settings, ..options };
    let ledger = Ledger::create(location.create(&options).unwrap(), origin(), key()).unwrap();
    let writer = LedgerWriter::start(ledger, WriterParams::default()).unwrap();
    let pool = ReaderPool::open(location.clone(), options).unwrap();
    let (written, lent, proofs) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicU64::new(0));
    let read = |thread: u64| {
        let mut last = pool.reader().unwrap().head().head;
        let mut at = thread;
        loop {
            let ends = written.load(Ordering::SeqCst);
            let reader = pool.reader().unwrap();
            assert!(lent.fetch_add(1, Ordering::SeqCst) < 3, "more than three readers are lent");
            let head = reader.head().head;
            assert!(head.size >= last.size, "a reader went back");
            let grown = reader.prove_consistency(last.size, head.size).unwrap();
            assert_eq!(grown.verify_between(&last, &head), Ok(()));
            for _ in 0..5_u64.min(head.size) {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let index = (at >> 33) % head.size;
                let entry = reader.entry(index).unwrap();
                let proof = reader.prove_inclusion(index, head.size).unwrap();
                assert_eq!(proof.verify_in(&entry.leaf_hash(), &head), Ok(()));
                proofs.fetch_add(1, Ordering::SeqCst);
            }
            lent.fetch_sub(1, Ordering::SeqCst);
            drop(reader);
            last = head;
            if ends {
                return last;
            }
        }
    };
    let seen_last: Vec<_> = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|thread| scope.spawn(move || read(thread))).collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|author| {
                let appender = writer.appender();
                let entry = move |step| Entry { kind: Kind::Vote, step, author, body: vec![author as u8; 300] };
                let append = move |step| appender.append(vec![entry(step)]).map(|indices| indices.end);
                scope.spawn(move || (0..appends).map(append).collect::<Result<Vec<_>, _>>().unwrap())
            })
            .collect();
        for thread in writers {
            assert_eq!(thread.join().unwrap().len(), appends as usize);
        }
        written.store(true, Ordering::SeqCst);
        readers.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let ledger = writer.close().unwrap();
    assert_eq!(ledger.head().head.size, u64::from(WRITERS * appends));
    assert_eq!(seen_last, vec![ledger.head().head; READERS as usize]);
    assert!(proofs.load(Ordering::SeqCst) >= 5 * READERS);
    assert_eq!(pool.stats(), PoolStats { busy: 0, idle: 2, readers_max: 3 });
    assert_eq!(pool.damage(), None);
    assert_eq!(pool.reader().unwrap().verify(&key().verifier()).unwrap().head, *ledger.head());
}

#[test]
fn readers_of_a_file_follow_eight_threads_that_append() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("ledger.db"));
    let options = StorageOptions { durability: Durability::Full, ..StorageOptions::default() };
    readers_follow_eight_threads_that_append(&location, options, 100);
}

#[test]
fn readers_that_are_lent_hold_nothing_that_the_writer_needs() {
    let (folder, location, pool) = with_readers(small());
    let (reader, other) = (pool.reader().unwrap(), pool.reader().unwrap());
    let mut half_read = reader.entries_since(0);
    half_read.next().unwrap().unwrap();
    let mut writer = Ledger::resume(location.open(&StorageOptions::default()).unwrap(), key()).unwrap();
    assert_eq!(writer.append_batch(&entries(100)), Ok(100..200));
    // Moving all of the log into the file needs it without readers.
    let file = Connection::open(folder.path().join("ledger.db")).unwrap();
    let busy: i64 = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
    let read: Vec<_> = half_read.map(|read| read.unwrap().1).collect();
    assert_eq!(read, entries(100)[1..], "a reader shows the log as of its head");
    assert_eq!(all_entries(&other).unwrap(), entries(100));
    let mut other = other;
    assert_eq!(other.catch_up(), Ok(100..200));
    assert_eq!(other.head(), writer.head());
}

#[test]
fn when_all_readers_are_busy_that_is_said() {
    let (_folder, _, pool) = with_readers(small());
    assert_eq!(pool.stats(), PoolStats { busy: 0, idle: 1, readers_max: 3 });
    let lent: Vec<_> = (0..3).map(|_| pool.reader().unwrap()).collect();
    let busy = pool.reader().unwrap_err();
    assert_eq!(busy, PoolError::Busy { readers: 3, waited: Duration::ZERO });
    assert_eq!(busy.to_string(), "all 3 readers of the ledger are busy, and none came back within 0 s");
    assert_eq!(pool.stats(), PoolStats { busy: 3, idle: 0, readers_max: 3 });
    drop(lent);
    assert_eq!(pool.stats(), PoolStats { busy: 0, idle: 2, readers_max: 3 }, "the third is closed after use");
    assert!(pool.reader().is_ok());
}

#[test]
fn who_waits_gets_the_reader_that_comes_back() {
    let one = PoolSettings { size: 1, overflow: 0, timeout: Duration::from_mins(2), ..small() };
    let none = PoolSettings { size: 0, ..one.clone() };
    for settings in [one, none] {
        let (_folder, _, pool) = with_readers(settings);
        assert_eq!(pool.stats().readers_max, 1);
        let reads = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for index in 0..50 {
                        pool.reader().unwrap().entry(index).unwrap();
                        reads.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(reads.into_inner(), 200);
    }
}

#[test]
fn a_reader_is_replaced_at_its_age() {
    for (recycle, follows) in [(Duration::from_nanos(1), true), (Duration::ZERO, false)] {
        let (folder, _, pool) = with_readers(PoolSettings { recycle, ..small() });
        let path = folder.path().join("ledger.db");
        std::fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
        let outcome = pool.reader().map(drop);
        let gone = PoolError::Ledger(LedgerError::Storage(StorageError::NotFound { path }));
        assert_eq!(outcome, if follows { Err(gone) } else { Ok(()) });
        std::fs::rename(folder.path().join("elsewhere.db"), folder.path().join("ledger.db")).unwrap();
        assert!(pool.reader().is_ok());
    }
}

#[test]
fn a_reader_that_met_damage_is_not_lent_again() {
    let (folder, _, pool) = with_readers(small());
    let file = Connection::open(folder.path().join("ledger.db")).unwrap();
    file.execute_batch("UPDATE entries SET bytes = zeroblob(20) WHERE idx = 4").unwrap();
    let reader = pool.reader().unwrap();
    let damage = reader.entry(4).unwrap_err();
    assert!(damage.is_damage(), "{damage}");
    assert_eq!(pool.damage(), None, "it is known when the reader comes back");
    drop(reader);
    assert_eq!(pool.damage(), Some(damage));
    assert_eq!(pool.stats(), PoolStats { busy: 0, idle: 0, readers_max: 3 });
    let next = pool.reader().unwrap();
    assert_eq!(next.closed_by(), None);
    assert_eq!(next.entry(5).unwrap(), entries(6)[5]);
}

#[test]
fn a_log_that_was_cut_back_is_refused_by_old_and_new_readers() {
    let (folder, _, pool) = with_readers(small());
    let file = Connection::open(folder.path().join("ledger.db")).unwrap();
    file.execute_batch("DELETE FROM entries WHERE idx >= 50; DELETE FROM heads WHERE size > 50").unwrap();
    for _ in 0..3 {
        let refused = pool.reader().unwrap_err();
        assert!(matches!(&refused, PoolError::Ledger(error) if error.is_damage()), "{refused}");
        assert_eq!(pool.stats(), PoolStats { busy: 0, idle: 0, readers_max: 3 });
    }
    assert!(pool.damage().is_some());
}

#[test]
fn what_one_reader_read_is_kept_for_all() {
    let (_folder, _, pool) = with_readers(small());
    let (one, other) = (pool.reader().unwrap(), pool.reader().unwrap());
    assert_eq!(one.entry(7), other.entry(7));
    let stats = pool.cache_stats().entries;
    assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
}

#[test]
fn a_ledger_in_memory_or_nowhere_has_no_readers() {
    let refused = ReaderPool::open(Location::Memory, StorageOptions::default()).unwrap_err();
    assert_eq!(refused, PoolError::InMemory);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let refused = ReaderPool::open(Location::Sqlite(path.clone()), StorageOptions::default()).unwrap_err();
    assert_eq!(refused, PoolError::Ledger(LedgerError::Storage(StorageError::NotFound { path })));
}
