//! Files that are complete or not there, and reading and writing with a checksum.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::digest::Digest;

#[expect(clippy::disallowed_types, reason = "backups are files, and this module is their place")]
pub(super) type File = fs::File;

pub(super) fn open(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new().read(true).open(path).map_err(BackupError::at(path))
}

pub(super) fn create(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(BackupError::at(path))
}

/// Moves a finished file to its place, which must be free, and waits until it is there for good.
pub(super) fn put(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: to.to_owned() });
    }
    fs::rename(from, to).map_err(BackupError::at(to))?;
    sync_folder(folder_of(to))
}

/// The folder in which a file lies.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits until the names in a folder are on the disk, where the system has a way to.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    if cfg!(unix) {
        open(folder)?.sync_all().map_err(BackupError::at(folder))?;
    }
    Ok(())
}

/// Hashes and counts what passes through.
pub(super) struct Hashed<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashed<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// What is inside, the digest and the number of bytes.
    pub(super) fn finish(self) -> (T, Digest, u64) {
        (self.inner, Digest::from_bytes(self.hash.finalize().into()), self.bytes)
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.pass(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.pass(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Copies everything and tells how many bytes have passed.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write, watch: &mut dyn FnMut(u64)) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 18];
    let mut done = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(&buffer[..read])?;
        done += read as u64;
        watch(done);
    }
}
