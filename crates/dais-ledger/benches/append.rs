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
