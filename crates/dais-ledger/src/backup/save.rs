//! Making a backup.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::file;
use super::manifest::{Backup, Encryption, FORMAT, Manifest, Timestamp};
use super::pack::{Packed, check_sum, pack};
use super::scratch::Scratch;
use super::store::{Place, Store};
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
    /// How many backups of this log stay at the place, the new one counted; without, all.
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
    /// Older backups that were removed: paths, or addresses in a store.
    pub removed: Vec<PathBuf>,
}

/// Saves a ledger file to a place, a folder made if need be, while it may be written to.
///
/// The copy is of one moment and ends in a sealed head. It is verified before it is packed, and the packed file is read
/// back from the place before it counts. A copy without encryption lies for a while in a folder `.dais-unfinished-…`
/// beside the ledger, the packed file in one of that name at the place, or beside the ledger too when that is no folder.
/// Both are removed; what a killed process left, by the next one.
///
/// # Errors
///
/// A ledger that does not hold, a file that cannot be read or written. Older backups are then all still there.
pub fn back_up(
    ledger: &Path,
    place: impl Into<Place>,
    params: &BackupParams,
    watch: &mut dyn FnMut(Progress),
) -> Result<Made, BackupError> {
    let place = place.into();
    if place.name.is_some() {
        return Err(BackupError::NoPlace { path: place.address() });
    }
    let store = &*place.store;
    let storage = SqliteStorage::open_read_only(ledger)?;
    store.prepare()?;
    let beside = file::folder_of(ledger);
    let scratch = Scratch::inside(store.folder().unwrap_or(beside))?;
    let private = Scratch::inside(beside)?;
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
    let backup = Backup { path: store.address(&name), manifest };
    store.put(&unfinished, &name, &mut |done| watch(Progress { task: Task::Send, done, total: file_bytes }))?;
    let counted =
        check_sum(store, &backup, &mut io::sink(), watch).and_then(|()| backup.write_manifest(store, &scratch));
    if let Err(error) = counted {
        // Without its manifest it is no backup; the error that made it none is the one to tell.
        let _ = store.delete(&name);
        return Err(error);
    }
    let removed = params.keep.map_or(Ok(Vec::new()), |keep| thin(store, &backup, keep))?;
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
fn thin(store: &dyn Store, newest: &Backup, keep: NonZeroUsize) -> Result<Vec<PathBuf>, BackupError> {
    let objects = store.list()?.unwrap_or_default();
    let lengths: BTreeMap<&str, u64> = objects.iter().map(|object| (&*object.name, object.bytes)).collect();
    let same_log = |backup: &Backup| {
        backup.manifest.origin == newest.manifest.origin && backup.manifest.public_key == newest.manifest.public_key
    };
    let full = |backup: &Backup| lengths.get(&*backup.manifest.file) == Some(&backup.manifest.file_bytes);
    let older = Backup::read_all(store, &objects).backups.into_iter().rev();
    let older = older.filter(|backup| backup.path != newest.path && same_log(backup) && full(backup));
    let mut removed = Vec::new();
    for backup in older.skip(keep.get() - 1) {
        backup.remove(store)?;
        removed.push(backup.path);
    }
    Ok(removed)
}
