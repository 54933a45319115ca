//! How many entries a second a log on a server takes in and gives back.
//!
//! Batches of 1,000 entries of 400 bytes, encoding, hashing, tree and seal included. Measures the log that the
//! environment variable `DAIS_BENCH_LEDGER` names by its connection string, which must not exist before; without it,
//! nothing.

#![expect(clippy::print_stdout, reason = "the figures are printed")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures time and takes its place from outside"
)]

use std::time::Instant;

use dais_ledger::{BODY_BYTES_MAX, ENTRY_BYTES_MAX, Entry, HeadKey, Kind, Ledger, Location, Origin, StorageOptions};

const ENTRY_BYTES: usize = 400;
const BATCH: u32 = 1_000;
const BATCHES: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Ok(text) = std::env::var("DAIS_BENCH_LEDGER") else {
        println!("nothing measured: DAIS_BENCH_LEDGER names no server");
        return Ok(());
    };
    let location: Location = text.parse()?;
    let body_bytes = ENTRY_BYTES - (ENTRY_BYTES_MAX - BODY_BYTES_MAX);
    let entry = |author: u32| Entry {
        kind: Kind::Vote,
        step: 7,
        author,
        body: (0..body_bytes as u32).map(|at| ((at * 31) ^ author) as u8).collect(),
    };
    let entries: Vec<Entry> = (0..BATCH).map(entry).collect();
    let key = HeadKey::from_seed([1; 32]);
    let storage = location.create(&StorageOptions::default())?;
    let mut ledger = Ledger::create(storage, Origin::new("dais/bench")?, key.clone())?;
    let rate = |what: &str, began: Instant| {
        let (count, seconds) = (f64::from(BATCH * BATCHES), began.elapsed().as_secs_f64());
        println!("{location}: {what} {count} entries in {seconds:.2} s, {:.0} entries/s", count / seconds);
    };
    let began = Instant::now();
    for _ in 0..BATCHES {
        ledger.append_batch(&entries)?;
    }
    rate("appended", began);
    let began = Instant::now();
    ledger.verify(&key.verifier())?;
    rate("verified", began);
    let began = Instant::now();
    Ledger::open(location.open_read_only(&StorageOptions::default())?)?;
    rate("opened", began);
    Ok(())
}
