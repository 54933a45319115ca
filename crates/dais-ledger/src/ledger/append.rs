//! Appending, also to a storage that fails and cannot say whether it wrote.

use std::ops::Range;

use super::Ledger;
use crate::audit::Damage;
use crate::entry::{BODY_BYTES_MAX, Entry};
use crate::error::LedgerError;
use crate::head::{Head, SignedHead};
use crate::storage::{Storage, StorageError};
use crate::tree::Growth;

/// What the ledger becomes once the batch at hand is stored.
#[derive(Debug)]
pub(super) struct Attempt {
    signed: SignedHead,
    growth: Growth,
}

impl<S: Storage> Ledger<S> {
    /// Appends entries, seals the new head, and returns the indices the entries got.
    ///
    /// Entries and head are written in one transaction: when this returns `Ok`, all are stored as durably as the
    /// storage promises; on an error other than [`LedgerError::InDoubt`], none is. An empty batch changes nothing.
    ///
    /// After any error of the storage the same batch may be appended again, and is never stored twice. What the
    /// storage holds decides: if it failed after it had written, the batch counts as appended.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoKey`], [`LedgerError::BodyTooLong`], [`LedgerError::Closed`] once damage was met,
    /// [`LedgerError::InDoubt`] when the storage failed and cannot be asked, or what the storage reports.
    pub fn append_batch(&mut self, entries: &[Entry]) -> Result<Range<u64>, LedgerError> {
        if let Some(cause) = self.closed_by.get() {
            return Err(LedgerError::Closed { cause: Box::new(cause.clone()) });
        }
        let first = self.head.head.size;
        let attempt = self.prepare(entries)?;
        if entries.is_empty() {
            return Ok(first..first);
        }
        let Some(doubtful) = self.doubtful.take() else { return self.store(attempt) };
        let again = doubtful.signed == attempt.signed;
        let stored = self.settle(doubtful)?;
        match (stored, again) {
            (true, true) => Ok(first..self.head.head.size),
            (true, false) => {
                let attempt = self.prepare(entries)?;
                self.store(attempt)
            }
            (false, _) => self.store(attempt),
        }
    }

    /// Fills the batch with entries behind the present head and seals the head they lead to.
    fn prepare(&mut self, entries: &[Entry]) -> Result<Attempt, LedgerError> {
        let key = self.key.as_ref().ok_or(LedgerError::NoKey)?;
        let too_long = |entry: &Entry| entry.body.len() > BODY_BYTES_MAX;
        if let Some(position) = entries.iter().position(too_long) {
            let bytes = entries[position].body.len();
            return Err(LedgerError::BodyTooLong { position, bytes });
        }
        self.batch.restart(self.head.head.size);
        let mut growth = self.tree.growth();
        for entry in entries {
            growth.push(self.batch.push(entry));
        }
        let head = Head { size: growth.size(), root: growth.root() };
        Ok(Attempt { signed: key.seal(&self.identity.origin, head), growth })
    }

    fn store(&mut self, attempt: Attempt) -> Result<Range<u64>, LedgerError> {
        let first = self.head.head.size;
        match self.storage.append_batch(&self.batch, &attempt.signed) {
            Ok(()) => self.adopt(attempt),
            Err(refused @ StorageError::Conflict { .. }) => return Err(refused.into()),
            Err(error) => {
                let error = self.noted(error.into());
                if !self.settle(attempt)? {
                    return Err(error);
                }
            }
        }
        Ok(first..self.head.head.size)
    }

    /// Finds out whether an attempt was stored, and takes it over if so.
    ///
    /// The stored head decides, since a head is written together with its batch or not at all.
    fn settle(&mut self, attempt: Attempt) -> Result<bool, LedgerError> {
        let expected = self.head.head.size;
        match self.storage.latest_head() {
            Ok(Some(stored)) if stored == attempt.signed => {
                self.adopt(attempt);
                Ok(true)
            }
            Ok(Some(stored)) if stored == self.head => Ok(false),
            Ok(Some(stored)) if stored.head.size > expected => {
                Err(StorageError::Conflict { expected, found: stored.head.size }.into())
            }
            Ok(Some(stored)) if stored.head.size < expected => {
                Err(self.noted(Damage::EntryMissing { index: stored.head.size }.into()))
            }
            Ok(_) => Err(self.noted(Damage::Headless { what: "head that was sealed last" }.into())),
            Err(source) => {
                self.noted(source.clone().into());
                self.doubtful = Some(attempt);
                Err(LedgerError::InDoubt { source })
            }
        }
    }

    fn adopt(&mut self, attempt: Attempt) {
        self.tree.adopt(attempt.growth);
        self.head = attempt.signed;
    }
}
