//! Where a ledger is: as named on the command line and in the environment, with errors that name the flags.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use dais_lab::ArchiveError;
use dais_ledger::{Damage, Durability, Location, Storage, StorageError, StorageOptions, System};
use dais_runs::{Login, Place, PlaceError};
use dais_sim::{Fault, Wrong};

use crate::args::group::server::ServerArgs;

/// Environment variable with a connection string, which keeps passwords out of command lines and files.
pub(crate) const VARIABLE: &str = "DAIS_LEDGER";

/// The user and password of the environment.
pub(crate) fn login() -> Login {
    Login::new(std::env::var(VARIABLE).ok().as_deref())
}

/// The ledger that the folder of a run, a ledger file or a connection string stands for.
pub(crate) fn of(named: &Path) -> anyhow::Result<Place> {
    Place::of(named, &login()).map_err(told)
}

/// The ledger of a run, at `given` if that says where it is.
pub(crate) fn of_run(run: &Path, given: Option<&str>) -> anyhow::Result<Place> {
    Place::of_run(run, given, &login()).map_err(told)
}

/// Opens a ledger to read it.
pub(crate) fn open(place: &Place, server: &ServerArgs) -> anyhow::Result<Box<dyn Storage>> {
    place.open(&server.options(Durability::default())).map_err(told)
}

/// Says why the ledger, or what lies beside it, cannot be opened.
pub(crate) fn unopened(place: &Place, error: ArchiveError) -> anyhow::Error {
    match error {
        ArchiveError::Ledger(error) if matches!(place.location, Location::Server(_)) => failed(&place.location, error),
        ArchiveError::Ledger(error) => anyhow::Error::from(error).context(shown_location(&place.location)),
        ArchiveError::NoLedger { .. } | ArchiveError::NotKept { .. } | ArchiveError::Unreadable { .. } => error.into(),
    }
}

/// The ledger file; what only works on files refuses a server, and names what works there.
pub(crate) fn file(place: Place, there: &dyn Fn(System) -> &'static str) -> anyhow::Result<PathBuf> {
    match place.location {
        Location::Sqlite(path) => Ok(path),
        Location::Server(url) => {
            bail!("{url} is a ledger on a server, this is for ledger files: {}", there(url.system()))
        }
        Location::Memory => Err(PlaceError::InMemory.into()),
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
    crate::screen::mask::masked(&named.display().to_string())
}

/// A connection string, with the user and password of the environment's if it has none and both name the same place.
pub(crate) fn location(text: &str) -> anyhow::Result<Location> {
    Ok(login().location(text)?)
}

/// Begins a place for a new ledger; one that is there already is left as it is.
pub(crate) fn create(location: &Location, options: &StorageOptions) -> anyhow::Result<Box<dyn Storage>> {
    dais_runs::create(location, options).map_err(told)
}

/// Says which ledger cannot be reached, and how to log in if that may be what is missing.
pub(crate) fn failed(location: &Location, error: StorageError) -> anyhow::Error {
    told(PlaceError::of(location, error))
}

/// What is wrong with a place, with the way out.
pub(crate) fn told(error: PlaceError) -> anyhow::Error {
    match error {
        PlaceError::Taken { location: Location::Server(url) } => {
            let another = match url.system() {
                System::Postgres => "another `schema=`",
                System::Mysql => "another database",
            };
            anyhow!("{url} holds a ledger already, and nothing was written to it: choose {another}")
        }
        PlaceError::Exists { source } => anyhow!("{source}: choose another file"),
        PlaceError::Storage { location: Location::Server(url), lacks_login: true, source } => {
            anyhow::Error::from(source).context(format!(
                "{url}, for which no user and password are given (the whole connection string goes into {VARIABLE} or \
                 --ledger)"
            ))
        }
        PlaceError::Storage { location: Location::Server(url), source, .. } => {
            anyhow::Error::from(source).context(url.to_string())
        }
        PlaceError::Storage { source, .. } => source.into(),
        PlaceError::Archive(error) => error.into(),
        PlaceError::Location(error) => error.into(),
        PlaceError::InMemory | PlaceError::Taken { .. } => error.into(),
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
