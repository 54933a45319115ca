//! Making a ledger of an export again.

use std::path::Path;

use super::fault::TileFault;
use super::folder::Folder;
use super::verify::verify_tiles;
use super::walk::{Item, walk};
use crate::error::LedgerError;
use crate::head::HeadVerifier;
use crate::ledger::Ledger;
use crate::origin::Origin;
use crate::storage::{Batch, Identity, Storage, StorageError};

/// Most bytes of entries between two heads that are imported: a batch is written in one piece.
pub const IMPORT_BATCH_BYTES_MAX: usize = 1 << 30;

/// Why an export was not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The export is damaged; nothing was written.
    #[error(transparent)]
    Fault(#[from] TileFault),
    /// The storage or the ledger in it failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There are no heads beside the tiles, as in an export of another program; nothing was written.
    #[error("the export has tiles but no heads: it can be verified, not imported")]
    NoHeads,
    /// The entries between two heads are more than can be written in one piece.
    #[error("the entries before size {size} have more than {IMPORT_BATCH_BYTES_MAX} bytes since the last head")]
    BatchTooLarge {
        /// Entries up to there.
        size: u64,
    },
}

impl From<StorageError> for ImportError {
    fn from(error: StorageError) -> Self {
        Self::Ledger(error.into())
    }
}

/// Writes the log of an export into an empty storage: the same entries, heads and identity, byte for byte.
///
/// The export is verified first, and once more while it is written. The ledger returned can be read, not appended to:
/// two ledgers that go on with one key make a split view sooner or later.
///
/// # Errors
///
/// [`ImportError`]. When the storage fails in the middle, it holds the log as of an earlier head.
pub fn import_tiles<S: Storage>(
    folder: &Path,
    origin: &Origin,
    verifier: &HeadVerifier,
    mut storage: S,
) -> Result<Ledger<S>, ImportError> {
    if verify_tiles(folder, origin, verifier)?.heads == 0 {
        return Err(ImportError::NoHeads);
    }
    let identity = Identity { origin: origin.clone(), public_key: verifier.to_bytes() };
    let mut batch = Batch::default();
    let mut size = 0;
    let mut bytes = 0;
    walk(&Folder::new(folder), origin, verifier, &mut |item| {
        match item {
            Item::Entry(entry) => {
                batch.push(&entry);
                size += 1;
                bytes += entry.body.len();
                if bytes > IMPORT_BATCH_BYTES_MAX {
                    return Err(ImportError::BatchTooLarge { size });
                }
            }
            Item::Head(signed) if signed.head.size == 0 => storage.initialise(&identity, &signed)?,
            Item::Head(signed) => {
                storage.append_batch(&batch, &signed)?;
                batch.restart(size);
                bytes = 0;
            }
        }
        Ok(())
    })?;
    Ok(Ledger::open(storage)?)
}
