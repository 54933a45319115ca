//! A coordinator that keeps two histories under one key: an adversary to study what witnesses are good for.

use dais_ledger::{Entry, HeadKey, Kind, MemoryStorage, Origin};
use dais_protocol::{Decision, Outcome};

use crate::logbook::Logbook;
use crate::world::WorldError;

/// The history that a two-faced coordinator shows to half of the witnesses: every signature that was accepted, and every
/// revocation, is said to have been rejected. Nobody else's words are changed, so all agents' seals hold in it.
///
/// Both histories have entries of the same number. Memory: the whole second log.
#[derive(Debug)]
pub(crate) struct SecondFace {
    from_step: u32,
    ledger: Logbook,
}

impl SecondFace {
    /// A second history that differs from step `from_step` on.
    pub(crate) fn new(from_step: u32, origin: Origin, key: HeadKey) -> Result<Self, WorldError> {
        Ok(Self { from_step, ledger: Logbook::begin(Box::new(MemoryStorage::new()), origin, key)? })
    }

    /// Records what the first history has just got.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> Result<(), WorldError> {
        let other: Vec<Entry> = entries.iter().map(|entry| self.told(entry)).collect();
        self.ledger.write(&other)
    }

    /// The second history of a ledger that holds the first one up to `size` entries.
    pub(crate) fn retold(&self, first: &Logbook, size: u64) -> Result<Self, WorldError> {
        let mut again = Self::new(self.from_step, first.origin().clone(), first.key().clone())?;
        let entries: Vec<Entry> = first.entries(size).collect::<Result<_, _>>()?;
        again.record(&entries)?;
        Ok(again)
    }

    pub(crate) fn ledger(&self) -> &Logbook {
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
