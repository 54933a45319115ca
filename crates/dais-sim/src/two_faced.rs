//! A coordinator that keeps two histories under one key: an adversary to study what witnesses are good for.

use dais_ledger::{Entry, HeadKey, Kind, Ledger, LedgerError, MemoryStorage, Origin, Storage};
use dais_protocol::{Decision, Outcome};

use crate::coordinator::RunLedger;

/// The history that a two-faced coordinator shows to half of the witnesses: every signature that was accepted, and every
/// revocation, is said to have been rejected. Nobody else's words are changed, so all agents' seals hold in it.
///
/// Both histories have entries of the same number. Memory: the whole second log.
#[derive(Debug)]
pub(crate) struct SecondFace {
    from_step: u32,
    ledger: RunLedger,
}

impl SecondFace {
    /// A second history that differs from step `from_step` on.
    pub(crate) fn new(from_step: u32, origin: Origin, key: HeadKey) -> Result<Self, LedgerError> {
        let storage: Box<dyn Storage> = Box::new(MemoryStorage::new());
        Ok(Self { from_step, ledger: Ledger::create(storage, origin, key)? })
    }

    /// Records what the first history has just got.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        let other: Vec<Entry> = entries.iter().map(|entry| self.told(entry)).collect();
        self.ledger.append_batch(&other)?;
        Ok(())
    }

    pub(crate) fn ledger(&self) -> &RunLedger {
        &self.ledger
    }

    fn told(&self, entry: &Entry) -> Entry {
        let lie = || {
            let decision = Decision::decode(&entry.body).ok()?;
            let accepted = decision.outcome == Outcome::Accepted;
            accepted.then(|| Decision { outcome: Outcome::Rejected, radius: 0.0, ..decision }.encode())
        };
        let told = if entry.kind == Kind::Outcome && entry.step >= self.from_step { lie() } else { None };
        told.map_or_else(|| entry.clone(), |body| Entry { body, ..entry.clone() })
    }
}
