//! Reading and writing the files of an export.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::layout::UNFINISHED;

/// A file that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system says.
    pub detail: String,
}

/// What is found where a file should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// More bytes than may be read.
    TooLong(u64),
    /// Nothing.
    Nothing,
    /// A folder, link or device.
    Other,
}

/// The folder of an export.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The place of a path with `/`, as the layout gives it.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn error(&self, path: &str, error: &io::Error) -> FileError {
        FileError { path: self.place(path), detail: error.to_string() }
    }

    /// Reads a file of at most `bytes_max` bytes; links and devices are not followed.
    pub(super) fn read(&self, path: &str, bytes_max: u64) -> Result<Found, FileError> {
        read(&self.place(path), bytes_max).map_err(|error| self.error(path, &error))
    }

    pub(super) fn is_file(&self, path: &str) -> bool {
        fs::symlink_metadata(self.place(path)).is_ok_and(|metadata| metadata.is_file())
    }

    /// Writes a file so that at its place there is either what was before or all of the new bytes. A loss of power may
    /// still empty it, until [`Folder::sync`].
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.write_unfinished(bytes)?;
        self.finish(path)
    }

    /// Writes a file as [`Folder::write`] does, and so that it survives a loss of power.
    pub(super) fn write_durably(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.write_unfinished(bytes)?;
        self.sync(UNFINISHED)?;
        self.finish(path)
    }

    fn write_unfinished(&self, bytes: &[u8]) -> Result<(), FileError> {
        fs::write(self.place(UNFINISHED), bytes).map_err(|error| self.error(UNFINISHED, &error))
    }

    fn finish(&self, path: &str) -> Result<(), FileError> {
        let place = self.place(path);
        let folders = place.parent().map_or(Ok(()), fs::create_dir_all);
        folders.and_then(|()| fs::rename(self.place(UNFINISHED), &place)).map_err(|error| self.error(path, &error))
    }

    /// Waits until a file is on the disk.
    pub(super) fn sync(&self, path: &str) -> Result<(), FileError> {
        let file = OpenOptions::new().read(true).open(self.place(path));
        file.and_then(|file| file.sync_data()).map_err(|error| self.error(path, &error))
    }

    /// Removes a folder with all that is in it, if it is there.
    pub(super) fn remove_folder(&self, path: &str) -> Result<(), FileError> {
        match fs::remove_dir_all(self.place(path)) {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => Ok(()),
            Err(error) => Err(self.error(path, &error)),
        }
    }
}

fn read(place: &Path, bytes_max: u64) -> io::Result<Found> {
    let metadata = match fs::symlink_metadata(place) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Ok(Found::Other);
    }
    if metadata.len() > bytes_max {
        return Ok(Found::TooLong(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    OpenOptions::new().read(true).open(place)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    Ok(if length > bytes_max { Found::TooLong(length) } else { Found::Bytes(bytes) })
}
