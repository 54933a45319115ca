//! Where a ledger is: as a text names it, or as the folder of a run says.

use std::path::{Path, PathBuf};

use dais_lab::{Archive, ArchiveError};
use dais_ledger::{Durability, Location, LocationError, SqliteStorage, Storage, StorageError, StorageOptions};

/// A connection string with user and password that is known from elsewhere, so that neither has to be written down with
/// a run: where another text names the same place without them, they are taken from here.
#[derive(Clone, Debug, Default)]
pub struct Login(Option<Location>);

impl Login {
    /// The login that a text holds; none where it is no connection string.
    #[must_use]
    pub fn new(text: Option<&str>) -> Self {
        Self(text.and_then(|text| text.parse().ok()))
    }

    /// The place that a text names, with user and password where they are known.
    ///
    /// # Errors
    /// A text that is no place.
    pub fn location(&self, text: &str) -> Result<Location, LocationError> {
        Ok(self.complete(text.parse()?))
    }

    /// A place, with user and password where they are known and it has none.
    #[must_use]
    pub fn complete(&self, location: Location) -> Location {
        let names_it = |known: &&Location| is_bare(&location) && known.to_string() == location.to_string();
        self.0.as_ref().filter(names_it).cloned().unwrap_or(location)
    }
}

/// Whether a connection string has no user, password or settings.
fn is_bare(location: &Location) -> bool {
    location.to_string().parse().as_ref() == Ok(location)
}

/// A place that holds no ledger, or one that cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The text names no place.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The folder or file holds no ledger, or a broken pointer to one.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A ledger in memory is gone with its process.
    #[error("a ledger in memory is gone with its process")]
    InMemory,
    /// A new ledger was to be begun where one is already; it was left as it is.
    #[error("{location} holds a ledger already, and nothing was written to it")]
    Taken {
        /// The place.
        location: Location,
    },
    /// A new ledger was to be begun in a file that exists already.
    #[error("{source}")]
    Exists {
        /// What the storage said.
        source: StorageError,
    },
    /// The storage cannot be reached, read or written.
    #[error("{}{source}", server(location))]
    Storage {
        /// The place.
        location: Location,
        /// Whether the server refused who asked, and no user and password were given.
        lacks_login: bool,
        /// What the storage said.
        source: StorageError,
    },
}

impl PlaceError {
    /// What a storage at a place said.
    #[must_use]
    pub fn of(location: &Location, source: StorageError) -> Self {
        let refused = matches!(source, StorageError::Refused { .. });
        let lacks_login = refused && matches!(location, Location::Server(_)) && is_bare(location);
        Self::Storage { location: location.clone(), lacks_login, source }
    }
}

/// A ledger that is to be read.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it is.
    pub location: Location,
    /// The folder it lies in, or of the run it belongs to, if there is one.
    pub folder: Option<PathBuf>,
    /// Whether the folder of a run was named, and not a ledger alone.
    pub whole_run: bool,
}

impl Place {
    /// The ledger that the folder of a run, a ledger file or a connection string stands for.
    ///
    /// # Errors
    /// A path or text that stands for none.
    pub fn of(named: &Path, login: &Login) -> Result<Self, PlaceError> {
        if let Some(location) = connection(named, login)? {
            return Ok(Self { location, folder: None, whole_run: false });
        }
        let location = login.complete(Archive::locate(named)?);
        Ok(Self { location, folder: folder_of_run(named), whole_run: named.is_dir() })
    }

    /// The ledger of a run, at `given` if that says where it is.
    ///
    /// # Errors
    /// As [`Place::of`].
    pub fn of_run(run: &Path, given: Option<&str>, login: &Login) -> Result<Self, PlaceError> {
        let Some(given) = given else { return Self::of(run, login) };
        if !run.exists() {
            return Err(ArchiveError::NoLedger { path: shown(run) }.into());
        }
        Ok(Self { location: login.location(given)?, folder: folder_of_run(run), whole_run: run.is_dir() })
    }

    /// Opens the ledger to read it.
    ///
    /// # Errors
    /// A storage that cannot be reached or read.
    pub fn open(&self, options: &StorageOptions) -> Result<Box<dyn Storage>, PlaceError> {
        self.location.open_read_only(options).map_err(|error| PlaceError::of(&self.location, error))
    }

    /// Opens the ledger and what lies beside it.
    ///
    /// # Errors
    /// A storage that cannot be reached or read, a summary that is none.
    pub fn archive(&self, options: &StorageOptions) -> Result<Archive, ArchiveError> {
        Archive::open(self.location.clone(), self.folder.as_deref(), options)
    }
}

/// The server that an error is about; the error of a file names it already.
fn server(location: &Location) -> String {
    if matches!(location, Location::Server(_)) { format!("{location}: ") } else { String::new() }
}

/// A path, or a connection string in its place without user and password.
fn shown(named: &Path) -> PathBuf {
    match named.to_str().map(str::parse::<Location>) {
        Some(Ok(location @ Location::Server(_))) => location.to_string().into(),
        _ => named.to_owned(),
    }
}

/// What is named, if it is a connection string and not the path of something.
fn connection(named: &Path, login: &Login) -> Result<Option<Location>, PlaceError> {
    let Some(text) = named.to_str().filter(|_| !named.exists()) else { return Ok(None) };
    match login.location(text)? {
        Location::Sqlite(path) if !path.is_file() => Err(ArchiveError::NoLedger { path }.into()),
        Location::Memory => Err(PlaceError::InMemory),
        location @ (Location::Sqlite(_) | Location::Server(_)) => Ok(Some(location)),
    }
}

fn folder_of_run(run: &Path) -> Option<PathBuf> {
    if run.is_dir() { Some(run.to_owned()) } else { run.parent().map(Path::to_owned) }
}

/// Begins a place for a new ledger; one that is there already is left as it is.
///
/// # Errors
/// A place that is taken, or cannot be reached or written.
pub fn create(location: &Location, options: &StorageOptions) -> Result<Box<dyn Storage>, PlaceError> {
    location.create(options).map_err(|error| match (location, error) {
        (Location::Server(_), StorageError::AlreadyCreated) => PlaceError::Taken { location: location.clone() },
        (Location::Sqlite(_), source @ StorageError::Exists { .. }) => PlaceError::Exists { source },
        (_, error) => PlaceError::of(location, error),
    })
}

/// Removes the file that was made a moment ago and could not be filled; on a server nothing is removed.
pub fn remove_unfinished(location: &Location) {
    if let Location::Sqlite(path) = location {
        // What is reported is why it could not be filled.
        let _ = std::fs::remove_file(path);
    }
}

/// Makes sure that all of a ledger file is in the file itself; nothing else may have it open.
///
/// # Errors
/// A file that cannot be written.
pub fn close_file(location: &Location) -> Result<(), StorageError> {
    if let Location::Sqlite(path) = location {
        SqliteStorage::open(path, Durability::Full)?.rest()?;
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

    #[test]
    fn a_login_is_used_where_the_same_place_is_named_without_one() {
        let login = Login::new(Some("postgres://user:secret@host/db"));
        let known: Location = "postgres://user:secret@host/db".parse().unwrap();
        assert_eq!(login.location("postgres://host/db"), Ok(known));
        for other in ["postgres://host/other", "postgres://me@host/db", "ledger.db"] {
            assert_eq!(login.location(other), Ok(other.parse().unwrap()), "{other}");
        }
    }
}
