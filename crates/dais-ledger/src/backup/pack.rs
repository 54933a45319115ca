//! Compressing and encrypting a file, and the way back within the limits of the manifest.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::file::{self, File, Hashed, copy};
use super::manifest::{Backup, Encryption};
use super::store::Store;
use super::{BackupError, Lock, Progress, Task, Unlock};
use crate::digest::Digest;

/// Beyond it, ledgers get little smaller and take much longer.
const ZSTD_LEVEL: i32 = 3;

/// Length and digest of a file before and after packing.
pub(super) struct Packed {
    pub(super) file_bytes: u64,
    pub(super) file_sha256: Digest,
    pub(super) plain_bytes: u64,
    pub(super) plain_sha256: Digest,
}

/// Compresses a file, and encrypts it if there is a lock, into a new one that is on the disk in the end.
pub(super) fn pack(
    plain: &Path,
    packed: &Path,
    lock: Option<&Lock>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Packed, BackupError> {
    let unwritten = BackupError::at;
    let input = file::open(plain)?;
    let total = input.metadata().map_err(unwritten(plain))?.len();
    let mut input = Hashed::new(input);
    let output = Hashed::new(BufWriter::new(file::create(packed)?));
    let mut watch = |done| watch(Progress { task: Task::Pack, done, total });
    let output = match lock {
        None => compress(&mut input, output, &mut watch).map_err(unwritten(packed))?,
        Some(lock) => {
            let sealed = lock.wrap(output).map_err(BackupError::Key)?;
            let sealed = compress(&mut input, sealed, &mut watch).map_err(unwritten(packed))?;
            sealed.finish().map_err(unwritten(packed))?
        }
    };
    let (_, plain_sha256, plain_bytes) = input.finish();
    let (output, file_sha256, file_bytes) = output.finish();
    let output = output.into_inner().map_err(|error| unwritten(packed)(error.into_error()))?;
    output.sync_all().map_err(unwritten(packed))?;
    Ok(Packed { file_bytes, file_sha256, plain_bytes, plain_sha256 })
}

fn compress<W: Write>(input: &mut impl Read, output: W, watch: &mut dyn FnMut(u64)) -> io::Result<W> {
    let mut encoder = zstd::Encoder::new(output, ZSTD_LEVEL)?;
    copy(input, &mut encoder, watch)?;
    encoder.finish()
}

/// Compares a packed file, as it comes from its store, with the length and the digest in its manifest; what was read is
/// written to `copy_to` as well.
pub(super) fn check_sum(
    store: &dyn Store,
    backup: &Backup,
    copy_to: &mut impl Write,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    let manifest = &backup.manifest;
    let mut input = Hashed::new(store.get(&manifest.file)?);
    let total = manifest.file_bytes;
    copy(&mut input, copy_to, &mut |done| watch(Progress { task: Task::Checksum, done, total }))
        .map_err(BackupError::at(&backup.path))?;
    let (_, found, found_bytes) = input.finish();
    if (found, found_bytes) == (manifest.file_sha256, manifest.file_bytes) {
        return Ok(());
    }
    Err(BackupError::Checksum {
        path: backup.path.clone(),
        expected: manifest.file_sha256,
        expected_bytes: manifest.file_bytes,
        found,
        found_bytes,
    })
}

/// Writes the ledger in a packed file, whose checksum was compared before, to a new file; never more than the manifest
/// says.
pub(super) fn unpack(
    backup: &Backup,
    packed: &Path,
    unlock: Option<&Unlock>,
    plain: &Path,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    let input = file::open(packed)?;
    let path = || backup.path.clone();
    match backup.manifest.encryption {
        Encryption::None => expand(backup, input, plain, watch),
        Encryption::Age => {
            let unlock = unlock.ok_or_else(|| BackupError::Locked { path: path() })?;
            let opened = unlock.unwrap(input).map_err(|detail| BackupError::NotUnlocked { path: path(), detail })?;
            expand(backup, opened, plain, watch)
        }
    }
}

fn expand(
    backup: &Backup,
    packed: impl Read,
    plain: &Path,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    let manifest = &backup.manifest;
    let wrong = |detail: String| BackupError::Content { path: backup.path.clone(), detail };
    let unread = |error: io::Error| wrong(error.to_string());
    let total = manifest.plain_bytes;
    let decoder = zstd::Decoder::new(packed).map_err(unread)?;
    // One byte more than there may be shows that there is more.
    let mut input = Hashed::new(decoder.take(total.saturating_add(1)));
    let mut output: BufWriter<File> = BufWriter::new(file::create(plain)?);
    let mut watch = |done| watch(Progress { task: Task::Unpack, done, total });
    copy(&mut input, &mut output, &mut watch).map_err(unread)?;
    output.flush().map_err(BackupError::at(plain))?;
    let (_, found, found_bytes) = input.finish();
    if found_bytes != total {
        let than = if found_bytes > total { "more than" } else { "only" };
        return Err(wrong(format!("the ledger in it has {than} {} of {total} bytes", found_bytes.min(total))));
    }
    if found != manifest.plain_sha256 {
        return Err(wrong(format!("the ledger in it has the SHA-256 {found}, not {}", manifest.plain_sha256)));
    }
    Ok(())
}
