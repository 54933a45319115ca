//! What each cache of a ledger brings: the tables of `docs/reference/ledger-performance.md`, in one run.
//!
//! `cargo bench -p dais-ledger --bench caches`, with `-- --quick` for a run that only shows that it works. With the
//! feature `postgres` or `mysql` also measures a log on the server that the environment variable `DAIS_BENCH_LEDGER`
//! names by its connection string; there must be none before.
//!
//! The caches take turns within each round, so that what else the machine does meets all of them; times are medians of
//! the rounds after the first, which fills the caches.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures time and takes its place from outside"
)]

use std::cell::Cell;
use std::error::Error;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use dais_ledger::{
    CacheSettings, CacheStats, Entry, HeadKey, InclusionProof, Kind, Ledger, Location, Origin, StorageOptions,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rand::RngExt as _;
use rand_philox::Philox;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const BODY_BYTES: usize = 386;
const TAIL: u64 = 1_000;
const CACHE_BYTES: u64 = 16 << 20;
/// So many entries are appended before each turn.
const GROWTH: u32 = 10;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let mut words = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
    // `cargo bench` gives every bench the same filter.
    if words.peek().is_some() && !words.any(|word| "caches".contains(word.as_str())) {
        return Ok(());
    }
    let quick = given("--quick") || given("--test");
    let (size, rounds) = if quick { (10_000, 2) } else { (1_000_000, 9) };
    let folder = tempfile::tempdir()?;
    let file = Location::Sqlite(folder.path().join("ledger.db"));
    measure("SQLite", &file, size, rounds, if quick { 400 } else { 10_000 })?;
    match std::env::var("DAIS_BENCH_LEDGER") {
        Ok(text) => {
            let location: Location = text.parse()?;
            measure(&location.to_string(), &location, size, rounds, if quick { 400 } else { 2_000 })
        }
        Err(_) => line("no server measured: DAIS_BENCH_LEDGER names none"),
    }
}

fn line(text: &str) -> Outcome {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

fn entries(count: u32) -> Vec<Entry> {
    let body = |author: u32| (0..BODY_BYTES as u32).map(|at| ((at * 31) ^ author) as u8).collect();
    (0..count).map(|author| Entry { kind: Kind::Vote, step: 7, author, body: body(author) }).collect()
}

/// A reader with some of the caches.
struct Subject {
    name: &'static str,
    ledger: Ledger,
    /// Whole proofs by index and size, which the ledger itself does not keep.
    proofs: Option<WholeProofs>,
    /// Of the whole proofs.
    hits: Cell<u64>,
    misses: Cell<u64>,
}

type WholeProofs = Cache<(u64, u64), InclusionProof, ByMemory>;

#[derive(Clone)]
struct ByMemory;

impl Weighter<(u64, u64), InclusionProof> for ByMemory {
    fn weight(&self, _: &(u64, u64), proof: &InclusionProof) -> u64 {
        100 + 32 * proof.path.len() as u64
    }
}

impl Subject {
    fn prove(&self, index: u64, size: u64) -> Outcome<InclusionProof> {
        let Some(proofs) = &self.proofs else { return Ok(self.ledger.prove_inclusion(index, size)?) };
        if let Some(proof) = proofs.get(&(index, size)) {
            self.hits.update(|hits| hits + 1);
            return Ok(proof);
        }
        self.misses.update(|misses| misses + 1);
        let proof = self.ledger.prove_inclusion(index, size)?;
        proofs.insert((index, size), proof.clone());
        Ok(proof)
    }

    fn stats(&self) -> [CacheStats; 3] {
        let of_ledger = self.ledger.cache_stats();
        let (entries, bytes) = self.proofs.as_ref().map_or((0, 0), |proofs| (proofs.len() as u64, proofs.weight()));
        let proofs = CacheStats { hits: self.hits.get(), misses: self.misses.get(), entries, bytes };
        [of_ledger.entries, of_ledger.nodes, proofs]
    }
}

fn subjects(location: &Location) -> Outcome<Vec<Subject>> {
    let settings = |entries_bytes, nodes_bytes| CacheSettings { entries_bytes, nodes_bytes };
    let kinds = [
        ("none", settings(0, 0), false),
        ("entries", settings(CACHE_BYTES, 0), false),
        ("nodes", settings(0, CACHE_BYTES), false),
        ("whole proofs", settings(0, 0), true),
        ("entries and nodes", settings(CACHE_BYTES, CACHE_BYTES), false),
    ];
    let subject = |(name, settings, proofs): (_, _, bool)| {
        let storage = location.open_read_only(&StorageOptions::default())?;
        let ledger = Ledger::open(storage)?.cached(&settings);
        let proofs = proofs.then(|| Cache::with_weighter(CACHE_BYTES as usize / 750, CACHE_BYTES, ByMemory));
        Ok(Subject { name, ledger, proofs, hits: Cell::new(0), misses: Cell::new(0) })
    };
    kinds.into_iter().map(subject).collect()
}

/// What a reader does again and again; returns the number of operations.
type Work<'a> = dyn Fn(&Subject, &mut Philox) -> Outcome<usize> + 'a;

fn measure(what: &str, location: &Location, size: u32, rounds: usize, reads: usize) -> Outcome {
    let storage = location.create(&StorageOptions::default())?;
    let mut writer = Ledger::create(storage, Origin::new("dais/bench")?, HeadKey::from_seed([1; 32]))?;
    let batch = entries(10_000);
    for _ in 0..size / 10_000 {
        writer.append_batch(&batch)?;
    }
    line(&format!("\n{what}, {size} entries of 400 bytes, {rounds} rounds, each cache at most 16 MiB"))?;
    line(&format!("{:<34} {:<18} {:>10} {:>7}  hit rate", "", "cache", "µs", "ratio"))?;
    let tail = |subject: &Subject, _: &mut Philox| {
        let first = subject.ledger.head().head.size - TAIL;
        for _ in 0..reads / 200 {
            subject.ledger.entries_since(first).try_for_each(|read| read.map(drop))?;
        }
        Ok(reads / 200)
    };
    let skewed = |subject: &Subject, random: &mut Philox| {
        let size = subject.ledger.head().head.size;
        for _ in 0..reads {
            let back = (random.random::<f64>().powi(6) * size as f64) as u64;
            let index = size - 1 - back.min(size - 1);
            subject.ledger.entry(index)?;
            subject.prove(index, size)?;
        }
        Ok(reads)
    };
    let uniform = |subject: &Subject, random: &mut Philox| {
        for _ in 0..reads {
            subject.ledger.entry(random.random_range(0..u64::from(size)))?;
        }
        Ok(reads)
    };
    let uniform_proofs = |subject: &Subject, random: &mut Philox| {
        let size = subject.ledger.head().head.size;
        for _ in 0..reads / 10 {
            subject.prove(random.random_range(0..size), size)?;
        }
        Ok(reads / 10)
    };
    let through = |subject: &Subject, _: &mut Philox| {
        Ok(subject
            .ledger
            .entries_since(0)
            .take(reads * 20)
            .map(|read| read.map(drop))
            .collect::<Result<Vec<_>, _>>()?
            .len())
    };
    let works: [(&str, &Work); 5] = [
        ("the last 1,000 entries", &tail),
        ("entry and proof, skewed to the end", &skewed),
        ("entry, uniform", &uniform),
        ("proof, uniform", &uniform_proofs),
        ("entries in order, each", &through),
    ];
    for (name, work) in works {
        run(name, &mut writer, &mut subjects(location)?, rounds, work)?;
    }
    Ok(())
}

fn run(name: &str, writer: &mut Ledger, subjects: &mut [Subject], rounds: usize, work: &Work) -> Outcome {
    let mut times = vec![Vec::new(); subjects.len()];
    let mut before = Vec::new();
    for round in 0..=rounds {
        writer.append_batch(&entries(GROWTH))?;
        for turn in 0..subjects.len() {
            let at = (turn + round) % subjects.len();
            // The same draws for all.
            let mut random = Philox::from_u64_seed_stream(3, round as u64);
            let start = Instant::now();
            subjects[at].ledger.catch_up()?;
            let count = work(&subjects[at], &mut random)?;
            if round > 0 {
                times[at].push(start.elapsed() / u32::try_from(count)?);
            }
        }
        if round == 0 {
            before = subjects.iter().map(Subject::stats).collect();
        }
    }
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    for ((subject, median), before) in subjects.iter().zip(&medians).zip(before) {
        let rates = ["entries", "nodes", "proofs"].into_iter().zip(subject.stats()).zip(before);
        let rates: Vec<String> = rates.filter_map(|((cache, after), before)| rate(cache, after, before)).collect();
        let (micros, ratio) = (median.as_secs_f64() * 1e6, medians[0].as_secs_f64() / median.as_secs_f64());
        line(&format!("{name:<34} {:<18} {micros:>10.2} {ratio:>7.2}  {}", subject.name, rates.join(", ")))?;
    }
    Ok(())
}

/// The hit rate of a cache since it was filled, if it was asked.
fn rate(cache: &str, after: CacheStats, before: CacheStats) -> Option<String> {
    let since = CacheStats { hits: after.hits - before.hits, misses: after.misses - before.misses, ..after };
    (since.hits + since.misses > 0).then(|| format!("{cache} {:.3}", since.hit_rate()))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
