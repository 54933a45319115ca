//! The first thing in an export that is not as it should be.

use super::folder::FileError;
use crate::checkpoint::{CheckpointError, Unsigned};
use crate::digest::Digest;
use crate::entry::DecodeError;
use crate::head::InvalidSeal;
use crate::origin::Origin;

/// The first bad file of an export, with the entry in it where one is known. Paths are relative to the export's folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileFault {
    /// The operating system does not let it be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// A file is not there.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// A folder, link or device where a file should be.
    #[error("{path} is not a plain file")]
    NotAFile {
        /// Its path.
        path: String,
    },
    /// A file is cut, or longer than it may be.
    #[error("{path} has {found} bytes, expected {expected}")]
    Length {
        /// The file.
        path: String,
        /// Its length, in bytes.
        found: u64,
        /// Length it must have, or the most it may have, in bytes.
        expected: u64,
    },
    /// The checkpoint is no checkpoint.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint belongs to another log.
    #[error("the export is of the log `{found}`, expected `{expected}`")]
    ForeignLog {
        /// Name in the checkpoint.
        found: Origin,
        /// Name it was checked against.
        expected: Origin,
    },
    /// The checkpoint is not signed with the key of the log.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// A bundle ends within an entry.
    #[error("{path} ends within entry {index}")]
    EntryCut {
        /// The bundle.
        path: String,
        /// Index of the entry in the log.
        index: u64,
    },
    /// A bundle goes on after its last entry.
    #[error("{path} has {bytes} bytes after its last entry")]
    BundleSurplus {
        /// The bundle.
        path: String,
        /// Bytes too many.
        bytes: u64,
    },
    /// An entry and its hash in the tile do not fit: one of the two was altered.
    #[error("entry {index} in {path} hashes to {computed}, its tile says {stated}")]
    EntryAltered {
        /// The bundle.
        path: String,
        /// Index of the entry in the log.
        index: u64,
        /// Hash in the tile.
        stated: Digest,
        /// Hash of the entry's bytes.
        computed: Digest,
    },
    /// An entry has its hash but cannot be read.
    #[error("entry {index} in {path} cannot be read: {source}")]
    EntryMalformed {
        /// The bundle.
        path: String,
        /// Index of the entry in the log.
        index: u64,
        /// What is wrong with the bytes.
        source: DecodeError,
    },
    /// A hash of a higher tile is not that of the entries below it.
    #[error("{path}: hash {position}, over the entries from {first} on, should be {computed}, found {stated}")]
    HashAltered {
        /// The tile.
        path: String,
        /// Position of the hash in the tile, from 0.
        position: u64,
        /// First entry below it.
        first: u64,
        /// Hash in the tile.
        stated: Digest,
        /// Hash of the entries.
        computed: Digest,
    },
    /// A head is not sealed with the key of the log.
    #[error("{path}: {source}")]
    Seal {
        /// The bundle of heads.
        path: String,
        /// Which head.
        source: InvalidSeal,
    },
    /// Heads are not in the order of their sizes, beginning with the empty log and ending with the checkpoint.
    #[error("{path}: the head of size {size} is out of order")]
    HeadOrder {
        /// The bundle of heads, or the checkpoint.
        path: String,
        /// Size in the head.
        size: u64,
    },
    /// Entries and tiles fit one another but not what was sealed: entries were replaced together with their hashes.
    #[error(
        "an entry from {first} on, before {size}, was replaced: the tree has the root {computed}, sealed is {sealed}"
    )]
    RootMismatch {
        /// First entry that may be bad; all before it are good.
        first: u64,
        /// Size in the head.
        size: u64,
        /// Root in that head.
        sealed: Digest,
        /// Root of the entries.
        computed: Digest,
    },
    /// A file that does not belong to the checkpoint's log: left by an export that did not end, or put there.
    #[error("{path} does not belong to the export")]
    Surplus {
        /// The file.
        path: String,
    },
    /// A part of a tile or bundle, kept for readers of an earlier checkpoint, is not the beginning of the present one.
    #[error("{path} is not the beginning of {whole}")]
    Outdated {
        /// The file.
        path: String,
        /// The file that holds more of the same.
        whole: String,
    },
}

impl TileFault {
    /// The first entry that is bad, or the first of those among which it lies.
    pub fn first_index(&self) -> Option<u64> {
        match self {
            Self::EntryCut { index, .. } | Self::EntryAltered { index, .. } | Self::EntryMalformed { index, .. } => {
                Some(*index)
            }
            Self::HashAltered { first, .. } | Self::RootMismatch { first, .. } => Some(*first),
            Self::Unreadable(_)
            | Self::Missing { .. }
            | Self::NotAFile { .. }
            | Self::Length { .. }
            | Self::Checkpoint(_)
            | Self::ForeignLog { .. }
            | Self::Unsigned(_)
            | Self::BundleSurplus { .. }
            | Self::Seal { .. }
            | Self::HeadOrder { .. }
            | Self::Surplus { .. }
            | Self::Outdated { .. } => None,
        }
    }
}
