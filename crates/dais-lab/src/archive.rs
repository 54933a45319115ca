//! The files of a finished run, opened for reading.

use std::path::{Path, PathBuf};

use dais_ledger::{Location, Storage, StorageError, StorageOptions};

use crate::scenario::Scenario;
use crate::summary::Summary;

/// Name of the ledger in the folder of a run.
pub const LEDGER_FILE: &str = "ledger.db";
/// Name of the text file that says where the ledger of a run is, when it is not in the run's folder.
pub const LEDGER_LOCATION_FILE: &str = "ledger.location";
const SUMMARY_FILE: &str = "summary.json";

/// A finished run: its ledger, and what lies beside it.
#[derive(Debug)]
pub struct Archive {
    /// Where the ledger is.
    pub location: Location,
    /// The ledger.
    pub storage: Box<dyn Storage>,
    /// `summary.json`, if the folder has one.
    pub summary: Option<Summary>,
    /// `scenario.yaml`, if the folder has one that can be read.
    pub scenario: Option<Scenario>,
}

/// A run that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is neither a ledger nor a run.
    #[error(
        "{path}: there is no ledger here: expected a run's folder, with a `{LEDGER_FILE}` or `{LEDGER_LOCATION_FILE}` \
         in it, a ledger file or a connection string"
    )]
    NoLedger {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The run kept no ledger.
    #[error("{path}: this run kept no ledger: it was kept in memory, or the collaborative world was left out")]
    NotKept {
        /// Folder of the run.
        path: PathBuf,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A file of the run cannot be read.
    #[error("{path}: {message}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl Archive {
    /// Finds the ledger that a path stands for: the path is a run's folder with the ledger, a folder with a file that says where
    /// the ledger is, or the ledger itself.
    ///
    /// # Errors
    /// [`ArchiveError::NoLedger`], [`ArchiveError::NotKept`], or [`ArchiveError::Unreadable`] when the file in the
    /// folder names no place.
    pub fn locate(run: &Path) -> Result<Location, ArchiveError> {
        if run.is_file() {
            return Ok(Location::Sqlite(run.to_owned()));
        }
        let file = run.join(LEDGER_FILE);
        if file.is_file() {
            return Ok(Location::Sqlite(file));
        }
        let pointer = run.join(LEDGER_LOCATION_FILE);
        let unreadable = |message| ArchiveError::Unreadable { path: pointer.clone(), message };
        match std::fs::read_to_string(&pointer) {
            Ok(text) => text.trim().parse().map_err(|error| unreadable(format!("{error}"))),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unreadable(error.to_string())),
            Err(_) if run.join(SUMMARY_FILE).is_file() => Err(ArchiveError::NotKept { path: run.to_owned() }),
            Err(_) => Err(ArchiveError::NoLedger { path: run.to_owned() }),
        }
    }

    /// Opens the ledger of a run, and what lies in the run's folder, if there is one.
    ///
    /// # Errors
    /// A ledger that cannot be opened, a summary that cannot be read. A scenario that cannot be read counts as absent.
    pub fn open(location: Location, folder: Option<&Path>, options: &StorageOptions) -> Result<Self, ArchiveError> {
        let summary = folder.map_or(Ok(None), |folder| read_summary(&folder.join(SUMMARY_FILE)))?;
        let scenario = folder.and_then(|folder| Scenario::read(&folder.join("scenario.yaml")).ok());
        let storage = location.open_read_only(options)?;
        Ok(Self { location, storage, summary, scenario })
    }
}

fn read_summary(path: &Path) -> Result<Option<Summary>, ArchiveError> {
    let unreadable = |message| ArchiveError::Unreadable { path: path.to_owned(), message };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
