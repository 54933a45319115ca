//! Checking a whole log against its seals.

use std::ops::ControlFlow;

use crate::digest::Digest;
use crate::entry::{DecodeError, Entry};
use crate::head::{HeadVerifier, InvalidSeal, SignedHead};
use crate::origin::Origin;
use crate::storage::{RowRef, Storage, StorageError};
use crate::tree::{self, Frontier};

/// A log that was checked from the first byte to the last head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Name of the log.
    pub origin: Origin,
    /// Number of entries.
    pub entries: u64,
    /// Number of sealed heads, that of the empty log included.
    pub heads: u64,
    /// The last head.
    pub head: SignedHead,
}

/// The first thing in a log that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The storage cannot be read, or contradicts itself.
    #[error("{source}, noticed after {entries_read} good entries")]
    Unreadable {
        /// Entries that were read and hashed without a complaint before.
        entries_read: u64,
        /// What the storage says.
        source: StorageError,
    },
    /// The storage holds no identity or no head.
    #[error("the log has no {what}")]
    Headless {
        /// What is missing.
        what: &'static str,
    },
    /// The log belongs to another key.
    #[error("the log names the public key {}, expected {}", hex::encode(found), hex::encode(expected))]
    ForeignKey {
        /// Key stored with the log.
        found: [u8; 32],
        /// Key it was checked against.
        expected: [u8; 32],
    },
    /// A head's size, root or seal, or the log's name, was altered.
    #[error(transparent)]
    Seal(#[from] InvalidSeal),
    /// An entry is not there.
    #[error("entry {index} is missing")]
    EntryMissing {
        /// Its index.
        index: u64,
    },
    /// An entry's bytes do not give its leaf hash: one of the two was altered.
    #[error("entry {index} was altered: its bytes hash to {computed}, stored is {stored}")]
    EntryAltered {
        /// Its index.
        index: u64,
        /// Leaf hash stored beside the bytes.
        stored: Digest,
        /// Leaf hash of the bytes.
        computed: Digest,
    },
    /// An entry's bytes have their leaf hash but are no entry.
    #[error("entry {index} cannot be read: {source}")]
    EntryMalformed {
        /// Its index.
        index: u64,
        /// What is wrong with the bytes.
        source: DecodeError,
    },
    /// The entries of one batch are whole each by itself, but are not those that were sealed: replaced, swapped or
    /// inserted together with their hashes.
    #[error(
        "an entry from {first} on, before {size}, was replaced: the tree has the root {computed}, sealed is {sealed}"
    )]
    RootMismatch {
        /// First entry of the batch, or of the part of the tree that was looked at; with [`verify`], all before it are
        /// good.
        first: u64,
        /// Size in the head that seals the batch.
        size: u64,
        /// Root in that head.
        sealed: Digest,
        /// Root of the stored entries.
        computed: Digest,
    },
    /// There are entries that no head seals.
    #[error("entries {first} to {last} are not sealed by any head")]
    EntriesUnsealed {
        /// First such entry.
        first: u64,
        /// Last such entry.
        last: u64,
    },
}

impl Damage {
    /// The first entry that is bad, or the first of the batch in which it lies; `None` when the damage is not in the
    /// entries.
    pub fn first_index(&self) -> Option<u64> {
        match self {
            Self::EntryMissing { index } | Self::EntryAltered { index, .. } | Self::EntryMalformed { index, .. } => {
                Some(*index)
            }
            Self::RootMismatch { first, .. } | Self::EntriesUnsealed { first, .. } => Some(*first),
            Self::Unreadable { .. } | Self::Headless { .. } | Self::ForeignKey { .. } | Self::Seal(_) => None,
        }
    }

    /// Whether the log itself is damaged, as opposed to checked against another key or kept by a storage that cannot be
    /// read at the moment.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Unreadable { source, .. } => matches!(source, StorageError::Corrupt { .. }),
            Self::ForeignKey { .. } => false,
            Self::Headless { .. }
            | Self::Seal(_)
            | Self::EntryMissing { .. }
            | Self::EntryAltered { .. }
            | Self::EntryMalformed { .. }
            | Self::RootMismatch { .. }
            | Self::EntriesUnsealed { .. } => true,
        }
    }
}

/// Checks a stored log against the public key of its heads, in the order of the log, and stops at the first damage.
///
/// Every entry is decoded and hashed, every head's seal and root is checked, with the memory of one entry and one path.
/// Unlike [`crate::Ledger::open`] this works on any storage, however damaged. What it cannot see is a log cut back to
/// an older sealed head: compare [`Verified::head`] with a head kept elsewhere.
///
/// # Errors
///
/// The first [`Damage`].
pub fn verify<S: Storage + ?Sized>(storage: &S, verifier: &HeadVerifier) -> Result<Verified, Damage> {
    let at_start = |source| Damage::Unreadable { entries_read: 0, source };
    storage.check_structure().map_err(at_start)?;
    let identity = storage.identity().map_err(at_start)?;
    let identity = identity.ok_or(Damage::Headless { what: "identity" })?;
    if identity.public_key != verifier.to_bytes() {
        return Err(Damage::ForeignKey { found: identity.public_key, expected: verifier.to_bytes() });
    }
    let mut entries = EntryAudit::default();
    let mut heads = 0;
    let mut last: Option<SignedHead> = None;
    let stored = loop {
        let unreadable = |source| Damage::Unreadable { entries_read: entries.frontier.size(), source };
        // Counted before the head is looked up: what another process appends in between comes with a head of its own.
        let stored = storage.len().map_err(unreadable)?;
        let next = storage.next_head(last.map(|signed| signed.head.size)).map_err(unreadable)?;
        let Some(signed) = next else { break stored };
        verifier.verify(&identity.origin, &signed)?;
        if heads == 0 && signed.head.size != 0 {
            return Err(Damage::Headless { what: "head of the empty log" });
        }
        if last.is_some_and(|last| last.head.size >= signed.head.size) {
            let detail = "its heads are not in the order of their sizes".to_owned();
            return Err(unreadable(StorageError::Corrupt { detail }));
        }
        entries.check_batch(storage, &signed)?;
        heads += 1;
        last = Some(signed);
    };
    let head = last.ok_or(Damage::Headless { what: "head" })?;
    if stored > head.head.size {
        return Err(Damage::EntriesUnsealed { first: head.head.size, last: stored - 1 });
    }
    Ok(Verified { origin: identity.origin, entries: head.head.size, heads, head })
}

/// The tree over the entries checked so far.
#[derive(Default)]
struct EntryAudit {
    frontier: Frontier,
}

impl EntryAudit {
    /// Reads the entries up to a head and compares the roots.
    fn check_batch<S: Storage + ?Sized>(&mut self, storage: &S, signed: &SignedHead) -> Result<(), Damage> {
        let (first, size) = (self.frontier.size(), signed.head.size);
        let mut damage = None;
        let scanned = storage.scan(first..size, &mut |row| match self.check_entry(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(found) => {
                damage = Some(found);
                ControlFlow::Break(())
            }
        });
        let entries_read = self.frontier.size();
        scanned.map_err(|source| Damage::Unreadable { entries_read, source })?;
        if let Some(damage) = damage {
            return Err(damage);
        }
        if entries_read < size {
            return Err(Damage::EntryMissing { index: entries_read });
        }
        let computed = self.frontier.root();
        if computed != signed.head.root {
            return Err(Damage::RootMismatch { first, size, sealed: signed.head.root, computed });
        }
        Ok(())
    }

    fn check_entry(&mut self, row: RowRef<'_>) -> Result<(), Damage> {
        let index = self.frontier.size();
        if row.index != index {
            return Err(Damage::EntryMissing { index });
        }
        check_row(row)?;
        self.frontier.push(row.leaf, |_, _| ());
        Ok(())
    }
}

/// Checks that a row's bytes have the stored leaf hash and are an entry, and returns the entry.
pub(crate) fn read_row(row: RowRef<'_>) -> Result<Entry, Damage> {
    check_hash(row)?;
    Entry::decode(row.bytes).map_err(|source| Damage::EntryMalformed { index: row.index, source })
}

/// As [`read_row`], without making the entry.
pub(crate) fn check_row(row: RowRef<'_>) -> Result<(), Damage> {
    check_hash(row)?;
    Entry::check(row.bytes).map_err(|source| Damage::EntryMalformed { index: row.index, source })
}

fn check_hash(row: RowRef<'_>) -> Result<(), Damage> {
    let computed = tree::leaf_hash(row.bytes);
    if computed == row.leaf {
        Ok(())
    } else {
        Err(Damage::EntryAltered { index: row.index, stored: row.leaf, computed })
    }
}
