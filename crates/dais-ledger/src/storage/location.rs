//! Connection strings: which storage, and where.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[cfg(feature = "sqlite")]
use super::SqliteStorage;
use super::{MemoryStorage, Storage, StorageError, StorageOptions};

/// Where a log is, or is to be.
///
/// | text | storage |
/// |---|---|
/// | `memory` | in memory, gone with the process |
/// | `sqlite:<path>`, or only a path | an SQLite file |
/// | `postgres://…`, `postgresql://…` | a schema on a PostgreSQL server |
/// | `mysql://…`, `mariadb://…` | a database on a MySQL or MariaDB server |
///
/// ```
/// use dais_ledger::Location;
///
/// let location: Location = "postgres://dais:secret@db.example/runs?schema=run_7".parse()?;
/// assert_eq!(location.to_string(), "postgres://db.example/runs?schema=run_7");
/// # Ok::<(), dais_ledger::LocationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In memory.
    Memory,
    /// In an SQLite file.
    Sqlite(PathBuf),
    /// On a server.
    Server(ServerUrl),
}

impl Location {
    /// Begins a place for a log that does not exist yet.
    ///
    /// # Errors
    ///
    /// [`StorageError::Exists`] or [`StorageError::AlreadyCreated`] when there is one, [`StorageError::NotBuilt`], or
    /// what the storage reports.
    pub fn create(&self, options: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
        match self {
            Self::Memory => Ok(Box::new(MemoryStorage::new())),
            Self::Sqlite(path) => reach_file(path, Purpose::Create, options),
            Self::Server(url) => url.reach(Purpose::Create, options),
        }
    }

    /// Opens a log to read and write it.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`], which is the answer for `memory`, [`StorageError::NotBuilt`], or what the storage
    /// reports.
    pub fn open(&self, options: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
        match self {
            Self::Memory => Err(StorageError::NotFound { path: "memory".into() }),
            Self::Sqlite(path) => reach_file(path, Purpose::Write, options),
            Self::Server(url) => url.reach(Purpose::Write, options),
        }
    }

    /// Opens a log to read it only.
    ///
    /// # Errors
    ///
    /// Those of [`Location::open`].
    pub fn open_read_only(&self, options: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
        match self {
            Self::Memory => Err(StorageError::NotFound { path: "memory".into() }),
            Self::Sqlite(path) => reach_file(path, Purpose::Read, options),
            Self::Server(url) => url.reach(Purpose::Read, options),
        }
    }
}

/// The log in an SQLite file.
#[cfg(feature = "sqlite")]
fn reach_file(path: &Path, purpose: Purpose, options: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
    Ok(Box::new(match purpose {
        Purpose::Create => SqliteStorage::create(path, options.durability)?,
        Purpose::Write => SqliteStorage::open(path, options.durability)?,
        Purpose::Read => SqliteStorage::open_read_only(path)?,
    }))
}

/// The error of a program without SQLite.
#[cfg(not(feature = "sqlite"))]
fn reach_file(_: &Path, _: Purpose, _: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
    Err(StorageError::NotBuilt { scheme: "sqlite", feature: "sqlite" })
}

/// What a storage is reached for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make the tables where they are missing.
    Create,
    /// To append to a log that is there.
    Write,
    /// To read only.
    Read,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Server(url) => url.fmt(f),
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Self::file(path.strip_prefix("//").unwrap_or(path));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            let scheme = text.split(':').next().filter(|_| text.contains(':')).and_then(System::of_scheme);
            return scheme.map_or_else(|| Self::file(text), |_| Err(LocationError::Incomplete));
        };
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        match System::of_scheme(scheme) {
            Some(system) => Ok(Self::Server(ServerUrl::new(system, text)?)),
            None if is_scheme => Err(LocationError::UnknownScheme { scheme: scheme.to_owned() }),
            None => Self::file(text),
        }
    }
}

impl Location {
    fn file(path: &str) -> Result<Self, LocationError> {
        if path.is_empty() { Err(LocationError::Empty) } else { Ok(Self::Sqlite(Path::new(path).into())) }
    }
}

/// Why a text is no connection string. Never holds more of the text than its scheme: the rest may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing is named.
    #[error("the location is empty: expected a path, sqlite:<path>, postgres://…, mysql://… or memory")]
    Empty,
    /// The scheme is that of no storage.
    #[error("no storage has the scheme `{scheme}`: expected sqlite, postgres, mysql or memory")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// A server's connection string lacks its `//` or what follows it.
    #[error("the connection string is incomplete: expected scheme://user:password@host:port/database")]
    Incomplete,
    /// User, password or a setting holds a character that has a meaning of its own there.
    #[error("a `/`, `?`, `#` or `@` in a user, password or setting must be written %2F, %3F, %23 or %40")]
    Unescaped,
    /// The name of the schema cannot be one.
    #[error("the schema `{schema}` must be 1 to 63 of the characters a-z, 0-9 and _, and not begin with a digit")]
    Schema {
        /// The name.
        schema: String,
    },
}

/// A kind of database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl System {
    fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            _ => None,
        }
    }

    /// The scheme as this crate writes it; also the name of the cargo feature.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

/// The connection string of a server. Shown without user, password and settings.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    system: System,
    /// As given, without `schema`.
    secret: String,
    schema: String,
}

impl ServerUrl {
    /// The schema of a log when the connection string names none.
    pub const SCHEMA_DEFAULT: &str = "dais";

    fn new(system: System, text: &str) -> Result<Self, LocationError> {
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        if rest.is_empty() {
            return Err(LocationError::Incomplete);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if rest.matches('@').count() > usize::from(authority.contains('@')) {
            return Err(LocationError::Unescaped);
        }
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        if !hosts.split(',').all(has_plain_port) {
            return Err(LocationError::Incomplete);
        }
        let mut schema = Self::SCHEMA_DEFAULT.to_owned();
        let mut settings = Vec::new();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            match setting.strip_prefix("schema=").filter(|_| system == System::Postgres) {
                Some(name) if is_schema(name) => name.clone_into(&mut schema),
                Some(name) => return Err(LocationError::Schema { schema: name.to_owned() }),
                None => settings.push(setting),
            }
        }
        let (mark, query) = (if settings.is_empty() { "" } else { "?" }, settings.join("&"));
        Ok(Self { system, secret: format!("{}://{place}{mark}{query}", system.scheme()), schema })
    }

    /// The kind of server.
    pub fn system(&self) -> System {
        self.system
    }

    /// The schema that holds the log; of PostgreSQL only.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The whole connection string, password and all, without `schema`.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn reach(&self, purpose: Purpose, options: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
        Ok(Box::new(super::ServerStorage::reach(self, purpose, &options.server)?))
    }

    #[cfg(not(any(feature = "postgres", feature = "mysql")))]
    fn reach(&self, _: Purpose, _: &StorageOptions) -> Result<Box<dyn Storage>, StorageError> {
        Err(self.not_built())
    }

    /// The error of a program without this kind of server.
    #[cfg(not(all(feature = "postgres", feature = "mysql")))]
    pub(super) fn not_built(&self) -> StorageError {
        StorageError::NotBuilt { scheme: self.system.scheme(), feature: self.system.scheme() }
    }
}

/// Whether what follows a host is a port, and not the password of a user whose host is missing.
fn has_plain_port(host: &str) -> bool {
    let after_address = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after_address.split_once(':').is_none_or(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
}

fn is_schema(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=63).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.secret.split_once("://").map_or("", |(_, rest)| rest);
        let place = rest.split('?').next().unwrap_or(rest);
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        write!(f, "{}://{place}", self.system.scheme())?;
        match self.system {
            System::Postgres => write!(f, "?schema={}", self.schema),
            System::Mysql => Ok(()),
        }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Location {
        text.parse().unwrap()
    }

    #[test]
    fn the_scheme_chooses_the_storage() {
        assert_eq!(parsed("memory"), Location::Memory);
        for (text, path) in [
            ("run/ledger.db", "run/ledger.db"),
            ("sqlite:run/ledger.db", "run/ledger.db"),
            ("sqlite:///var/lib/ledger.db", "/var/lib/ledger.db"),
            (r"C:\runs\ledger.db", r"C:\runs\ledger.db"),
            ("sqlite:memory", "memory"),
        ] {
            assert_eq!(parsed(text), Location::Sqlite(path.into()), "{text}");
        }
        for (text, system) in [
            ("postgres://host/db", System::Postgres),
            ("postgresql://host/db", System::Postgres),
            ("mysql://host/db", System::Mysql),
            ("mariadb://host/db", System::Mysql),
        ] {
            let Location::Server(url) = parsed(text) else { panic!("{text} is a server") };
            assert_eq!(url.system(), system);
        }
    }

    #[test]
    fn a_schema_is_taken_out_of_the_settings() {
        let Location::Server(url) = parsed("postgres://h/db?sslmode=disable&schema=run_7&application_name=x") else {
            panic!("it is a server")
        };
        assert_eq!(url.schema(), "run_7");
        assert_eq!(url.secret, "postgres://h/db?sslmode=disable&application_name=x");
        for schema in ["", "7", "a b", "a\"", "A", &"x".repeat(64)] {
            let refused = format!("postgres://h/db?schema={schema}").parse::<Location>();
            assert_eq!(refused, Err(LocationError::Schema { schema: schema.to_owned() }));
        }
    }

    #[test]
    fn what_is_no_location_is_refused_by_its_scheme_only() {
        assert_eq!("".parse::<Location>(), Err(LocationError::Empty));
        assert_eq!("sqlite:".parse::<Location>(), Err(LocationError::Empty));
        assert_eq!("postgres:secret".parse::<Location>(), Err(LocationError::Incomplete));
        assert_eq!("mysql://".parse::<Location>(), Err(LocationError::Incomplete));
        for text in ["postgres://u:s3cret", "mysql://u:s3cret/db", "postgres://u@h:1,u:s3cret/db"] {
            assert_eq!(text.parse::<Location>(), Err(LocationError::Incomplete), "{text}");
        }
        for text in ["postgres://h:1,g:2/db", "postgres://[::1]:5432/db", "mysql://u:s3cret@[::1]/db", "mysql://h/db"] {
            assert!(text.parse::<Location>().is_ok(), "{text}");
        }
        let scheme = "oracle".to_owned();
        assert_eq!("oracle://u:secret@h".parse::<Location>(), Err(LocationError::UnknownScheme { scheme }));
    }

    #[test]
    fn no_password_is_ever_shown() {
        for text in [
            "postgres://user:s3cret@host:5432/db",
            "postgres://user:s3cret@host/db?password=s3cret&schema=a",
            "postgres:///db?user=u&password=s3cret&host=/run",
            "mysql://user:s3cret@host:3306/db?x=s3cret",
        ] {
            let location = parsed(text);
            let shown = format!("{location} {location:?} {location:#?}");
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("/db"), "{shown}");
        }
    }

    #[test]
    fn where_a_password_ends_is_never_guessed() {
        for text in [
            "postgres://user:x@s3cret@host/db",
            "postgres://user:s3cret?x@host/db",
            "postgres://user:a/s3cret@host/db",
            "postgres://host/db?password=x@s3cret",
        ] {
            assert_eq!(text.parse::<Location>(), Err(LocationError::Unescaped), "{text}");
        }
    }

    #[test]
    fn memory_cannot_be_opened_only_created() {
        let options = StorageOptions::default();
        assert!(Location::Memory.create(&options).is_ok());
        assert_eq!(Location::Memory.open(&options).unwrap_err().to_string(), "there is no ledger at memory");
        assert!(Location::Memory.open_read_only(&options).is_err());
    }

    #[cfg(not(feature = "mysql"))]
    #[test]
    fn a_server_that_was_not_built_in_is_named_with_its_feature() {
        let refused = parsed("mysql://u:s3cret@host/db").open(&StorageOptions::default()).unwrap_err();
        assert_eq!(refused, StorageError::NotBuilt { scheme: "mysql", feature: "mysql" });
    }
}
