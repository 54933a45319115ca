//! Why a ledger refuses.

use crate::audit::Damage;
use crate::entry::BODY_BYTES_MAX;
use crate::storage::StorageError;

/// Why an operation on a ledger was refused or failed. But for [`LedgerError::InDoubt`], the log is then as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is stored is not what was sealed.
    #[error("the ledger is damaged: {0}")]
    Damaged(#[from] Damage),
    /// Appending after damage was met.
    #[error("the ledger is closed for writing: {cause}; salvage what is good into a new log")]
    Closed {
        /// The first error that told of damage.
        cause: Box<Self>,
    },
    /// The storage failed while a batch was appended, and then could not be asked whether it is stored.
    ///
    /// Append the same batch again: if it was stored, that says so and stores nothing. After a new start, look at the
    /// head before anything is appended again.
    #[error("the batch may or may not have been stored, append it again to find out: {source}")]
    InDoubt {
        /// What the storage said when it was asked.
        source: StorageError,
    },
    /// The storage holds no log yet.
    #[error("the storage holds no log: it was never created, or its creation was interrupted")]
    NotCreated,
    /// Appending without the key.
    #[error("the ledger was opened for reading: appending needs the key of its heads")]
    NoKey,
    /// The key is not the one that sealed the log's heads.
    #[error("this key does not belong to the log, whose public key is {}", hex::encode(expected))]
    WrongKey {
        /// Public key stored with the log.
        expected: [u8; 32],
    },
    /// An entry of a batch is too long; none of the batch was appended.
    #[error("entry {position} of the batch has a body of {bytes} bytes, the most is {BODY_BYTES_MAX}")]
    BodyTooLong {
        /// Position in the batch, from 0.
        position: usize,
        /// Length of its body, in bytes.
        bytes: usize,
    },
    /// An index at or beyond the end.
    #[error("there is no entry {index} in a log of {size} entries")]
    NoSuchEntry {
        /// The index asked for.
        index: u64,
        /// Size of the log asked about.
        size: u64,
    },
    /// A size larger than the log, or an old size larger than the new one.
    #[error("there is no state of {size} entries in a log of {size_max}")]
    NoSuchSize {
        /// The size asked for.
        size: u64,
        /// The largest size possible here.
        size_max: u64,
    },
}

impl LedgerError {
    /// Whether this tells that what is stored is not what was sealed, as opposed to a storage that cannot be reached.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(damage) => damage.is_lasting(),
            Self::Storage(source) | Self::InDoubt { source } => matches!(source, StorageError::Corrupt { .. }),
            Self::Closed { .. } => true,
            Self::NotCreated
            | Self::NoKey
            | Self::WrongKey { .. }
            | Self::BodyTooLong { .. }
            | Self::NoSuchEntry { .. }
            | Self::NoSuchSize { .. } => false,
        }
    }
}
