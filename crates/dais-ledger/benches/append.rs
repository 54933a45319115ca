//! How many entries a second a ledger takes in and checks.
//!
//! Entries of 400 bytes in batches of 1,000, encoding, hashing, tree and seal included.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dais_ledger::{
    BODY_BYTES_MAX, Durability, ENTRY_BYTES_MAX, Entry, HeadKey, Kind, Ledger, MemoryStorage, Origin, SqliteStorage,
    Storage,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

const ENTRY_BYTES: usize = 400;
const BATCH: usize = 1_000;
const BATCHES: usize = 50;

fn batch() -> Vec<Entry> {
    let body_bytes = ENTRY_BYTES - (ENTRY_BYTES_MAX - BODY_BYTES_MAX);
    (0..BATCH as u32)
        .map(|author| Entry {
            kind: Kind::Vote,
            step: 7,
            author,
            body: (0..body_bytes as u32).map(|at| ((at * 31) ^ author) as u8).collect(),
        })
        .collect()
}

fn ledger<S: Storage>(storage: S) -> Ledger<S> {
    let origin = Origin::new("dais/bench").expect("the name is valid");
    Ledger::create(storage, origin, HeadKey::from_seed([1; 32])).expect("the storage is new")
}

fn sqlite(durability: Durability) -> (TempDir, Ledger<SqliteStorage>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let storage = SqliteStorage::create(folder.path().join("ledger.db"), durability).expect("the file is new");
    (folder, ledger(storage))
}

fn fill<S: Storage>(ledger: &mut Ledger<S>, entries: &[Entry]) {
    for _ in 0..BATCHES {
        ledger.append_batch(black_box(entries)).expect("there is space");
    }
}

/// The same rows through SQLite alone: what the ledger's rate is to be compared with, in one run.
fn fill_bare(connection: &mut Connection, rows: &[Vec<u8>]) -> rusqlite::Result<()> {
    let mut index = 0_i64;
    for _ in 0..BATCHES {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached("INSERT INTO entries (idx, leaf, bytes) VALUES (?1, ?2, ?3)")?;
        for bytes in rows {
            insert.execute(params![index, &bytes[..32], bytes])?;
            index += 1;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(())
}

/// A file with the tables and settings of a ledger.
fn bare() -> (TempDir, Connection) {
    let (folder, ledger) = sqlite(Durability::Normal);
    ledger.into_storage().close().expect("the file can be written");
    let connection = Connection::open(folder.path().join("ledger.db")).expect("the file is there");
    connection.pragma_update(None, "synchronous", "NORMAL").expect("a known setting");
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 2_048, |_| Ok(())).expect("a known setting");
    (folder, connection)
}

fn append(criterion: &mut Criterion) {
    let entries = batch();
    let mut group = criterion.benchmark_group("append 50 batches of 1,000");
    group.throughput(Throughput::Elements((BATCHES * BATCH) as u64));
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    group.bench_function("memory", |bencher| {
        bencher.iter_batched(
            || ledger(MemoryStorage::new()),
            |mut ledger| {
                fill(&mut ledger, &entries);
                ledger
            },
            BatchSize::PerIteration,
        );
    });
    for (name, durability) in [("sqlite normal", Durability::Normal), ("sqlite full", Durability::Full)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || sqlite(durability),
                |(folder, mut ledger)| {
                    fill(&mut ledger, &entries);
                    (folder, ledger)
                },
                BatchSize::PerIteration,
            );
        });
    }
    let rows: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
    group.bench_function("sqlite normal, without a ledger", |bencher| {
        bencher.iter_batched(
            bare,
            |(folder, mut connection)| {
                fill_bare(&mut connection, &rows).expect("there is space");
                (folder, connection)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let entries = batch();
    let verifier = HeadKey::from_seed([1; 32]).verifier();
    let mut memory = ledger(MemoryStorage::new());
    fill(&mut memory, &entries);
    let (_folder, mut sqlite) = sqlite(Durability::Normal);
    fill(&mut sqlite, &entries);

    let mut group = criterion.benchmark_group("verify 50,000 entries");
    group.throughput(Throughput::Elements((BATCHES * BATCH) as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("memory", |bencher| bencher.iter(|| memory.verify(&verifier).expect("it is whole")));
    group.bench_function("sqlite", |bencher| bencher.iter(|| sqlite.verify(&verifier).expect("it is whole")));
    group.finish();

    let size = sqlite.head().head.size;
    let mut group = criterion.benchmark_group("prove");
    group.bench_function("inclusion, sqlite", |bencher| {
        bencher.iter(|| sqlite.prove_inclusion(black_box(30_123), size).expect("the entry is there"));
    });
    group.bench_function("consistency, sqlite", |bencher| {
        bencher.iter(|| sqlite.prove_consistency(black_box(30_123), size).expect("the state is there"));
    });
    group.finish();
}

criterion_group!(benches, append, read);
criterion_main!(benches);
