//! Backups in a folder.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Object, Store};
use crate::backup::{BackupError, file};

/// A folder of this machine.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Store for Folder {
    fn address(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.0)
    }

    fn prepare(&self) -> Result<(), BackupError> {
        fs::create_dir_all(&self.0).map_err(BackupError::at(&self.0))
    }

    fn put(&self, finished: &Path, name: &str, _: &mut dyn FnMut(u64)) -> Result<(), BackupError> {
        file::put(finished, &self.address(name))
    }

    fn get(&self, name: &str) -> Result<Box<dyn Read + '_>, BackupError> {
        Ok(Box::new(file::open(&self.address(name))?))
    }

    fn list(&self) -> Result<Option<Vec<Object>>, BackupError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            entries => entries.map_err(BackupError::at(&self.0))?,
        };
        let object = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            // A link to a file is as good as the file.
            let bytes = fs::metadata(entry.path()).map_or(0, |found| found.len());
            Ok(Object { name: entry.file_name().to_string_lossy().into_owned(), bytes })
        };
        let objects: io::Result<_> = entries.map(object).collect();
        objects.map(Some).map_err(BackupError::at(&self.0))
    }

    fn delete(&self, name: &str) -> Result<(), BackupError> {
        let path = self.address(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(BackupError::at(&path)(error)),
            _ => Ok(()),
        }
    }
}
