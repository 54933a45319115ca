//! Where a run keeps its ledger.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dais_ledger::{Location, Storage, StorageOptions, System};

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

impl RunLedger {
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
                fs::create_dir(unfinished).with_context(|| self.unwritable(folder))?;
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
}

impl Drop for RunLedger {
    fn drop(&mut self) {
        if let Self::File { unfinished, .. } = self {
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
