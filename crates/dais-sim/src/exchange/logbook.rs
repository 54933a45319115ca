//! The ledger as the coordinator writes it.
//!
//! A run that goes on after its process ended writes some of its entries a second time. They follow from seed and traffic,
//! so they are the same: what the ledger holds already is compared, and only what it lacks is appended. Nothing that was
//! recorded is ever taken back.

use dais_ledger::{ConsistencyProof, Digest, Entry, Head, HeadKey, Ledger, LedgerError, Origin, SignedHead, Storage};
use serde::{Deserialize, Serialize};

use crate::exchange::error::ExchangeError;

/// The ledger of a run, on any storage.
pub type RunLedger = Ledger<Box<dyn Storage>>;

/// How far a history was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bookmark {
    /// Entries.
    pub(crate) size: u64,
    /// Root over them.
    root: Digest,
}

/// A ledger, and how far this run has written it.
///
/// | the ledger holds | writing an entry |
/// |---|---|
/// | no more than was written | appends it |
/// | the same entry in its place | goes on |
/// | another one in its place | is refused: it is not the ledger of this history |
#[derive(Debug)]
pub(crate) struct Logbook {
    ledger: RunLedger,
    key: HeadKey,
    /// The head over what this run has written.
    head: SignedHead,
}

impl Logbook {
    /// Begins to write the log of this name and key, in a storage that is empty or holds the log already.
    pub(crate) fn begin(storage: Box<dyn Storage>, origin: Origin, key: HeadKey) -> Result<Self, ExchangeError> {
        let head = key.seal(&origin, Head::empty());
        let stored = storage.identity().map_err(LedgerError::from)?;
        if stored.as_ref().is_some_and(|identity| identity.origin != origin) {
            return Err(ExchangeError::OtherHistory { index: 0 });
        }
        let ledger = match stored {
            Some(_) => Ledger::resume(storage, key.clone())?,
            None => Ledger::create(storage, origin, key.clone())?,
        };
        Ok(Self { ledger, key, head })
    }

    /// The head over what this run has written.
    pub(crate) fn head(&self) -> &SignedHead {
        &self.head
    }

    pub(crate) fn origin(&self) -> &Origin {
        self.ledger.origin()
    }

    pub(crate) fn key(&self) -> &HeadKey {
        &self.key
    }

    pub(crate) fn prove_consistency(&self, old_size: u64) -> Result<ConsistencyProof, LedgerError> {
        self.ledger.prove_consistency(old_size, self.head.head.size)
    }

    /// Writes entries after those written so far.
    pub(crate) fn write(&mut self, entries: &[Entry]) -> Result<(), ExchangeError> {
        let (written, held) = (self.head.head.size, self.ledger.head().head.size);
        let again = usize::try_from(held - written).unwrap_or(usize::MAX).min(entries.len());
        let (again, new) = entries.split_at(again);
        for (entry, stored) in again.iter().zip(self.ledger.entries_since(written)) {
            let (index, stored) = stored?;
            if stored != *entry {
                return Err(ExchangeError::OtherHistory { index });
            }
        }
        if !new.is_empty() {
            self.ledger.append_batch(new)?;
        }
        self.turn_to(written + entries.len() as u64)
    }

    /// How far this run has written.
    pub(crate) fn bookmark(&self) -> Bookmark {
        Bookmark { size: self.head.head.size, root: self.head.head.root }
    }

    /// Goes to where a run that is gone on with had come.
    pub(crate) fn go_to(&mut self, mark: Bookmark) -> Result<(), ExchangeError> {
        let held = self.ledger.head().head.size;
        if mark.size > held {
            return Err(ExchangeError::LedgerBehind { held, needed: mark.size });
        }
        if self.ledger.root_at(mark.size)? != mark.root {
            return Err(ExchangeError::OtherHistory { index: mark.size.saturating_sub(1) });
        }
        self.turn_to(mark.size)
    }

    fn turn_to(&mut self, size: u64) -> Result<(), ExchangeError> {
        let last = *self.ledger.head();
        self.head = if size == last.head.size {
            last
        } else {
            let root = self.ledger.root_at(size)?;
            self.key.seal(self.ledger.origin(), Head { size, root })
        };
        Ok(())
    }

    /// What this run has written after the first `size` entries, in order.
    pub(crate) fn entries_since(&self, size: u64) -> impl Iterator<Item = Result<Entry, LedgerError>> {
        let written = self.head.head.size.saturating_sub(size);
        let entries = self.ledger.entries_since(size).take(usize::try_from(written).unwrap_or(usize::MAX));
        entries.map(|entry| entry.map(|(_, entry)| entry))
    }

    /// The ledger of a history that has come to its end.
    pub(crate) fn close(self) -> Result<RunLedger, ExchangeError> {
        let (written, held) = (self.head.head.size, self.ledger.head().head.size);
        if written < held { Err(ExchangeError::OtherHistory { index: written }) } else { Ok(self.ledger) }
    }
}

#[cfg(test)]
mod tests {
    use dais_ledger::{COORDINATOR, Kind, MemoryStorage};

    use super::*;

    fn entries(bodies: std::ops::Range<u8>) -> Vec<Entry> {
        bodies.map(|body| Entry { kind: Kind::Genesis, step: 0, author: COORDINATOR, body: vec![body] }).collect()
    }

    fn begin(storage: RunLedger) -> Logbook {
        let origin = storage.origin().clone();
        Logbook::begin(storage.into_storage(), origin, HeadKey::from_seed([1; 32])).expect("memory")
    }

    /// A ledger that holds ten entries, with the head over the first four.
    fn held() -> (RunLedger, SignedHead, Bookmark) {
        let origin = Origin::new("dais/test").expect("a name");
        let mut book =
            Logbook::begin(Box::new(MemoryStorage::new()), origin, HeadKey::from_seed([1; 32])).expect("memory");
        book.write(&entries(0..4)).expect("memory");
        let (head, mark) = (*book.head(), book.bookmark());
        book.write(&entries(4..10)).expect("memory");
        (book.close().expect("all of it"), head, mark)
    }

    #[test]
    fn what_is_written_again_is_compared_and_the_rest_appended() {
        let (ledger, fourth, _) = held();
        let last = *ledger.head();
        let mut book = begin(ledger);
        book.write(&entries(0..4)).expect("the same");
        assert_eq!(*book.head(), fourth);
        book.write(&entries(4..12)).expect("the same and two more");
        let grown = book.close().expect("all of it");
        assert_eq!(grown.head().head.size, 12);
        assert_eq!(grown.root_at(10), Ok(last.head.root));
    }

    #[test]
    fn another_history_is_refused_at_its_first_entry() {
        let (ledger, _, _) = held();
        let mut book = begin(ledger);
        let mut other = entries(0..6);
        other[3].body = vec![99];
        assert!(matches!(book.write(&other), Err(ExchangeError::OtherHistory { index: 3 })));
    }

    #[test]
    fn a_ledger_with_entries_that_the_history_has_not_is_refused() {
        let (ledger, _, _) = held();
        let mut book = begin(ledger);
        book.write(&entries(0..4)).expect("the same");
        assert!(matches!(book.close(), Err(ExchangeError::OtherHistory { index: 4 })));
    }

    #[test]
    fn a_bookmark_is_only_found_in_its_own_ledger() {
        let (ledger, fourth, mark) = held();
        let mut book = begin(ledger);
        book.go_to(mark).expect("it is there");
        assert_eq!(*book.head(), fourth);
        let origin = Origin::new("dais/test").expect("a name");
        let storage = Box::new(MemoryStorage::new());
        let mut short = Logbook::begin(storage, origin, HeadKey::from_seed([1; 32])).expect("memory");
        short.write(&entries(0..3)).expect("memory");
        assert!(matches!(short.go_to(mark), Err(ExchangeError::LedgerBehind { held: 3, needed: 4 })));
        short.write(&entries(5..9)).expect("memory");
        assert!(matches!(short.go_to(mark), Err(ExchangeError::OtherHistory { index: 3 })));
    }
}
