//! Backups of a ledger file: made while it is written to, checked before they count, restored only when they verify.
//!
//! A backup is two files at a [`Place`], a folder or an object store: the ledger, compressed (zstd) and, if wanted, encrypted
//! ([age](https://age-encryption.org/v1)), and a [`Manifest`] beside it that says whose log it is, up to which head, and
//! what the file hashes to. [`back_up`] copies the log as of one moment, verifies the copy, packs it, reads the packed
//! file back, and only then names it a backup: the manifest is written last.
//!
//! [`restore`] puts nothing in place that was not checked from the checksum to the last seal. [`check`] does the same
//! without putting it anywhere: what is to be run by a clock.
//!
//! Whoever can write to the folder can replace a backup and its manifest by those of another log. Give the public key
//! of the log, known from elsewhere, to notice it.

use std::io;
use std::path::{Path, PathBuf};

use crate::audit::Damage;
use crate::digest::Digest;
use crate::error::LedgerError;
use crate::storage::StorageError;

mod file;
mod lock;
mod manifest;
mod pack;
mod restore;
mod save;
mod scratch;
mod store;

pub use lock::{Lock, Unlock};
pub use manifest::{Backup, Encryption, Listing, Manifest, Timestamp, TimestampError};
pub use restore::{Checked, Existing, RestoreParams, Restored, check, restore};
pub use save::{BackupParams, Made, back_up};
pub use scratch::remove_unfinished;
pub use store::{Place, StoreFault};

/// What is being done, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The ledger is copied as of one moment; counted in pages.
    Copy,
    /// Entries, hashes, tree and seals are checked; not counted.
    Verify,
    /// The copy is compressed and encrypted; counted in bytes.
    Pack,
    /// The packed file is sent to a store; counted in bytes.
    Send,
    /// A packed file is read, from its store too, and compared with its checksum; counted in bytes.
    Checksum,
    /// A packed file is decrypted and decompressed; counted in bytes.
    Unpack,
    /// The log is written again up to an earlier head; counted in entries.
    Cut,
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub task: Task,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; 0 where that is not known.
    pub total: u64,
}

/// Why a backup was not made, or not used. Nothing was replaced or removed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger or its copy cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log does not hold: the ledger that was to be saved, or the one in the backup.
    #[error("the log does not hold: {0}")]
    Damaged(#[from] Damage),
    /// The ledger cannot be opened or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// An object store did not do what was asked.
    #[error("{}: {fault}", path.display())]
    Store {
        /// Address of what was asked for.
        path: PathBuf,
        /// Why.
        fault: StoreFault,
    },
    /// There is no backup at this place.
    #[error("there is no backup at {}: expected a folder of backups, or a `.db.zst` or `.db.zst.age` file", path.display())]
    NoBackup {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// This is the name of a backup, not of a place for new ones.
    #[error("{} is the name of a backup: name the folder or prefix it shall lie in", path.display())]
    NoPlace {
        /// The name.
        path: PathBuf,
    },
    /// The manifest is missing or is none.
    #[error("{}: {detail}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The backup was made by a later version.
    #[error("{} is of backup format {found}, this version reads format {supported}", path.display())]
    NewerFormat {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that can be read.
        supported: u32,
    },
    /// The packed file is not the one that was written.
    #[error("{} was altered or cut: it has {found_bytes} bytes with the SHA-256 {found}, written were {expected_bytes} with {expected}", path.display())]
    Checksum {
        /// The packed file.
        path: PathBuf,
        /// Digest in the manifest.
        expected: Digest,
        /// Length in the manifest, in bytes.
        expected_bytes: u64,
        /// Digest of the file.
        found: Digest,
        /// Length of the file, in bytes.
        found_bytes: u64,
    },
    /// What is in the packed file is not what the manifest says.
    #[error("{} does not hold what its manifest says: {detail}", path.display())]
    Content {
        /// The packed file.
        path: PathBuf,
        /// What differs.
        detail: String,
    },
    /// The backup is encrypted, and nothing was given to decrypt it with.
    #[error("{} is encrypted: an identity or the passphrase is needed", path.display())]
    Locked {
        /// The packed file.
        path: PathBuf,
    },
    /// The backup is encrypted, and what was given does not decrypt it.
    #[error("{} cannot be decrypted: {detail}", path.display())]
    NotUnlocked {
        /// The packed file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// What was given to encrypt or decrypt with cannot be used.
    #[error("{0}")]
    Key(String),
    /// There is a file where one was to be made.
    #[error("{} exists already; nothing was written to it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file that was to be replaced is open elsewhere.
    #[error("{} is in use: end what writes or reads it first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl BackupError {
    /// Whether a check failed, as opposed to a wrong or missing argument or a file that cannot be reached.
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Checksum { .. } | Self::Content { .. } | Self::Manifest { .. } => true,
            Self::Storage(error) => matches!(error, StorageError::Corrupt { .. }),
            Self::Ledger(error) => {
                matches!(error, LedgerError::Damaged(_) | LedgerError::Storage(StorageError::Corrupt { .. }))
            }
            // A packed file that is gone from its store is found missing; one in a folder cannot be opened.
            Self::Store { fault, .. } => *fault == StoreFault::NoObject,
            Self::Io { .. }
            | Self::NoBackup { .. }
            | Self::NoPlace { .. }
            | Self::NewerFormat { .. }
            | Self::Locked { .. }
            | Self::NotUnlocked { .. }
            | Self::Key(_)
            | Self::Exists { .. }
            | Self::InUse { .. } => false,
        }
    }

    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| match source.downcast() {
            Ok(fault) => Self::Store { path: path.to_owned(), fault },
            Err(source) => Self::Io { path: path.to_owned(), source },
        }
    }
}
