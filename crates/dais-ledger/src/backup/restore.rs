//! Checking and restoring a backup.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::file;
use super::manifest::Backup;
use super::pack::{check_sum, unpack};
use super::save::verify_file;
use super::scratch::Scratch;
use super::store::{Place, Store};
use super::{BackupError, Encryption, Progress, Task, Unlock};
use crate::audit::{Damage, Verified, read_row};
use crate::head::{HeadVerifier, SignedHead};
use crate::storage::{Batch, Durability, SqliteStorage, Storage, StorageError};

/// The name of what was unpacked.
const LEDGER: &str = "ledger.db";

/// What happens to a file that is at the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It stays, and nothing is restored.
    #[default]
    Refuse,
    /// It is renamed, with `.before-restore` added to its name, and its place is taken.
    SetAside,
}

/// How a backup is restored.
#[derive(Debug, Default)]
pub struct RestoreParams {
    /// What decrypts it.
    pub unlock: Option<Unlock>,
    /// Restores the log as of the last sealed head of at most so many entries; without, as it was saved.
    pub until: Option<u64>,
    /// What happens to a file that is there already.
    pub existing: Existing,
    /// The key the log must have; without, the one in the manifest.
    pub public_key: Option<HeadVerifier>,
}

/// A ledger that was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup it came from.
    pub backup: Backup,
    /// What was verified, as it is at the target.
    pub verified: Verified,
    /// Where the file that was at the target is now.
    pub set_aside: Option<PathBuf>,
}

/// A backup that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The backup.
    pub backup: Backup,
    /// What was verified in its log; `None` for an encrypted one that nothing was given to decrypt with, of which the
    /// checksum alone was compared.
    pub verified: Option<Verified>,
}

/// Restores a backup, the newest of a place or the one it names, to a ledger file.
///
/// Checksum, decryption, length, digest of the ledger, every entry, hash and seal, and the head in the manifest are
/// checked in a folder beside the target before anything there is touched. Of a backup in a store, the packed file is
/// copied there first.
///
/// # Errors
///
/// The first check that fails, a target that may not be replaced or is in use. The target is then as it was.
pub fn restore(
    place: impl Into<Place>,
    target: &Path,
    params: &RestoreParams,
    watch: &mut dyn FnMut(Progress),
) -> Result<Restored, BackupError> {
    let place = place.into();
    let backup = Backup::find(&place)?;
    check_target(target, params.existing)?;
    let scratch = Scratch::inside(file::folder_of(target))?;
    let store = &*place.store;
    let mut plain = scratch.file(LEDGER);
    let mut verified = unpack_verified(store, &backup, params.unlock.as_ref(), params.public_key, &scratch, watch)?;
    if let Some(until) = params.until.filter(|&until| until < verified.entries) {
        let cut = scratch.file("cut.db");
        cut_back(&plain, &cut, until, watch)?;
        plain = cut;
        verified = verify_file(&plain, Some(backup.manifest.public_key), watch)?.0;
    }
    file::open(&plain)?.sync_all().map_err(BackupError::at(&plain))?;
    let set_aside = set_aside(target, params.existing)?;
    if let Err(error) = file::put(&plain, target) {
        if let Some(old) = &set_aside {
            rename_ledger(old, target)?;
        }
        return Err(error);
    }
    Ok(Restored { backup, verified, set_aside })
}

/// Checks a backup wholly (as [`restore`] finds and checks it), unpacking it in a folder inside of `scratch`.
///
/// # Errors
///
/// The first check that fails.
pub fn check(
    place: impl Into<Place>,
    unlock: Option<&Unlock>,
    public_key: Option<HeadVerifier>,
    scratch: &Path,
    watch: &mut dyn FnMut(Progress),
) -> Result<Checked, BackupError> {
    let place = place.into();
    let store = &*place.store;
    let backup = Backup::find(&place)?;
    if backup.manifest.encryption == Encryption::Age && unlock.is_none() {
        check_key(&backup, public_key)?;
        check_sum(store, &backup, &mut io::sink(), watch)?;
        return Ok(Checked { backup, verified: None });
    }
    let scratch = Scratch::inside(scratch)?;
    let verified = unpack_verified(store, &backup, unlock, public_key, &scratch, watch)?;
    Ok(Checked { backup, verified: Some(verified) })
}

fn check_key(backup: &Backup, expected: Option<HeadVerifier>) -> Result<HeadVerifier, BackupError> {
    let found = backup.manifest.public_key;
    match expected {
        Some(expected) if expected != found => {
            Err(Damage::ForeignKey { found: found.to_bytes(), expected: expected.to_bytes() }.into())
        }
        _ => Ok(found),
    }
}

/// Unpacks a backup to `ledger.db` in a folder of its own, and verifies it there.
fn unpack_verified(
    store: &dyn Store,
    backup: &Backup,
    unlock: Option<&Unlock>,
    public_key: Option<HeadVerifier>,
    scratch: &Scratch,
    watch: &mut dyn FnMut(Progress),
) -> Result<Verified, BackupError> {
    let key = check_key(backup, public_key)?;
    let plain = &scratch.file(LEDGER);
    if store.folder().is_some() {
        check_sum(store, backup, &mut io::sink(), watch)?;
        unpack(backup, &backup.path, unlock, plain, watch)?;
    } else {
        let packed = scratch.file("packed");
        check_sum(store, backup, &mut file::create(&packed)?, watch)?;
        unpack(backup, &packed, unlock, plain, watch)?;
        fs::remove_file(&packed).map_err(BackupError::at(&packed))?;
    }
    let (verified, _) = verify_file(plain, Some(key), watch)?;
    let manifest = &backup.manifest;
    if verified.head != manifest.head() || verified.origin != manifest.origin {
        let head = verified.head.head;
        let detail = format!(
            "the log in it is {} with {} entries and the root {}, the manifest says {} with {} and {}",
            verified.origin, head.size, head.root, manifest.origin, manifest.size, manifest.root
        );
        return Err(BackupError::Content { path: backup.path.clone(), detail });
    }
    Ok(verified)
}

/// Writes the log up to the last head of at most `until` entries to a new file, batch by batch with its own heads.
fn cut_back(from: &Path, to: &Path, until: u64, watch: &mut dyn FnMut(Progress)) -> Result<(), BackupError> {
    let source = SqliteStorage::open_read_only(from)?;
    let identity = source.identity()?.ok_or(Damage::Headless { what: "identity" })?;
    let first = source.next_head(None)?.ok_or(Damage::Headless { what: "head" })?;
    // Written to a scratch folder and synced as a whole when it is complete.
    let mut copy = SqliteStorage::create(to, Durability::Normal)?;
    copy.initialise(&identity, &first)?;
    let mut last = first;
    while let Some(next) = source.next_head(Some(last.head.size))?.filter(|next| next.head.size <= until) {
        copy.append_batch(&batch_between(&source, &last, &next)?, &next)?;
        last = next;
        watch(Progress { task: Task::Cut, done: last.head.size, total: until });
    }
    Ok(copy.close()?)
}

fn batch_between(source: &SqliteStorage, last: &SignedHead, next: &SignedHead) -> Result<Batch, BackupError> {
    let mut batch = Batch::default();
    batch.restart(last.head.size);
    let mut damage = None;
    source.scan(last.head.size..next.head.size, &mut |row| match read_row(row) {
        Ok(entry) => {
            batch.push(&entry);
            ControlFlow::Continue(())
        }
        Err(found) => {
            damage = Some(found);
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(batch), |damage| Err(damage.into()))
}

fn check_target(target: &Path, existing: Existing) -> Result<(), BackupError> {
    if target.symlink_metadata().is_err() {
        return Ok(());
    }
    if existing == Existing::Refuse || target.is_dir() {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    match SqliteStorage::is_in_use(target) {
        Ok(true) | Err(StorageError::Busy) => Err(BackupError::InUse { path: target.to_owned() }),
        // A file that is too damaged to be opened is what restoring is for.
        Ok(false) | Err(_) => Ok(()),
    }
}

/// Renames what is at the target; returns its new name.
fn set_aside(target: &Path, existing: Existing) -> Result<Option<PathBuf>, BackupError> {
    if target.symlink_metadata().is_err() {
        clear_companions(target)?;
        return Ok(None);
    }
    check_target(target, existing)?;
    let free = |place: &PathBuf| std::iter::once(place.clone()).chain(companions(place)).all(|path| !path.exists());
    let numbered = (2_u32..).map(|number| added(target, &format!(".before-restore-{number}")));
    let place = std::iter::once(added(target, ".before-restore")).chain(numbered).find(free);
    let place = place.ok_or_else(|| BackupError::Exists { path: target.to_owned() })?;
    rename_ledger(target, &place)?;
    Ok(Some(place))
}

/// Removes what readers of a file that is gone have left behind: a write-ahead log without its file would be taken for
/// that of the restored one. One that holds something is not touched.
fn clear_companions(target: &Path) -> Result<(), BackupError> {
    let [log, index] = companions(target);
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(BackupError::Exists { path: log });
    }
    for path in [log, index].iter().filter(|path| path.symlink_metadata().is_ok()) {
        fs::remove_file(path).map_err(BackupError::at(path))?;
    }
    Ok(())
}

/// Renames a ledger file with the files that belong to it.
fn rename_ledger(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::rename(from, to).map_err(BackupError::at(from))?;
    for (from, to) in companions(from).iter().zip(companions(to)) {
        match fs::metadata(from) {
            // Left by a reader, and as good as none.
            Ok(companion) if companion.len() == 0 => fs::remove_file(from).map_err(BackupError::at(from))?,
            Ok(_) => fs::rename(from, to).map_err(BackupError::at(from))?,
            Err(_) => {}
        }
    }
    Ok(())
}

/// The write-ahead log and its index.
fn companions(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| added(path, ending))
}

fn added(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
