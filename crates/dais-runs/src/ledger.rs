//! Where a run keeps its ledger.

use std::fs;
use std::path::{Path, PathBuf};

use dais_ledger::{Location, Storage, StorageError, StorageOptions};

use crate::file::{LEDGER, LEDGER_LOCATION};
use crate::folder::{FolderError, RunFolder};
use crate::note::LedgerNote;
use crate::place::{self, Login, PlaceError};

/// A ledger that a run cannot be recorded in.
#[derive(Debug, thiserror::Error)]
pub enum RunLedgerError {
    /// The place is none.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A file is there already.
    #[error("{} exists already, and nothing was written to it", .path.display())]
    FileTaken {
        /// The file.
        path: PathBuf,
    },
    /// A file that is named apart from the run's folder lies in it.
    #[error("{} is in the run's folder", .path.display())]
    InFolder {
        /// The file.
        path: PathBuf,
    },
    /// The ledger was in memory when the process ended.
    #[error("its ledger was kept in memory and is gone with its process: run it again")]
    Gone,
    /// The ledger cannot be written.
    #[error("cannot write the ledger {place}")]
    Unwritable {
        /// Where it is.
        place: LedgerPlace,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run's folder cannot say where the ledger is.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// A place as an error names it: without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// In a file.
    File(PathBuf),
    /// In memory.
    Memory,
    /// On a server.
    Server(Location),
}

impl std::fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{} (disk full?)", path.display()),
            Self::Memory => f.write_str("in memory"),
            Self::Server(location) => write!(f, "{location} (what is there stays there)"),
        }
    }
}

/// The ledger of a run, from before it begins until it is complete.
///
/// A file is complete or not there at all, like the other files of a run. On a server, where nothing is ever removed,
/// what was written stays.
#[derive(Debug)]
pub enum RunLedger {
    /// In the run's folder.
    Folder,
    /// In memory, gone with the process.
    Memory,
    /// In a file elsewhere.
    File {
        /// The file.
        path: PathBuf,
        /// The folder beside it, in which the ledger is written until it is complete.
        unfinished: PathBuf,
    },
    /// On a server.
    Server(Location),
}

impl RunLedger {
    /// The ledger of an unfinished run; `given` is its connection string where that has a user and a password.
    ///
    /// # Errors
    /// A ledger that was in memory, `given` that names another place.
    pub fn again(note: &LedgerNote, given: Option<&str>, login: &Login) -> Result<Self, RunLedgerError> {
        let location = |text: &str| login.location(text).map_err(PlaceError::from);
        let named = given.map(location).transpose()?;
        match note {
            LedgerNote::Folder => Ok(Self::Folder),
            LedgerNote::Memory => Err(RunLedgerError::Gone),
            LedgerNote::File { path, unfinished } => {
                Ok(Self::File { path: path.clone(), unfinished: unfinished.clone() })
            }
            LedgerNote::Server(known) => match named {
                Some(location) if location.to_string() == *known => Ok(Self::Server(location)),
                // What is given may be the ledger of other runs.
                _ => Ok(Self::Server(location(known)?)),
            },
        }
    }

    /// Where another reader finds it while the run goes on.
    pub fn readable(&self, folder: &RunFolder) -> Option<Location> {
        match self {
            Self::Memory => None,
            Self::Server(location) => Some(location.clone()),
            Self::Folder => Some(Location::Sqlite(folder.file(LEDGER))),
            Self::File { unfinished, .. } => Some(Location::Sqlite(unfinished.join(LEDGER))),
        }
    }

    /// What has to be known to find it again.
    pub fn note(&self) -> LedgerNote {
        match self {
            Self::Folder => LedgerNote::Folder,
            Self::Memory => LedgerNote::Memory,
            Self::File { path, unfinished } => LedgerNote::File { path: path.clone(), unfinished: unfinished.clone() },
            Self::Server(location) => LedgerNote::Server(location.to_string()),
        }
    }

    /// Whether it outlives the process, so that the run can be gone on with.
    pub fn outlives(&self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Opens the ledger of an unfinished run to go on with it; begins it where it was not begun.
    ///
    /// # Errors
    /// A place that cannot be reached or written.
    pub fn open(&self, folder: &RunFolder, options: &StorageOptions) -> Result<Box<dyn Storage>, RunLedgerError> {
        let location = self.readable(folder).unwrap_or(Location::Memory);
        match location.open(options) {
            Err(StorageError::NotFound { .. }) => place::create(&location, options),
            // The process ended while the file was made: nothing was recorded in it.
            Err(StorageError::NotALedger { .. }) if matches!(location, Location::Sqlite(_)) => {
                place::remove_unfinished(&location);
                place::create(&location, options)
            }
            opened => opened.map_err(|error| PlaceError::of(&location, error)),
        }
        .map_err(|error| self.unwritable(folder, error))
    }

    /// The ledger at the place that a text names; without one, in the run's folder. Nothing is written.
    ///
    /// # Errors
    /// A text that is no place, a file that exists already.
    pub fn at(place: Option<&str>, login: &Login) -> Result<Self, RunLedgerError> {
        let location = place.map(|text| login.location(text)).transpose().map_err(PlaceError::from)?;
        let Some(location) = location else { return Ok(Self::Folder) };
        Ok(match location {
            Location::Memory => Self::Memory,
            Location::Server(_) => Self::Server(location),
            Location::Sqlite(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                check_free(&path)?;
                let mut unfinished = path.clone().into_os_string();
                unfinished.push(format!(".unfinished-{}", std::process::id()));
                Self::File { path, unfinished: unfinished.into() }
            }
        })
    }

    /// The folder to be removed when the run is ended at once.
    pub fn unfinished(&self) -> Option<&Path> {
        if let Self::File { unfinished, .. } = self { Some(unfinished) } else { None }
    }

    /// Where it is kept, for people and for the summary: without user and password.
    pub fn location(&self) -> Option<String> {
        match self {
            Self::Folder => Some(LEDGER.to_owned()),
            Self::Memory => None,
            Self::File { path, .. } => Some(path.display().to_string()),
            Self::Server(location) => Some(location.to_string()),
        }
    }

    /// The file of the run's folder that holds the ledger or says where it is.
    pub fn file(&self) -> Option<&'static str> {
        match self {
            Self::Folder => Some(LEDGER),
            Self::Memory => None,
            Self::File { .. } | Self::Server(_) => Some(LEDGER_LOCATION),
        }
    }

    /// Begins the ledger.
    ///
    /// # Errors
    /// A place that holds a ledger already, or cannot be reached or written.
    pub fn create(&self, folder: &RunFolder, options: &StorageOptions) -> Result<Box<dyn Storage>, RunLedgerError> {
        let location = match self {
            Self::Folder => Location::Sqlite(folder.file(LEDGER)),
            Self::Memory => Location::Memory,
            Self::Server(location) => return Ok(place::create(location, options)?),
            Self::File { path, unfinished } => {
                if path.starts_with(folder.target()) {
                    return Err(RunLedgerError::InFolder { path: path.clone() });
                }
                fs::create_dir_all(unfinished).map_err(|error| self.unwritable(folder, error))?;
                Location::Sqlite(unfinished.join(LEDGER))
            }
        };
        place::create(&location, options).map_err(|error| self.unwritable(folder, error))
    }

    /// The error of a ledger that cannot be written.
    pub(crate) fn unwritable(
        &self,
        folder: &RunFolder,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> RunLedgerError {
        let place = match self {
            Self::Folder => LedgerPlace::File(folder.file(LEDGER)),
            Self::Memory => LedgerPlace::Memory,
            Self::File { path, .. } => LedgerPlace::File(path.clone()),
            Self::Server(location) => LedgerPlace::Server(location.clone()),
        };
        RunLedgerError::Unwritable { place, source: source.into() }
    }

    /// Puts the finished ledger in its place, where it is not yet, and says in the run's folder where that is. Nothing
    /// may have it open any more.
    ///
    /// # Errors
    /// A place that was taken meanwhile, or cannot be written.
    pub fn finish(&self, folder: &RunFolder) -> Result<(), RunLedgerError> {
        let location = match self {
            Self::Folder | Self::Memory => return Ok(()),
            Self::Server(location) => location.clone(),
            Self::File { path, unfinished } => {
                check_free(path)?;
                let moved = fs::rename(unfinished.join(LEDGER), path);
                moved.map_err(|error| self.unwritable(folder, error))?;
                Location::Sqlite(path.clone())
            }
        };
        Ok(folder.write(LEDGER_LOCATION, &format!("{location}\n"))?)
    }

    /// Removes what is unfinished, unless the run can be gone on with.
    pub fn clear(&self, folder: &RunFolder) {
        if let (Self::File { unfinished, .. }, false) = (self, folder.is_kept()) {
            // Where it was never made there is nothing to remove; otherwise the error that ended the run is the one to tell.
            let _ = fs::remove_dir_all(unfinished);
        }
    }
}

fn check_free(path: &Path) -> Result<(), RunLedgerError> {
    if path.exists() { Err(RunLedgerError::FileTaken { path: path.to_owned() }) } else { Ok(()) }
}
