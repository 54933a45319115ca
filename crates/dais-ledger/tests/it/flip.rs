//! One changed byte anywhere in a ledger file is found, or changes nothing that can be read.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use dais_ledger::{Durability, SqliteStorage};
use rand::RngExt;
use rand_philox::Philox;
use rusqlite::Connection;

use super::tamper::examine;
use super::{entries, filled};

const COUNT: u32 = 1_000;
const FLIPS: usize = 20_000;
const THREADS: usize = 2;
/// What all connections of this process together may take: a damaged length must not lead to more.
const HEAP_BYTES_MAX: i64 = 256 << 20;

/// A folder in memory where there is one: the files are written tens of thousands of times.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

#[derive(Debug, Default)]
struct Tally {
    found: usize,
    harmless: usize,
}

/// Changes the bytes at some places of a file, one at a time, and examines the file each time.
fn flip(path: &Path, good: &[u8], flips: &[(usize, u8)]) -> Tally {
    fs::write(path, good).unwrap();
    let content = examine(path).unwrap();
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let mut tally = Tally::default();
    for &(at, flip) in flips {
        file.write_all_at(&[good[at] ^ flip], at as u64).unwrap();
        match examine(path) {
            Ok(read) => {
                assert!(read == content, "byte {at} changed by {flip:#x} went unnoticed");
                tally.harmless += 1;
            }
            Err(error) => {
                assert!(!error.contains("out of memory"), "byte {at} changed by {flip:#x}: {error}");
                tally.found += 1;
            }
        }
        file.write_all_at(&[good[at]], at as u64).unwrap();
    }
    assert!(examine(path).unwrap() == content, "the file was changed by being examined");
    tally
}

#[test]
fn twenty_thousand_changed_bytes_are_found_or_change_nothing() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    let storage = SqliteStorage::create(&path, Durability::Normal).unwrap();
    filled(storage, COUNT, 250).into_storage().close().unwrap();
    let limit = Connection::open_in_memory().unwrap();
    let set: i64 =
        limit.query_row(&format!("PRAGMA hard_heap_limit = {HEAP_BYTES_MAX}"), [], |row| row.get(0)).unwrap();
    assert_eq!(set, HEAP_BYTES_MAX);

    let good = fs::read(&path).unwrap();
    let mut random = Philox::from_u64_seed_stream(1, 0);
    // Every byte of the file's header, of the tables' definitions and of the page headers; then places anywhere.
    let headers = (0..good.len()).filter(|at| *at < 100 || at % 8_192 < 12);
    let mut flips: Vec<_> = headers.map(|at| (at, random.random_range(1..=255u8))).collect();
    flips.extend((0..FLIPS).map(|_| (random.random_range(0..good.len()), random.random_range(1..=255u8))));
    let tallies: Vec<_> = std::thread::scope(|scope| {
        let parts = flips.chunks(flips.len().div_ceil(THREADS)).enumerate();
        let threads: Vec<_> = parts
            .map(|(part, flips)| {
                let path = folder.path().join(format!("part-{part}.db"));
                let good = &good;
                scope.spawn(move || flip(&path, good, flips))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("{tallies:?} in {} bytes", good.len());
    let found: usize = tallies.iter().map(|tally| tally.found).sum();
    assert!(found > FLIPS / 2, "only {found} of {} changes were found", flips.len());
}

#[test]
fn a_changed_byte_in_the_write_ahead_log_gives_an_earlier_sealed_log_at_worst() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    let ledger = filled(SqliteStorage::create(&path, Durability::Normal).unwrap(), 200, 20);
    let wal = fs::read(folder.path().join("ledger.db-wal")).unwrap();
    let image = folder.path().join("image.db");
    let mut random = Philox::from_u64_seed_stream(2, 0);
    let (mut refused, mut earlier) = (0, 0);
    for _ in 0..400 {
        let (at, flip) = (random.random_range(0..wal.len()), random.random_range(1..=255u8));
        let mut bad = wal.clone();
        bad[at] ^= flip;
        fs::copy(&path, &image).unwrap();
        fs::write(folder.path().join("image.db-wal"), &bad).unwrap();
        match examine(&image) {
            Err(_) => refused += 1,
            Ok((_, heads, read)) => {
                let head = heads.last().unwrap().head;
                assert!(read == entries(200)[..head.size as usize], "byte {at} changed by {flip:#x} went unnoticed");
                assert_eq!(head.root, ledger.root_at(head.size).unwrap());
                earlier += u32::from(head.size < 200);
            }
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("image.db{suffix}")));
        }
    }
    println!("{refused} refused, {earlier} at an earlier head in {} bytes", wal.len());
    assert!(earlier > 100, "{earlier} earlier heads");
}
