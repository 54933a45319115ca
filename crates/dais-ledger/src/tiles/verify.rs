//! Checking an export without the ledger it was made of.

use std::path::Path;

use super::fault::TileFault;
use super::folder::Folder;
use super::surplus::Surplus;
use super::walk::walk;
use crate::checkpoint::Checkpoint;
use crate::head::{HeadVerifier, SignedHead};
use crate::origin::Origin;

/// An export that was checked from the first byte to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTiles {
    /// The checkpoint, with the signatures of witnesses if there are any: see [`crate::WitnessPolicy`].
    pub checkpoint: Checkpoint,
    /// The head in it, sealed by the log.
    pub head: SignedHead,
    /// Number of entries.
    pub entries: u64,
    /// Number of sealed heads kept beside the tiles, that of the empty log included; 0 in an export of another program.
    pub heads: u64,
    /// Number of files, parts kept for readers of earlier checkpoints included.
    pub files: u64,
    /// Bytes of the tiles and bundles that the checkpoint covers.
    pub bytes: u64,
}

/// Checks an export against the name and public key of its log, and stops at the first fault.
///
/// Every entry is decoded and hashed, and each hash in each tile, each head's seal and root and the checkpoint's root
/// are computed anew and compared. Files that do not belong there are a fault as well. The memory needed is that of one
/// bundle (at most 17 MB) whatever the size of the log.
///
/// An export to which a ledger is just being added may show files that the checkpoint does not know yet: take a copy
/// and try again.
///
/// # Errors
///
/// The first [`TileFault`], in the order of the log; files too many come last.
pub fn verify_tiles(folder: &Path, origin: &Origin, verifier: &HeadVerifier) -> Result<VerifiedTiles, TileFault> {
    let folder = Folder::new(folder);
    let walked = walk::<TileFault>(&folder, origin, verifier, &mut |_| Ok(()))?;
    let size = walked.signed.head.size;
    let mut surplus = Surplus { folder: &folder, size, heads: walked.heads, whole: None, files: 0 };
    surplus.look()?;
    Ok(VerifiedTiles {
        checkpoint: walked.checkpoint,
        head: walked.signed,
        entries: size,
        heads: walked.heads,
        files: surplus.files,
        bytes: walked.bytes,
    })
}
