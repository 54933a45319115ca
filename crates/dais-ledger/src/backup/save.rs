//! Making a backup.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::file::{self, Scratch};
use super::manifest::{Backup, Encryption, FORMAT, Manifest, Timestamp};
use super::pack::{Packed, check_sum, pack};
use super::{BackupError, Lock, Progress, Task};
use crate::audit::{Damage, Verified, verify};
use crate::head::HeadVerifier;
use crate::storage::{Durability, SqliteStorage, Storage};

/// How a backup is made.
#[derive(Debug)]
pub struct BackupParams {
    /// The time now.
    pub created: Timestamp,
    /// Who can read it; without, everybody can.
    pub lock: Option<Lock>,
    /// How many backups of this log stay in the folder, the new one counted; without, all.
    pub keep: Option<NonZeroUsize>,
    /// The key the log must have; without, the one stored with it.
    pub public_key: Option<HeadVerifier>,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// The backup.
    pub backup: Backup,
    /// What was verified.
    pub verified: Verified,
    /// Older backups that were removed.
    pub removed: Vec<PathBuf>,
}

/// Saves a ledger file to a folder, made if need be, while it may be written to.
///
/// The copy is of one moment and ends in a sealed head. It is verified before it is packed, and the packed file is read
/// back before it counts. A copy without encryption lies for a while in a folder `.dais-unfinished-…` beside the ledger,
/// the packed file in one of that name in `folder`; both are removed, unless the process is killed.
///
/// # Errors
///
/// A ledger that does not hold, a file that cannot be read or written. Older backups are then all still there.
pub fn back_up(
    ledger: &Path,
    folder: &Path,
    params: &BackupParams,
    watch: &mut dyn FnMut(Progress),
) -> Result<Made, BackupError> {
    let storage = SqliteStorage::open_read_only(ledger)?;
    fs::create_dir_all(folder).map_err(BackupError::at(folder))?;
    let scratch = Scratch::inside(folder)?;
    let private = Scratch::inside(file::folder_of(ledger))?;
    let plain = private.file("ledger.db");
    storage.snapshot(&plain, &mut |done, total| watch(Progress { task: Task::Copy, done, total }))?;
    drop(storage);
    let (verified, public_key) = verify_file(&plain, params.public_key, watch)?;

    let unfinished = scratch.file("packed");
    let Packed { file_bytes, file_sha256, plain_bytes, plain_sha256 } =
        pack(&plain, &unfinished, params.lock.as_ref(), watch)?;
    drop(private);
    let encryption = if params.lock.is_some() { Encryption::Age } else { Encryption::None };
    let name = Manifest::file_name(&verified.origin, verified.entries, &params.created, encryption);
    let manifest = Manifest {
        format: FORMAT,
        file: name.clone(),
        origin: verified.origin.clone(),
        public_key,
        size: verified.head.head.size,
        root: verified.head.head.root,
        seal: verified.head.seal,
        checkpoint: verified.head.checkpoint(&verified.origin, &public_key),
        ledger_format: SqliteStorage::FORMAT,
        created: params.created.clone(),
        encryption,
        file_bytes,
        file_sha256,
        plain_bytes,
        plain_sha256,
    };
    let backup = Backup { path: folder.join(&name), manifest };
    file::put(&unfinished, &backup.path)?;
    let counted = check_sum(&backup, watch).and_then(|()| backup.write_manifest(&scratch));
    if let Err(error) = counted {
        // Without its manifest it is no backup; the error that made it none is the one to tell.
        let _ = fs::remove_file(&backup.path);
        return Err(error);
    }
    let removed = params.keep.map_or(Ok(Vec::new()), |keep| thin(folder, &backup, keep))?;
    Ok(Made { backup, verified, removed })
}

/// Verifies a ledger file that nobody else has open, and leaves it closed, all in one file.
pub(super) fn verify_file(
    path: &Path,
    expected: Option<HeadVerifier>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(Verified, HeadVerifier), BackupError> {
    watch(Progress { task: Task::Verify, done: 0, total: 0 });
    let storage = SqliteStorage::open(path, Durability::Normal)?;
    let stored = || {
        let identity = storage.identity()?.ok_or(Damage::Headless { what: "identity" })?;
        HeadVerifier::from_bytes(identity.public_key)
            .map_err(|_| BackupError::Damaged(Damage::Headless { what: "public key" }))
    };
    let verifier = expected.map_or_else(stored, Ok)?;
    let verified = verify(&storage, &verifier)?;
    storage.close()?;
    Ok((verified, verifier))
}

/// Removes the oldest backups of a log so that `keep` stay, of which `newest`, made and read back just now, is one. Those
/// whose file has not its full length do not count and stay for a look.
fn thin(folder: &Path, newest: &Backup, keep: NonZeroUsize) -> Result<Vec<PathBuf>, BackupError> {
    let same_log = |backup: &Backup| {
        backup.manifest.origin == newest.manifest.origin && backup.manifest.public_key == newest.manifest.public_key
    };
    let full =
        |backup: &Backup| fs::metadata(&backup.path).is_ok_and(|packed| packed.len() == backup.manifest.file_bytes);
    let older = Backup::list(folder)?.backups.into_iter().rev();
    let older = older.filter(|backup| backup.path != newest.path && same_log(backup) && full(backup));
    let mut removed = Vec::new();
    for backup in older.skip(keep.get() - 1) {
        backup.remove()?;
        removed.push(backup.path);
    }
    Ok(removed)
}
