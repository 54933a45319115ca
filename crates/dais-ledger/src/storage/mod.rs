//! Where a ledger keeps its rows.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use crate::digest::Digest;
use crate::entry::Entry;
use crate::head::SignedHead;
use crate::origin::Origin;
use crate::tree;

mod location;
mod memory;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use location::{Location, LocationError, ServerUrl, System};
pub use memory::MemoryStorage;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use server::ServerStorage;
pub use settings::{Durability, PoolSettings, ServerSettings, StorageOptions};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStorage;

/// Whose log it is: written once, when the log is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the log.
    pub origin: Origin,
    /// Public key of its heads. Only a hint to readers: whoever can write the file can replace it.
    pub public_key: [u8; 32],
}

/// One stored entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef<'a> {
    /// Index in the log, from 0.
    pub index: u64,
    /// Canonical bytes of the entry.
    pub bytes: &'a [u8],
    /// Their leaf hash, as stored.
    pub leaf: Digest,
}

/// Rows to be appended together, by column.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    first_index: u64,
    bytes: Vec<u8>,
    /// Where the bytes of each row end in `bytes`.
    ends: Vec<usize>,
    leaves: Vec<Digest>,
}

impl Batch {
    /// Empties the batch, keeping its memory, for rows from `first_index` on.
    pub(crate) fn restart(&mut self, first_index: u64) {
        self.first_index = first_index;
        self.bytes.clear();
        self.ends.clear();
        self.leaves.clear();
    }

    /// Adds an entry and returns its leaf hash.
    pub(crate) fn push(&mut self, entry: &Entry) -> Digest {
        let start = self.bytes.len();
        entry.encode_into(&mut self.bytes);
        let leaf = tree::leaf_hash(&self.bytes[start..]);
        self.ends.push(self.bytes.len());
        self.leaves.push(leaf);
        leaf
    }

    /// Adds the rows of another batch at the end.
    pub(crate) fn extend(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
        self.leaves.extend_from_slice(&other.leaves);
    }

    /// Index that the first row gets.
    pub fn first_index(&self) -> u64 {
        self.first_index
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows_at(0..self.len())
    }

    /// The rows at these positions, all of which there must be.
    pub(crate) fn rows_at(&self, positions: Range<usize>) -> impl Iterator<Item = RowRef<'_>> {
        let mut start = if positions.start == 0 { 0 } else { self.ends[positions.start - 1] };
        let rows = self.ends[positions.clone()].iter().zip(&self.leaves[positions.clone()]);
        rows.zip(self.first_index + positions.start as u64..).map(move |((&end, &leaf), index)| {
            let bytes = &self.bytes[start..end];
            start = end;
            RowRef { index, bytes, leaf }
        })
    }
}

/// The seam between a ledger and the place that holds its rows.
///
/// A storage keeps what it is given and knows nothing of hashes or seals. It need not be trusted: the ledger and
/// [`crate::verify`] check what it returns. Rows are never changed or removed.
pub trait Storage: fmt::Debug + Send {
    /// Writes identity and first head into an empty storage, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StorageError::AlreadyCreated`] when it holds a log.
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError>;

    /// The identity, or `None` before [`Storage::initialise`].
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn identity(&self) -> Result<Option<Identity>, StorageError>;

    /// Writes the rows and the head they lead to in one transaction: all of it is stored, or, on an error, nothing.
    /// Only after [`StorageError::Unavailable`] it is not known which.
    ///
    /// # Errors
    ///
    /// [`StorageError::Conflict`] when the first index is not the number of stored rows.
    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError>;

    /// Number of rows: one more than the highest index.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn len(&self) -> Result<u64, StorageError>;

    /// Whether there are no rows.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? == 0)
    }

    /// Shows the rows of a range in ascending order, one at a time; rows that are not there are left out.
    ///
    /// # Errors
    ///
    /// When a row cannot be read.
    fn scan(&self, range: Range<u64>, visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>)
    -> Result<(), StorageError>;

    /// Shows index and leaf hash of the rows of a range, as [`Storage::scan`] would, where possible without reading
    /// the entries themselves.
    ///
    /// # Errors
    ///
    /// When a row cannot be read.
    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.scan(range, &mut |row| visit(row.index, row.leaf))
    }

    /// The head with the largest size.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError>;

    /// The head with the least size above `size`; with `None`, the first of all.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError>;

    /// Checks what the storage itself can check about its own structure.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] with the first thing that is wrong.
    fn check_structure(&self) -> Result<(), StorageError>;
}

impl<S: Storage + ?Sized> Storage for Box<S> {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        (**self).initialise(identity, head)
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        (**self).identity()
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        (**self).append_batch(batch, head)
    }

    fn len(&self) -> Result<u64, StorageError> {
        (**self).len()
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        (**self).scan(range, visit)
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        (**self).scan_leaves(range, visit)
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        (**self).latest_head()
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        (**self).next_head(size)
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        (**self).check_structure()
    }
}

/// What can go wrong in a storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// There is a file where a new ledger was to be made; it was not touched.
    #[error("{} exists already; nothing was written to it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file, or no ledger in that place on the server.
    #[error("there is no ledger at {}", path.display())]
    NotFound {
        /// The file, or the place on the server without its password.
        path: PathBuf,
    },
    /// The file or its folder cannot be opened or written.
    #[error("{} cannot be opened: {detail}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the operating system or SQLite says.
        detail: String,
    },
    /// The file, or the place on the server, holds something else.
    #[error("{} is not a dais ledger: {detail}", path.display())]
    NotALedger {
        /// The file, or the place on the server without its password.
        path: PathBuf,
        /// What it lacks.
        detail: String,
    },
    /// The file, or the place on the server, was written by a later version.
    #[error("{} has ledger format {found}, this version reads up to {supported}", path.display())]
    NewerFormat {
        /// The file, or the place on the server without its password.
        path: PathBuf,
        /// Format of the file.
        found: u32,
        /// Newest format that can be read.
        supported: u32,
    },
    /// A log was to be made where one is.
    #[error("the storage holds a log already")]
    AlreadyCreated,
    /// Rows were to be written elsewhere than at the end: another writer was faster.
    #[error("the next index is {found}, not {expected}: the log has another writer")]
    Conflict {
        /// First index of the batch.
        expected: u64,
        /// Number of stored rows.
        found: u64,
    },
    /// Another process holds the file for longer than the waiting time.
    #[error("the ledger file is held by another process")]
    Busy,
    /// No space is left; the batch was not stored, and may be appended again when there is space.
    #[error("no space left to write the ledger; the batch was not stored")]
    Full,
    /// The file, its medium or the permissions do not allow writing.
    #[error("the ledger cannot be written: it is read-only, or the permission to write it is missing")]
    ReadOnly,
    /// The stored data contradict themselves.
    #[error("the ledger is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// Reading or writing failed.
    #[error("reading or writing the ledger failed: {detail}")]
    Io {
        /// What the operating system, SQLite or the server says.
        detail: String,
    },
    /// The server cannot be reached, or was lost, and did not come back in the time given to it.
    ///
    /// Whether a batch that was being appended is stored is unknown. Appending the same batch to the same storage again
    /// finds out, and stores it only if it is not there; so does opening the ledger anew and looking at its head.
    #[error("the server of the ledger is not available, tried {attempts} times: {detail}")]
    Unavailable {
        /// How often it was tried.
        attempts: u32,
        /// What the last attempt met.
        detail: String,
    },
    /// The server is there and took too long; nothing was stored.
    #[error("the server of the ledger took too long: {detail}")]
    Timeout {
        /// What the server says.
        detail: String,
    },
    /// The server refuses, and would refuse again: a constraint, a login, a missing permission or database, or a
    /// setting in the connection string.
    #[error("refused: {detail}")]
    Refused {
        /// What was refused and why.
        detail: String,
    },
    /// This program was built without the storage that is asked for.
    #[error("this program was built without {scheme} storages: build it with the feature `{feature}`")]
    NotBuilt {
        /// Scheme of the connection string.
        scheme: &'static str,
        /// Feature that brings the storage.
        feature: &'static str,
    },
}
