//! A coordinator that keeps two histories under one key: an adversary to study what witnesses are good for.

use dais_ledger::{Entry, HeadKey, Kind, MemoryStorage, Origin};
use dais_protocol::{Decision, Outcome};

use crate::exchange::error::ExchangeError;
use crate::exchange::logbook::Logbook;

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
    pub(crate) fn new(from_step: u32, origin: Origin, key: HeadKey) -> Result<Self, ExchangeError> {
        Ok(Self { from_step, ledger: Logbook::begin(Box::new(MemoryStorage::new()), origin, key)? })
    }

    /// The same lie about another ledger, from its beginning.
    pub(crate) fn begun_again(&self, first: &Logbook) -> Result<Self, ExchangeError> {
        Self::new(self.from_step, first.origin().clone(), first.key().clone())
    }

    /// Takes over, changed, what the first history has got since the last call.
    pub(crate) fn follow(&mut self, first: &Logbook) -> Result<(), ExchangeError> {
        let entries: Vec<Entry> = first.entries_since(self.ledger.head().head.size).collect::<Result<_, _>>()?;
        let changed: Vec<Entry> = entries.into_iter().map(|entry| self.changed(entry)).collect();
        self.ledger.write(&changed)
    }

    pub(crate) fn ledger(&self) -> &Logbook {
        &self.ledger
    }

    /// An entry as the second history has it.
    fn changed(&self, entry: Entry) -> Entry {
        if entry.kind != Kind::Outcome || entry.step < self.from_step {
            return entry;
        }
        match Decision::decode(&entry.body) {
            Ok(decision) if decision.outcome == Outcome::Accepted => {
                let body = Decision { outcome: Outcome::Rejected, radius: 0.0, ..decision }.encode();
                Entry { body, ..entry }
            }
            Ok(_) | Err(_) => entry,
        }
    }
}
