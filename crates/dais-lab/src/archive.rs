//! The files of a finished run, opened for reading.

use std::path::{Path, PathBuf};

use dais_ledger::{SqliteStorage, StorageError};

use crate::scenario::Scenario;
use crate::summary::Summary;

/// The files of a finished run: its ledger, and what lies beside it.
#[derive(Debug)]
pub struct Archive {
    /// The ledger file.
    pub path: PathBuf,
    /// The ledger.
    pub storage: SqliteStorage,
    /// `summary.json`, where it is there.
    pub summary: Option<Summary>,
    /// `scenario.yaml`, where it is there and can be read.
    pub scenario: Option<Scenario>,
}

/// A run that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No run is there.
    #[error("{path}: there is no run here: expected its folder, with a `ledger.db` in it, or the ledger file itself")]
    NoRun {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// The summary beside the ledger cannot be read.
    #[error("{path}: {message}")]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl Archive {
    /// Opens the run in a folder, or the one whose ledger file this is.
    ///
    /// # Errors
    /// No ledger there, a file that is none, a summary that cannot be read. A scenario that cannot be read counts as
    /// absent.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let ledger = if path.is_dir() { path.join("ledger.db") } else { path.to_owned() };
        if !ledger.is_file() {
            return Err(ArchiveError::NoRun { path: path.to_owned() });
        }
        let folder = ledger.parent().unwrap_or(Path::new(""));
        let summary = read_summary(&folder.join("summary.json"))?;
        let scenario = Scenario::read(&folder.join("scenario.yaml")).ok();
        let storage = SqliteStorage::open_read_only(&ledger)?;
        Ok(Self { path: ledger, storage, summary, scenario })
    }
}

fn read_summary(path: &Path) -> Result<Option<Summary>, ArchiveError> {
    let unreadable = |message| ArchiveError::Summary { path: path.to_owned(), message };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
