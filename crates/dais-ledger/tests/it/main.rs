//! Tests of the ledger through its public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "backup")]
mod backup;
mod cache;
mod child;
mod conformance;
mod crash;
mod disk;
mod faulty;
mod files;
mod flip;
mod follow;
mod pool;
mod proofs;
mod salvage;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod servers;
mod tamper;
mod tiles;
mod tiles_damage;
mod witness;
mod writer;

use dais_ledger::{Entry, HeadKey, Kind, Ledger, LedgerError, Origin, Storage};

/// Entries that differ in every field, with bodies of 0 to 199 bytes.
fn entries(count: u32) -> Vec<Entry> {
    (0..count)
        .map(|i| Entry {
            kind: Kind::ALL[(i % 8) as usize],
            step: i / 10,
            author: i % 7,
            body: (0..i * 37 % 200).map(|at| (at ^ i) as u8).collect(),
        })
        .collect()
}

fn key() -> HeadKey {
    HeadKey::from_seed([42; 32])
}

fn origin() -> Origin {
    Origin::new("dais/test").unwrap()
}

/// A ledger of `count` entries, appended in batches of `batch`.
fn filled<S: Storage>(storage: S, count: u32, batch: usize) -> Ledger<S> {
    let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
    for part in entries(count).chunks(batch) {
        ledger.append_batch(part).unwrap();
    }
    ledger
}

fn all_entries<S: Storage>(ledger: &Ledger<S>) -> Result<Vec<Entry>, LedgerError> {
    ledger.entries_since(0).map(|read| read.map(|(_, entry)| entry)).collect()
}
