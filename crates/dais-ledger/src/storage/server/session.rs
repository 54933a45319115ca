//! The seam between a storage on a server and one kind of server.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use super::super::location::Purpose;
use super::super::{Batch, Identity, RowRef, StorageError};
use crate::digest::Digest;
use crate::head::{Head, HeadSeal, SignedHead};
use crate::origin::Origin;

/// Knows the way to one log on one server.
pub(super) trait Connector: Send + Sync {
    /// Connects, makes sure of the tables, and gets ready for `purpose`.
    fn connect(&self, purpose: Purpose) -> Result<Box<dyn Session>, Failure>;
}

/// One connection. After [`Failure::Lost`] it is not used again.
pub(super) trait Session: Send {
    /// Writes identity and first head. With [`Attempt::Again`], the same that is there already is a success.
    fn initialise(&mut self, identity: &Identity, head: &SignedHead, attempt: Attempt) -> Result<(), Failure>;

    /// The row of the identity.
    fn identity(&mut self) -> Result<Option<Identity>, Failure>;

    /// Writes a batch under the lock of writers. With [`Attempt::Again`], the same that is there already, recognised by
    /// its head, is a success.
    fn append(&mut self, batch: &Batch, head: &SignedHead, attempt: Attempt) -> Result<(), Failure>;

    /// One more than the highest index.
    fn len(&mut self) -> Result<u64, Failure>;

    /// Fills a page with the first rows of a range.
    fn rows(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure>;

    /// Fills a page with the first leaf hashes of a range.
    fn leaves(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure>;

    /// The head with the largest size.
    fn latest_head(&mut self) -> Result<Option<SignedHead>, Failure>;

    /// The head with the least size above `size`.
    fn next_head(&mut self, size: Option<u64>) -> Result<Option<SignedHead>, Failure>;

    /// Checks tables and rows for what may not be there.
    fn check_structure(&mut self) -> Result<(), Failure>;
}

/// Whether the outcome of an earlier attempt to write the same is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Nobody wrote this before.
    First,
    /// The connection was lost while it was written.
    Again,
}

/// What went wrong on a connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was stored, and it may go well in a moment.
    Transient(String),
    /// The connection is gone; what was being committed may be stored or not.
    Lost(String),
    /// Nothing was stored, and nothing would be another time.
    Final(StorageError),
}

impl Failure {
    /// The tables are there, but not those of a ledger.
    pub(super) fn not_a_ledger(shown: &Path, detail: &str) -> Self {
        Self::Final(StorageError::NotALedger { path: shown.to_owned(), detail: detail.to_owned() })
    }

    /// Stored data that contradict themselves.
    pub(super) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Final(StorageError::Corrupt { detail: detail.into() })
    }
}

/// Rows as read from a server, by column.
#[derive(Debug, Default)]
pub(super) struct Page {
    indices: Vec<u64>,
    leaves: Vec<Digest>,
    bytes: Vec<u8>,
    /// Where the bytes of each row end in `bytes`.
    ends: Vec<usize>,
}

impl Page {
    /// Rows to a page: 32 MiB if all of them are as long as an entry can be.
    pub(super) const ROWS: u32 = 512;
    /// Leaf hashes to a page: 320 KiB.
    pub(super) const LEAVES: u32 = 8_192;

    /// Empties the page, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.indices.clear();
        self.leaves.clear();
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a row as stored; without `bytes`, a leaf hash.
    pub(super) fn push(&mut self, index: i64, leaf: &[u8], bytes: &[u8]) -> Result<(), Failure> {
        self.indices.push(number(index)?);
        self.leaves.push(Digest::from_bytes(sized(leaf, "a leaf hash")?));
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Shows the rows; returns whether more are wanted.
    pub(super) fn show(&self, visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut start = 0;
        for ((&index, &leaf), &end) in self.indices.iter().zip(&self.leaves).zip(&self.ends) {
            visit(RowRef { index, bytes: &self.bytes[start..end], leaf })?;
            start = end;
        }
        ControlFlow::Continue(())
    }

    /// The index after the last row.
    pub(super) fn next_index(&self) -> Option<u64> {
        self.indices.last().map(|last| last.saturating_add(1))
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }
}

/// An index or size as the key of a row. What is larger than any key stands for the largest.
pub(super) fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A key as an index or size.
pub(super) fn number(key: i64) -> Result<u64, Failure> {
    u64::try_from(key).map_err(|_| Failure::corrupt(format!("the index {key} is negative")))
}

/// A head from its stored columns.
pub(super) fn head(size: i64, root: &[u8], seal: &[u8]) -> Result<SignedHead, Failure> {
    let head = Head { size: number(size)?, root: Digest::from_bytes(sized(root, "a root")?) };
    Ok(SignedHead { head, seal: HeadSeal::from_bytes(sized(seal, "a seal")?) })
}

/// An identity from its stored columns.
pub(super) fn identity(origin: String, public_key: &[u8]) -> Result<Identity, Failure> {
    let origin = Origin::new(origin).map_err(|error| Failure::corrupt(format!("its name: {error}")))?;
    Ok(Identity { origin, public_key: sized(public_key, "the public key")? })
}

fn sized<const N: usize>(found: &[u8], what: &str) -> Result<[u8; N], Failure> {
    found.try_into().map_err(|_| Failure::corrupt(format!("{what} has {} bytes instead of {N}", found.len())))
}

/// Refuses tables of a later format than this program knows.
pub(super) fn check_format(found: u32, supported: u32, shown: &Path) -> Result<(), Failure> {
    if found <= supported {
        return Ok(());
    }
    Err(Failure::Final(StorageError::NewerFormat { path: shown.to_owned(), found, supported }))
}
