//! The figures of `docs/reference/ledger-performance.md`, measured side by side in one run and printed as a table.
//!
//! `cargo bench -p dais-ledger --bench throughput`, with `-- --quick` for a run that only shows that it works, and
//! `-- --large [folder]` for time and peak memory of a log of 10 million entries, `-- --writer` for the writer alone.
//!
//! Rates are by the clock. What only computes also has its rate per second of processor time, which says what the code
//! costs when other programs want the processor too.

#![expect(clippy::disallowed_types, reason = "a bench reads the clock")]

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dais_ledger::{
    BODY_BYTES_MAX, Durability, ENTRY_BYTES_MAX, Entry, HeadKey, Kind, Ledger, LedgerWriter, MemoryStorage, Origin,
    SqliteStorage, Storage, WriterParams,
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ENTRY_BYTES: usize = 400;
const BATCH: usize = 1_000;
const THREADS: usize = 8;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if given("--large") {
        let base = words.first().map_or_else(std::env::temp_dir, PathBuf::from);
        return large(&base, if given("--quick") { 100_000 } else { 10_000_000 });
    }
    // `cargo bench` gives every bench the same filter.
    if !words.is_empty() && !words.iter().any(|word| "throughput".contains(word.as_str())) {
        return Ok(());
    }
    let (rounds, scale) = if given("--quick") || given("--test") { (2, 1) } else { (9, 100) };
    let folder = tempfile::tempdir()?;
    line(&format!("{:<54} {:>12} {:>10}", "", "per second", "ratio"))?;
    if given("--writer") {
        return append_one_by_one(5 * rounds, scale);
    }
    for durability in [Durability::Full, Durability::Normal] {
        append_beside_rows(durability, rounds, scale)?;
    }
    // Short turns, so that what else goes on at the disk meets both.
    append_one_by_one(5 * rounds, scale)?;
    append_to_memory(10 * scale)?;
    verify(folder.path(), 2 * scale)
}

fn line(text: &str) -> Outcome {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

fn entries(count: usize, entry_bytes: usize) -> Vec<Entry> {
    let body_bytes = entry_bytes - (ENTRY_BYTES_MAX - BODY_BYTES_MAX);
    let body = |author: u32| (0..body_bytes as u32).map(|at| ((at * 31) ^ author) as u8).collect();
    (0..count as u32).map(|author| Entry { kind: Kind::Vote, step: 7, author, body: body(author) }).collect()
}

fn key() -> HeadKey {
    HeadKey::from_seed([1; 32])
}

fn ledger<S: Storage>(storage: S) -> Outcome<Ledger<S>> {
    Ok(Ledger::create(storage, Origin::new("dais/bench")?, key())?)
}

/// Adds the time that something takes to a sum.
fn timed<T>(sum: &mut Duration, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    *sum += start.elapsed();
    result
}

/// Time by the clock, and on the processor where the system tells (Linux).
#[derive(Default)]
struct Spent {
    clock: Duration,
    processor: Duration,
}

impl Spent {
    fn on<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let start = processor_time();
        let result = timed(&mut self.clock, run);
        self.processor += processor_time().saturating_sub(start);
        result
    }

    fn without(&self, part: &Self) -> Self {
        let processor = self.processor.saturating_sub(part.processor);
        Self { clock: self.clock.saturating_sub(part.clock), processor }
    }

    fn report(&self, what: &str, count: usize) -> Outcome {
        let rate = |time: Duration| if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() };
        line(&format!("{what:<54} {:>12.0} {:>12.0} per processor second", rate(self.clock), rate(self.processor)))
    }
}

/// How long this thread has run so far.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0))
}

/// Runs two things in turns, each round beginning with the other one, and prints both rates and the median ratio.
///
/// Each turn must leave nothing unwritten behind: a file system may let whoever waits for the disk next pay for it.
fn in_turns(
    rounds: usize,
    (reference, reference_count): (&str, usize),
    (subject, subject_count): (&str, usize),
    turns: &mut [&mut dyn FnMut() -> Outcome<Duration>; 2],
) -> Outcome {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for turn in [round % 2, (round + 1) % 2] {
            times[turn].push(turns[turn]()?);
        }
    }
    let rate = |count: usize, time: &Duration| count as f64 / time.as_secs_f64();
    let pairs = times[0].iter().zip(&times[1]);
    let mut ratios: Vec<f64> = pairs.map(|(a, b)| rate(subject_count, b) / rate(reference_count, a)).collect();
    ratios.sort_by(f64::total_cmp);
    let of_reference = rate(reference_count * rounds, &times[0].iter().sum());
    line(&format!("{reference:<54} {of_reference:>12.0}"))?;
    let all = rate(subject_count * rounds, &times[1].iter().sum());
    let (median, least, most) = (ratios[rounds / 2], ratios[0], ratios[rounds - 1]);
    line(&format!("{subject:<54} {all:>12.0} {median:>10.2} ({least:.2} to {most:.2}, {rounds} rounds)"))
}

/// A file with the tables and settings of a ledger, without one.
fn rows_only(path: &Path, durability: Durability) -> Outcome<Connection> {
    SqliteStorage::create(path, durability)?.close()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 2_048, |_| Ok(()))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn insert_rows(connection: &mut Connection, first: i64, rows: &[(Vec<u8>, Vec<u8>)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut insert = transaction.prepare_cached("INSERT INTO entries (idx, leaf, bytes) VALUES (?1, ?2, ?3)")?;
    for (index, (leaf, bytes)) in (first..).zip(rows) {
        insert.execute(params![index, leaf, bytes])?;
    }
    drop(insert);
    transaction.commit()
}

/// Batches through a ledger and the same rows through SQLite alone; a new file for each turn.
fn append_beside_rows(durability: Durability, rounds: usize, batches: usize) -> Outcome {
    let entries = entries(BATCH, ENTRY_BYTES);
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        entries.iter().map(|entry| (entry.leaf_hash().as_bytes().to_vec(), entry.encode())).collect();
    let what = |who: &str| format!("{who}, {durability:?}, 1,000 of 400 bytes to a commit");
    let count = batches * BATCH;
    let mut bare = || {
        let folder = tempfile::tempdir()?;
        let mut connection = rows_only(&folder.path().join("rows"), durability)?;
        let mut time = Duration::ZERO;
        timed(&mut time, || {
            (0..batches).try_for_each(|batch| insert_rows(&mut connection, (batch * BATCH) as i64, &rows))
        })?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(time)
    };
    let mut sealed = || {
        let folder = tempfile::tempdir()?;
        let mut ledger = ledger(SqliteStorage::create(folder.path().join("ledger"), durability)?)?;
        let mut time = Duration::ZERO;
        timed(&mut time, || (0..batches).try_for_each(|_| ledger.append_batch(&entries).map(drop)))?;
        ledger.into_storage().close()?;
        Ok(time)
    };
    in_turns(rounds, (&what("rows"), count), (&what("ledger"), count), &mut [&mut bare, &mut sealed])
}

/// Durable appends of one entry each: a commit for each, and eight threads through the writer; a new file for each turn.
fn append_one_by_one(rounds: usize, appends: usize) -> Outcome {
    let entry = entries(1, ENTRY_BYTES);
    let mut alone = || {
        let folder = tempfile::tempdir()?;
        let mut ledger = ledger(SqliteStorage::create(folder.path().join("ledger"), Durability::Full)?)?;
        let mut time = Duration::ZERO;
        // On a thread of its own as well, so that the scheduler treats both alike.
        timed(&mut time, || {
            std::thread::scope(|scope| {
                scope.spawn(|| (0..appends).try_for_each(|_| ledger.append_batch(&entry).map(drop)));
            });
        });
        whole(&ledger, appends)?;
        ledger.into_storage().close()?;
        Ok(time)
    };
    let mut commits = 0;
    let mut grouped = || {
        let folder = tempfile::tempdir()?;
        let ledger = ledger(SqliteStorage::create(folder.path().join("ledger"), Durability::Full)?)?;
        let writer = LedgerWriter::start(ledger, WriterParams::default())?;
        let mut time = Duration::ZERO;
        timed(&mut time, || {
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    let (appender, entry) = (writer.appender(), &entry);
                    // An append that fails is missing in the count below.
                    scope.spawn(move || (0..appends).try_for_each(|_| appender.append(entry.clone()).map(drop)));
                }
            });
        });
        let ledger = writer.close()?;
        commits += whole(&ledger, THREADS * appends)?;
        ledger.into_storage().close()?;
        Ok(time)
    };
    let reference = ("one durable commit per append, 1 thread", appends);
    let subject = ("durable appends through the writer, 8 threads", THREADS * appends);
    in_turns(rounds, reference, subject, &mut [&mut alone, &mut grouped])?;
    let per_commit = (rounds * THREADS * appends) as f64 / commits as f64;
    line(&format!("    entries in one of its commits {per_commit:>37.2}"))
}

/// Makes sure that a log has so many entries, and returns the number of commits they came in.
fn whole<S: Storage>(ledger: &Ledger<S>, expected: usize) -> Outcome<u64> {
    let verified = ledger.verify(&key().verifier())?;
    if verified.entries != expected as u64 {
        return Err(format!("{} of {expected} entries were appended", verified.entries).into());
    }
    Ok(verified.heads - 1)
}

fn append_to_memory(batches: usize) -> Outcome {
    for entry_bytes in [64, ENTRY_BYTES] {
        let entries = entries(BATCH, entry_bytes);
        let mut ledger = ledger(MemoryStorage::new())?;
        let mut spent = Spent::default();
        spent.on(|| (0..batches).try_for_each(|_| ledger.append_batch(&entries).map(drop)))?;
        spent.report(&format!("ledger in memory, 1,000 of {entry_bytes} bytes to a batch"), batches * BATCH)?;
    }
    Ok(())
}

/// Verification of whole logs, and the part of it that is SQLite checking its own file.
fn verify(folder: &Path, batches: usize) -> Outcome {
    for entry_bytes in [64, ENTRY_BYTES] {
        let entries = entries(BATCH, entry_bytes);
        let path = folder.join(format!("verify-{entry_bytes}"));
        let mut memory = ledger(MemoryStorage::new())?;
        let mut sqlite = ledger(SqliteStorage::create(path, Durability::Normal)?)?;
        for _ in 0..batches {
            memory.append_batch(&entries)?;
            sqlite.append_batch(&entries)?;
        }
        let (mut in_memory, mut in_file, mut structure) = (Spent::default(), Spent::default(), Spent::default());
        for _ in 0..3 {
            in_memory.on(|| memory.verify(&key().verifier()))?;
            in_file.on(|| sqlite.verify(&key().verifier()))?;
            structure.on(|| sqlite.storage().check_structure())?;
        }
        let count = 3 * batches * BATCH;
        in_memory.report(&format!("verify in memory, {entry_bytes} bytes"), count)?;
        in_file.report(&format!("verify in SQLite, {entry_bytes} bytes"), count)?;
        structure.report("    the structure of the file alone", count)?;
        in_file.without(&structure).report("    entries, tree and seals alone", count)?;
    }
    Ok(())
}

/// Builds, opens, reads and verifies a log of small entries and says how much memory the process needed at most.
fn large(base: &Path, count: usize) -> Outcome {
    let folder = tempfile::tempdir_in(base)?;
    let path = folder.path().join("large.db");
    let entries = entries(10 * BATCH, 46);
    let phase = |what: &str, start: Instant| {
        let seconds = start.elapsed().as_secs_f64();
        line(&format!("{what:<44} {seconds:>8.1} s {:>12.0} /s   peak {}", count as f64 / seconds, peak_memory()))
    };
    let start = Instant::now();
    let mut ledger = ledger(SqliteStorage::create(&path, Durability::Normal)?)?;
    for _ in 0..count / entries.len() {
        ledger.append_batch(&entries)?;
    }
    ledger.into_storage().close()?;
    phase(&format!("append {count} entries of 46 bytes"), start)?;
    let start = Instant::now();
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path)?)?;
    phase("open", start)?;
    let start = Instant::now();
    for read in ledger.entries_since(0) {
        read?;
    }
    phase("read every entry", start)?;
    let start = Instant::now();
    let verified = ledger.verify(&key().verifier())?;
    phase("verify", start)?;
    line(&format!("{} entries, {} heads, file {} MiB", verified.entries, verified.heads, path.metadata()?.len() >> 20))
}

/// The largest resident size of this process so far, where the system tells (Linux).
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
