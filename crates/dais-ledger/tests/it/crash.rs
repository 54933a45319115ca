//! A writer that is killed at any moment loses nothing that it acknowledged.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use dais_ledger::{Durability, Entry, Kind, Ledger, SqliteStorage};
use rand::RngExt;
use rand_philox::Philox;

use super::{child, key, origin};

const THREADS: u64 = 4;
const FILES: u64 = 8;
const KILLS_PER_FILE: u32 = 63;
const ACKNOWLEDGED: &str = "acknowledged ";

/// The entry that belongs at an index: what was written can be told from the index alone.
fn entry_at(index: u64) -> Entry {
    let mut random = Philox::from_u64_seed_stream(11, index);
    let bytes = random.random_range(0..1_500);
    let body = (0..bytes).map(|at: usize| (at as u64 ^ index) as u8).collect();
    Entry { kind: Kind::Vote, step: index as u32, author: random.random_range(0..100), body }
}

/// Appends until it is killed, and says so after each batch.
#[test]
#[ignore = "the process that the crash test starts and kills"]
fn writer() {
    let Some(folder) = child::folder() else { return };
    let durability = if folder.ends_with("full") { Durability::Full } else { Durability::Normal };
    let storage = SqliteStorage::open(folder.join("ledger.db"), durability).unwrap();
    let mut ledger = Ledger::resume(storage, key()).unwrap();
    let mut random = Philox::from_u64_seed_stream(12, ledger.head().head.size);
    let mut out = io::stdout();
    loop {
        let first = ledger.head().head.size;
        let batch: Vec<_> = (first..first + random.random_range(1..8)).map(entry_at).collect();
        let appended = ledger.append_batch(&batch).unwrap();
        writeln!(out, "{ACKNOWLEDGED}{}", appended.end).unwrap();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// A kill may then come while the file is opened and what the last writer left is read.
    Start,
    FirstBatch,
}

/// Starts a writer, kills it a while after its start or after its first batch, and returns the size it acknowledged
/// last.
fn killed_writer(folder: &Path, after: Moment, life: Duration) -> u64 {
    let mut writer = child::command(&[], "crash::writer", folder).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).split(b'\n');
    let (tell, told) = mpsc::channel();
    let acknowledged = std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut last = 0;
            for line in lines.map_while(Result::ok) {
                let line = String::from_utf8(line).unwrap();
                // A killed process may leave the beginning of a line behind; its size is then one acknowledged before
                // or less.
                let size = line.strip_prefix(ACKNOWLEDGED).and_then(|size| size.parse().ok());
                if let Some(size) = size {
                    last = last.max(size);
                    // Only the first is waited for.
                    let _ = tell.send(());
                }
            }
            last
        });
        if after == Moment::FirstBatch {
            // A writer that ends by itself is noticed below.
            let _ = told.recv();
        }
        std::thread::sleep(life);
        writer.kill().unwrap();
        reading.join().unwrap()
    });
    let status = writer.wait().unwrap();
    assert!(!status.success() && status.code().is_none(), "the writer ended by itself: {status}");
    acknowledged
}

/// Kills writers over one growing file; returns the kills after which there was more than before, and the entries.
fn survives(file: u64, folder: &Path) -> (u32, u64) {
    let folder = folder.join(file.to_string()).join(if file < FILES / 2 { "normal" } else { "full" });
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("ledger.db");
    drop(Ledger::create(SqliteStorage::create(&path, Durability::Full).unwrap(), origin(), key()).unwrap());
    let mut random = Philox::from_u64_seed_stream(13, file);
    let (mut grown, mut size, mut expected) = (0, 0, Vec::new());
    for kill in 0..KILLS_PER_FILE {
        let (after, life_us) = match kill % 4 {
            0 => (Moment::Start, random.random_range(1_000..30_000)),
            _ => (Moment::FirstBatch, random.random_range(0..2_000)),
        };
        let acknowledged = killed_writer(&folder, after, Duration::from_micros(life_us));
        let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
        let verified = ledger.verify(&key().verifier()).unwrap();
        assert!(verified.entries >= acknowledged.max(size), "kill {kill} of file {file} lost entries");
        expected.extend((size..verified.entries).map(entry_at));
        let mut read = 0;
        for (found, expected) in ledger.entries_since(0).zip(&expected) {
            let (index, entry) = found.unwrap();
            assert_eq!(entry, *expected, "kill {kill} of file {file}, entry {index}");
            read += 1;
        }
        assert_eq!(read, verified.entries);
        grown += u32::from(verified.entries > size);
        size = verified.entries;
    }
    (grown, size)
}

#[test]
fn five_hundred_killed_writers_lose_nothing_they_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let survived: Vec<_> = std::thread::scope(|scope| {
        let path = folder.path();
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let files = (thread..FILES).step_by(THREADS as usize);
                scope.spawn(move || files.map(|file| survives(file, path)).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("{survived:?}");
    let grown: u32 = survived.iter().map(|(grown, _)| grown).sum();
    assert!(grown > FILES as u32 * KILLS_PER_FILE / 2, "only {grown} writers wrote anything before they were killed");
}
