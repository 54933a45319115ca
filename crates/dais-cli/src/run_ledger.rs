//! Where a run keeps its ledger.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dais_ledger::{Location, Storage, StorageError, StorageOptions, System};
use serde::{Deserialize, Serialize};

use crate::place;
use crate::run_folder::{self, RunFolder};

/// The ledger of a run, from before it begins until it is complete.
///
/// A file is complete or not there at all, like the other files of a run. On a server, where nothing is ever removed,
/// what was written stays.
#[derive(Debug)]
pub(crate) enum RunLedger {
    /// In the run's folder.
    Folder,
    /// In memory, gone with the process.
    Memory,
    /// In a file elsewhere, and the folder beside it in which it is written until it is complete.
    File { path: PathBuf, unfinished: PathBuf },
    /// On a server.
    Server(Location),
}

/// Where the ledger of an unfinished run is, without user and password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LedgerNote {
    /// In the run's folder.
    Folder,
    /// In memory, so that it is gone.
    Memory,
    /// In a file that is to be put in its place when the run is complete.
    File {
        /// Its place.
        path: PathBuf,
        /// The folder in which it is written.
        unfinished: PathBuf,
    },
    /// On a server.
    Server(String),
}

impl RunLedger {
    /// The ledger of an unfinished run; `given` is its connection string where that has a user and a password.
    ///
    /// # Errors
    /// A ledger that was in memory, `given` that names another place.
    pub(crate) fn again(note: &LedgerNote, given: Option<&str>) -> anyhow::Result<Self> {
        let named = given.map(place::location).transpose()?;
        match note {
            LedgerNote::Folder => Ok(Self::Folder),
            LedgerNote::Memory => bail!("its ledger was kept in memory and is gone with its process: run it again"),
            LedgerNote::File { path, unfinished } => {
                Ok(Self::File { path: path.clone(), unfinished: unfinished.clone() })
            }
            LedgerNote::Server(known) => match named {
                Some(location) if location.to_string() == *known => Ok(Self::Server(location)),
                // The variable may name the ledger of other runs.
                _ => Ok(Self::Server(place::location(known)?)),
            },
        }
    }

    /// Where another reader finds it while the run goes on.
    pub(crate) fn readable(&self, folder: &RunFolder) -> Option<Location> {
        match self {
            Self::Memory => None,
            Self::Server(location) => Some(location.clone()),
            Self::Folder => Some(Location::Sqlite(folder.file(run_folder::LEDGER))),
            Self::File { unfinished, .. } => Some(Location::Sqlite(unfinished.join(run_folder::LEDGER))),
        }
    }

    /// What has to be known to find it again.
    pub(crate) fn note(&self) -> LedgerNote {
        match self {
            Self::Folder => LedgerNote::Folder,
            Self::Memory => LedgerNote::Memory,
            Self::File { path, unfinished } => LedgerNote::File { path: path.clone(), unfinished: unfinished.clone() },
            Self::Server(location) => LedgerNote::Server(location.to_string()),
        }
    }

    /// Whether it outlives the process, so that the run can be gone on with.
    pub(crate) fn outlives(&self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Opens the ledger of an unfinished run to go on with it; begins it where it was not begun.
    ///
    /// # Errors
    /// A place that cannot be reached or written.
    pub(crate) fn open(&self, folder: &RunFolder, options: &StorageOptions) -> anyhow::Result<Box<dyn Storage>> {
        let location = self.readable(folder).unwrap_or(Location::Memory);
        match location.open(options) {
            Err(StorageError::NotFound { .. }) => place::create(&location, options),
            // The process ended while the file was made: nothing was recorded in it.
            Err(StorageError::NotALedger { .. }) if matches!(location, Location::Sqlite(_)) => {
                place::remove_unfinished(&location);
                place::create(&location, options)
            }
            opened => opened.map_err(|error| place::failed(&location, error)),
        }
        .with_context(|| self.unwritable(folder))
    }

    /// The ledger at a place; without one, in the run's folder. Nothing is written.
    ///
    /// # Errors
    /// A text that is no place, a file that exists already.
    pub(crate) fn at(location: Option<&str>) -> anyhow::Result<Self> {
        let Some(location) = location.map(place::location).transpose()? else { return Ok(Self::Folder) };
        Ok(match location {
            Location::Memory => Self::Memory,
            Location::Server(_) => Self::Server(location),
            Location::Sqlite(path) => {
                let path = std::path::absolute(&path).with_context(|| format!("--ledger {}", path.display()))?;
                check_free(&path)?;
                let mut unfinished = path.clone().into_os_string();
                unfinished.push(format!(".unfinished-{}", std::process::id()));
                Self::File { path, unfinished: unfinished.into() }
            }
        })
    }

    /// The folder to be removed when the run is ended at once.
    pub(crate) fn unfinished(&self) -> Option<&Path> {
        if let Self::File { unfinished, .. } = self { Some(unfinished) } else { None }
    }

    /// Where it is kept, for people and for the summary: without user and password.
    pub(crate) fn location(&self) -> Option<String> {
        match self {
            Self::Folder => Some(run_folder::LEDGER.to_owned()),
            Self::Memory => None,
            Self::File { path, .. } => Some(path.display().to_string()),
            Self::Server(location) => Some(location.to_string()),
        }
    }

    /// The file of the run's folder that holds the ledger or says where it is.
    pub(crate) fn file(&self) -> Option<&'static str> {
        match self {
            Self::Folder => Some(run_folder::LEDGER),
            Self::Memory => None,
            Self::File { .. } | Self::Server(_) => Some(run_folder::LEDGER_LOCATION),
        }
    }

    /// Begins the ledger.
    ///
    /// # Errors
    /// A place that holds a ledger already, or cannot be reached or written.
    pub(crate) fn create(&self, folder: &RunFolder, options: &StorageOptions) -> anyhow::Result<Box<dyn Storage>> {
        let location = match self {
            Self::Folder => Location::Sqlite(folder.file(run_folder::LEDGER)),
            Self::Memory => Location::Memory,
            Self::Server(location) => return place::create(location, options),
            Self::File { path, unfinished } => {
                if path.starts_with(folder.target()) {
                    bail!("{} is in the run's folder: leave out --ledger, or name another place", path.display());
                }
                fs::create_dir_all(unfinished).with_context(|| self.unwritable(folder))?;
                Location::Sqlite(unfinished.join(run_folder::LEDGER))
            }
        };
        place::create(&location, options).with_context(|| self.unwritable(folder))
    }

    /// What a ledger that cannot be written means for the run.
    pub(crate) fn unwritable(&self, folder: &RunFolder) -> String {
        match self {
            Self::Folder => {
                format!("cannot write the ledger {} (disk full?)", folder.file(run_folder::LEDGER).display())
            }
            Self::Memory => "cannot keep the ledger in memory".to_owned(),
            Self::File { path, .. } => format!("cannot write the ledger {} (disk full?)", path.display()),
            Self::Server(location) => {
                let another = match location {
                    Location::Server(url) if url.system() == System::Mysql => "database",
                    Location::Server(_) | Location::Sqlite(_) | Location::Memory => "`schema=`",
                };
                format!(
                    "cannot write the ledger {location} (what is there stays there: run again with another {another}; \
                     --ledger-retry-attempts and --ledger-retry-delay say how long to wait for a server)"
                )
            }
        }
    }

    /// Puts the finished ledger in its place, where it is not yet, and says in the run's folder where that is. Nothing
    /// may have it open any more.
    ///
    /// # Errors
    /// A place that was taken meanwhile, or cannot be written.
    pub(crate) fn finish(&self, folder: &RunFolder) -> anyhow::Result<()> {
        let location = match self {
            Self::Folder | Self::Memory => return Ok(()),
            Self::Server(location) => location.clone(),
            Self::File { path, unfinished } => {
                check_free(path)?;
                fs::rename(unfinished.join(run_folder::LEDGER), path).with_context(|| self.unwritable(folder))?;
                Location::Sqlite(path.clone())
            }
        };
        folder.write(run_folder::LEDGER_LOCATION, &format!("{location}\n"))
    }

    /// Removes what is unfinished, unless the run can be gone on with.
    pub(crate) fn clear(&self, folder: &RunFolder) {
        if let (Self::File { unfinished, .. }, false) = (self, folder.is_kept()) {
            // Where it was never made there is nothing to remove; otherwise the error that ended the run is the one to tell.
            let _ = fs::remove_dir_all(unfinished);
        }
    }
}

fn check_free(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} exists already, and nothing was written to it: choose another file with --ledger", path.display());
    }
    Ok(())
}
