//! Reading a ledger from an index on.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

use super::Ledger;
use crate::audit::{Damage, read_row};
use crate::entry::Entry;
use crate::error::LedgerError;
use crate::storage::Storage;

/// The entries of a ledger in order, read in pieces. Made by [`Ledger::entries_since`].
#[derive(Debug)]
pub struct EntriesSince<'a, S: Storage> {
    ledger: &'a Ledger<S>,
    unread: Range<u64>,
    read: VecDeque<(u64, Entry)>,
    /// What ended the reading, given out after what was read before it.
    failure: Option<LedgerError>,
}

impl<'a, S: Storage> EntriesSince<'a, S> {
    const PIECE: u64 = 256;

    pub(super) fn new(ledger: &'a Ledger<S>, unread: Range<u64>) -> Self {
        Self { ledger, unread, read: VecDeque::new(), failure: None }
    }

    /// Takes as much of the next piece from the cache as it has; returns whether that was something.
    fn take_cached(&mut self) -> bool {
        let piece = self.unread.start..self.unread.end.min(self.unread.start + Self::PIECE);
        let cached = piece.map_while(|index| Some((index, self.ledger.caches.entry(index)?)));
        self.read.extend(cached);
        self.unread.start += self.read.len() as u64;
        !self.read.is_empty()
    }

    fn read_piece(&mut self) -> Result<(), LedgerError> {
        let piece = self.unread.start..self.unread.end.min(self.unread.start + Self::PIECE);
        let mut damage = None;
        let (unread, read, caches) = (&mut self.unread, &mut self.read, &self.ledger.caches);
        self.ledger.storage.scan(piece.clone(), &mut |row| {
            let checked = match read_row(row) {
                Ok(_) if row.index != unread.start => Err(Damage::EntryMissing { index: unread.start }),
                checked => checked,
            };
            match checked {
                Ok(entry) => {
                    caches.keep_entry(row.index, &entry);
                    read.push_back((row.index, entry));
                    unread.start += 1;
                    ControlFlow::Continue(())
                }
                Err(found) => {
                    damage = Some(found);
                    ControlFlow::Break(())
                }
            }
        })?;
        match damage {
            Some(damage) => Err(damage.into()),
            None if self.unread.start < piece.end => Err(Damage::EntryMissing { index: self.unread.start }.into()),
            None => Ok(()),
        }
    }
}

impl<S: Storage> Iterator for EntriesSince<'_, S> {
    type Item = Result<(u64, Entry), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() && !self.unread.is_empty() && self.failure.is_none() && !self.take_cached() {
            self.failure = self.read_piece().err().map(|error| self.ledger.noted(error));
        }
        if let Some(read) = self.read.pop_front() {
            return Some(Ok(read));
        }
        let failure = self.failure.take()?;
        self.unread.start = self.unread.end;
        Some(Err(failure))
    }
}
