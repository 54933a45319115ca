//! Following a log that others append to.

use std::ops::{ControlFlow, Range};

use super::Ledger;
use crate::audit::{Damage, check_row};
use crate::error::LedgerError;
use crate::head::{Head, HeadVerifier, SignedHead};
use crate::storage::{Identity, Storage};
use crate::tree::{Growth, Tree};

/// What a ledger knows of a log beside its storage: enough to open it elsewhere without reading it all.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    identity: Identity,
    head: SignedHead,
    tree: Tree,
}

impl Known {
    /// Size of the log that is known.
    pub(crate) fn size(&self) -> u64 {
        self.head.head.size
    }
}

impl<S: Storage> Ledger<S> {
    /// Opens a log of which another ledger read a part, and reads the rest of its hashes.
    pub(crate) fn open_known(storage: S, known: Known) -> Result<Self, LedgerError> {
        let mut ledger = Self::with_tree(storage, known.identity, known.head, known.tree);
        ledger.catch_up()?;
        Ok(ledger)
    }

    pub(crate) fn known(&self) -> Known {
        Known { identity: self.identity.clone(), head: self.head, tree: self.tree.clone() }
    }

    /// Takes over what was appended by others since this ledger was opened, and returns the new indices.
    ///
    /// Reads the last head and the hashes of the new entries only: 32 bytes each. The head's seal must be that of the
    /// log's key, and the new hashes must lead from the known root to the new one, so that the log only grew. Whether
    /// each entry has its hash is checked when it is read.
    ///
    /// A ledger in doubt about a batch of its own stays where it is until appending has found out.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Damaged`] when the log does not continue what this ledger knows: altered, or cut back. A server
    /// that copies from another and is behind it looks like a log that was cut. The ledger then stays where it was.
    pub fn catch_up(&mut self) -> Result<Range<u64>, LedgerError> {
        let known = self.head.head.size;
        if self.doubtful.is_some() {
            return Ok(known..known);
        }
        match self.continuation() {
            Ok(None) => (),
            Ok(Some((head, growth))) => {
                self.tree.adopt(growth);
                self.head = head;
            }
            Err(error) => return Err(self.noted(error)),
        }
        Ok(known..self.head.head.size)
    }

    /// The stored head, if it is another than the known one, and what leads to it.
    fn continuation(&self) -> Result<Option<(SignedHead, Growth)>, LedgerError> {
        let stored = self.storage.latest_head()?.ok_or(Damage::Headless { what: "head" })?;
        if stored == self.head {
            return Ok(None);
        }
        let Head { size: known, .. } = self.head.head;
        let Head { size, root: sealed } = stored.head;
        if size < known {
            return Err(Damage::EntryMissing { index: size }.into());
        }
        let verifier = HeadVerifier::from_bytes(self.identity.public_key);
        let verifier = verifier.map_err(|_| Damage::Headless { what: "public key" })?;
        verifier.verify(&self.identity.origin, &stored).map_err(Damage::from)?;
        let mut growth = self.tree.growth();
        self.storage.scan_leaves(known..size, &mut |index, leaf| {
            if index != growth.size() {
                return ControlFlow::Break(());
            }
            growth.push(leaf);
            ControlFlow::Continue(())
        })?;
        if growth.size() < size {
            return Err(Damage::EntryMissing { index: growth.size() }.into());
        }
        let computed = growth.root();
        if computed != sealed {
            let replaced = Damage::RootMismatch { first: known, size, sealed, computed };
            return Err(self.first_altered(known..size)?.unwrap_or(replaced).into());
        }
        Ok(Some((stored, growth)))
    }

    /// The first row of a range whose bytes do not have their hash.
    pub(super) fn first_altered(&self, range: Range<u64>) -> Result<Option<Damage>, LedgerError> {
        let mut damage = None;
        self.storage.scan(range, &mut |row| match check_row(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(found) => {
                damage = Some(found);
                ControlFlow::Break(())
            }
        })?;
        Ok(damage)
    }
}
