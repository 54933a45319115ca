//! Where a ledger is: as named on the command line, by a run's folder, and in the environment.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use dais_lab::{Archive, ArchiveError};
use dais_ledger::{Damage, Durability, Location, SqliteStorage, Storage, StorageError, StorageOptions, System};
use dais_sim::{Fault, Wrong};

use crate::server_args::ServerArgs;

/// Environment variable with a connection string, which keeps passwords out of command lines and files.
pub(crate) const VARIABLE: &str = "DAIS_LEDGER";

/// A ledger that is to be read.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) location: Location,
    /// The folder it lies in, or of the run it belongs to, if there is one.
    pub(crate) folder: Option<PathBuf>,
    /// Whether the folder of a run was named, and not a ledger alone.
    pub(crate) whole_run: bool,
}

impl Place {
    /// The ledger that the folder of a run, a ledger file or a connection string stands for.
    pub(crate) fn of(named: &Path) -> anyhow::Result<Self> {
        if let Some(location) = connection(named)? {
            return Ok(Self { location, folder: None, whole_run: false });
        }
        let location = with_login(Archive::locate(named)?);
        Ok(Self { location, folder: folder_of(named), whole_run: named.is_dir() })
    }

    /// The ledger of a run, at `given` if that says where it is.
    pub(crate) fn of_run(run: &Path, given: Option<&str>) -> anyhow::Result<Self> {
        let Some(given) = given else { return Self::of(run) };
        if !run.exists() {
            return Err(ArchiveError::NoLedger { path: shown(run).into() }.into());
        }
        Ok(Self { location: location(given)?, folder: folder_of(run), whole_run: run.is_dir() })
    }

    /// Opens the ledger to read it.
    pub(crate) fn open(&self, server: &ServerArgs) -> anyhow::Result<Box<dyn Storage>> {
        let options = server.options(Durability::default());
        self.location.open_read_only(&options).map_err(|error| failed(&self.location, error))
    }

    /// Opens the ledger and what lies beside it.
    pub(crate) fn archive(&self, server: &ServerArgs) -> Result<Archive, ArchiveError> {
        Archive::open(self.location.clone(), self.folder.as_deref(), &server.options(Durability::default()))
    }

    /// Says why the ledger, or what lies beside it, cannot be opened.
    pub(crate) fn unopened(&self, error: ArchiveError) -> anyhow::Error {
        match error {
            ArchiveError::Ledger(error) if matches!(self.location, Location::Server(_)) => {
                failed(&self.location, error)
            }
            ArchiveError::Ledger(error) => anyhow::Error::from(error).context(self.to_string()),
            ArchiveError::NoLedger { .. } | ArchiveError::NotKept { .. } | ArchiveError::Unreadable { .. } => {
                error.into()
            }
        }
    }

    /// The ledger file; what only works on files refuses a server, and names what works there.
    pub(crate) fn file(self, there: &dyn Fn(System) -> &'static str) -> anyhow::Result<PathBuf> {
        match self.location {
            Location::Sqlite(path) => Ok(path),
            Location::Server(url) => {
                bail!("{url} is a ledger on a server, this is for ledger files: {}", there(url.system()))
            }
            Location::Memory => bail!("a ledger in memory is gone with its process"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown_location(&self.location).fmt(f)
    }
}

/// A place as users know it: a file by its path.
pub(crate) fn shown_location(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Server(_) | Location::Memory => location.to_string(),
    }
}

/// A folder, file or connection string, the latter without its password.
pub(crate) fn shown(named: &Path) -> String {
    crate::mask::masked(&named.display().to_string())
}

/// A connection string, with the user and password of the environment's if it has none and both name the same place.
pub(crate) fn location(text: &str) -> anyhow::Result<Location> {
    Ok(with_login(text.parse()?))
}

/// What is named, if it is a connection string and not the path of something.
fn connection(named: &Path) -> anyhow::Result<Option<Location>> {
    let Some(text) = named.to_str().filter(|_| !named.exists()) else { return Ok(None) };
    match location(text)? {
        Location::Sqlite(path) if !path.is_file() => Err(ArchiveError::NoLedger { path }.into()),
        Location::Memory => bail!("a ledger in memory is gone with its process"),
        location @ (Location::Sqlite(_) | Location::Server(_)) => Ok(Some(location)),
    }
}

fn folder_of(run: &Path) -> Option<PathBuf> {
    if run.is_dir() { Some(run.to_owned()) } else { run.parent().map(Path::to_owned) }
}

fn with_login(location: Location) -> Location {
    let known = std::env::var(VARIABLE).ok().and_then(|text| text.parse::<Location>().ok());
    let names_it = |known: &Location| is_bare(&location) && known.to_string() == location.to_string();
    known.filter(names_it).unwrap_or(location)
}

/// Whether a connection string has no user, password or settings.
fn is_bare(location: &Location) -> bool {
    location.to_string().parse().as_ref() == Ok(location)
}

/// Says which ledger cannot be reached, and how to log in if that may be what is missing.
pub(crate) fn failed(location: &Location, error: StorageError) -> anyhow::Error {
    let refused = matches!(error, StorageError::Refused { .. });
    let error = anyhow::Error::from(error);
    match location {
        Location::Server(url) if refused && is_bare(location) => error.context(format!(
            "{url}, for which no user and password are given (the whole connection string goes into {VARIABLE} or --ledger)"
        )),
        Location::Server(url) => error.context(url.to_string()),
        Location::Sqlite(_) | Location::Memory => error,
    }
}

/// What kept a log from being read to its end, which says nothing about the log: a server that is away, a disk that
/// does not answer.
pub(crate) fn unread(damage: &Damage) -> Option<&StorageError> {
    match damage {
        Damage::Unreadable { source, .. } if !damage.is_lasting() => Some(source),
        Damage::Unreadable { .. }
        | Damage::Headless { .. }
        | Damage::ForeignKey { .. }
        | Damage::Seal(_)
        | Damage::EntryMissing { .. }
        | Damage::EntryAltered { .. }
        | Damage::EntryMalformed { .. }
        | Damage::RootMismatch { .. }
        | Damage::EntriesUnsealed { .. } => None,
    }
}

/// The same of a run's ledger.
pub(crate) fn unread_in(fault: &Fault) -> Option<&StorageError> {
    if let Wrong::Damaged { damage, .. } = &*fault.wrong { unread(damage) } else { None }
}

/// Begins a place for a new ledger; one that is there already is left as it is.
pub(crate) fn create(location: &Location, options: &StorageOptions) -> anyhow::Result<Box<dyn Storage>> {
    location.create(options).map_err(|error| match (location, &error) {
        (Location::Server(url), StorageError::AlreadyCreated) => {
            let another = match url.system() {
                System::Postgres => "another `schema=`",
                System::Mysql => "another database",
            };
            anyhow::anyhow!("{url} holds a ledger already, and nothing was written to it: choose {another}")
        }
        (Location::Sqlite(_), StorageError::Exists { .. }) => anyhow::anyhow!("{error}: choose another file"),
        _ => failed(location, error),
    })
}

/// Removes the file that was made a moment ago and could not be filled; on a server nothing is removed.
pub(crate) fn remove_unfinished(location: &Location) {
    if let Location::Sqlite(path) = location {
        // What is reported is why it could not be filled.
        let _ = std::fs::remove_file(path);
    }
}

/// Makes sure that all of a ledger file is in the file itself; nothing else may have it open.
pub(crate) fn close_file(location: &Location) -> anyhow::Result<()> {
    if let Location::Sqlite(path) = location {
        SqliteStorage::open(path, Durability::Full)?.close()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_string_that_hides_nothing_is_bare() {
        for (text, bare) in [
            ("postgres://host/db", true),
            ("postgresql://host:5432/db?schema=a", true),
            ("mariadb://host/db", true),
            ("postgres://user@host/db", false),
            ("postgres://user:secret@host/db", false),
            ("postgres://host/db?password=secret", false),
            ("mysql://host/db?sslmode=require", false),
            ("runs/ledger.db", true),
        ] {
            assert_eq!(is_bare(&text.parse().unwrap()), bare, "{text}");
        }
    }
}
