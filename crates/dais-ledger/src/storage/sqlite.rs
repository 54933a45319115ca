//! A log in one SQLite file.

use std::fs::OpenOptions;
use std::io;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, TransactionBehavior, params};

use super::{Batch, Durability, Identity, RowRef, Storage, StorageError};
use crate::digest::Digest;
use crate::head::{Head, HeadSeal, SignedHead};
use crate::origin::Origin;

mod maintenance;

/// `DAIS` in ASCII.
const APPLICATION_ID: u32 = 0x4441_4953;
const FORMAT: u32 = 1;
/// Twice SQLite's default: 18 entries of 400 bytes to a page instead of 9, which takes in more entries a second.
const PAGE_BYTES: u32 = 8_192;
/// How far the write-ahead log grows before it is moved into the file: 16 MiB.
const WAL_PAGES: u32 = 2_048;
/// The longest value taken from a file, in bytes: entries and the schema are far below, so more means damage.
const VALUE_BYTES_MAX: i32 = 1 << 20;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The tables, by name, exactly as SQLite stores their definitions.
const TABLES: [(&str, &str); 3] = [
    (
        "entries",
        "CREATE TABLE entries (idx INTEGER PRIMARY KEY CHECK (idx >= 0), \
         leaf BLOB NOT NULL CHECK (length(leaf) = 32), bytes BLOB NOT NULL) STRICT",
    ),
    (
        "heads",
        "CREATE TABLE heads (size INTEGER PRIMARY KEY CHECK (size >= 0), \
         root BLOB NOT NULL CHECK (length(root) = 32), seal BLOB NOT NULL CHECK (length(seal) = 64)) STRICT",
    ),
    (
        "identity",
        "CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), \
         origin TEXT NOT NULL, public_key BLOB NOT NULL CHECK (length(public_key) = 32)) STRICT",
    ),
];

/// Keeps the rows in an SQLite file (write-ahead log, one transaction per batch).
///
/// One writer at a time; readers in other processes see whole batches. While the file is open there are two more files
/// beside it, with `-wal` and `-shm` added to its name, which belong to it: copy all three, or close it first.
#[derive(Debug)]
pub struct SqliteStorage {
    connection: Connection,
}

impl SqliteStorage {
    /// Makes a new file. What exists is never overwritten.
    ///
    /// # Errors
    ///
    /// [`StorageError::Exists`], [`StorageError::CannotOpen`] when the folder is missing or cannot be written, or
    /// [`StorageError::Full`]; a file that could not be completed is removed.
    pub fn create(path: impl AsRef<Path>, durability: Durability) -> Result<Self, StorageError> {
        let path = path.as_ref();
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => (),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StorageError::Exists { path: path.into() });
            }
            Err(error) => return Err(cannot_open(path, &error)),
        }
        Self::create_tables(path, durability).inspect_err(|_| {
            // The file was made here a moment ago and holds nothing; the error that is reported is the first one.
            let _ = std::fs::remove_file(path);
        })
    }

    fn create_tables(path: &Path, durability: Durability) -> Result<Self, StorageError> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        configure(&connection, durability)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (_, definition) in TABLES {
            transaction.execute_batch(definition)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
        Ok(Self { connection })
    }

    /// Opens a file to read and write it.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`], [`StorageError::NotALedger`], [`StorageError::NewerFormat`], or
    /// [`StorageError::Corrupt`] when the definitions of the tables were altered.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let connection = open_checked(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        configure(&connection, durability)
            .map_err(|error| if error == StorageError::ReadOnly { cannot_open(path, &error) } else { error })?;
        Ok(Self { connection })
    }

    /// Opens a file to read it only, as one does to verify or explain a finished run.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteStorage::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let connection = open_checked(path.as_ref(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Self { connection })
    }

    /// Opens a damaged file to read what can still be read, without a check that it is a ledger: for
    /// [`crate::salvage`], which believes nothing but seals.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`] and [`StorageError::CannotOpen`].
    pub fn open_damaged(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let connection = open_existing(path.as_ref(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // This is how SQLite is told to read a file that was cut or has an odd schema; nothing can be written here.
        connection.pragma_update(None, "writable_schema", true)?;
        Ok(Self { connection })
    }

    /// Moves what is in the `-wal` file into the main file and closes both. Dropping does the same, without telling of
    /// an error.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn close(self) -> Result<(), StorageError> {
        self.connection.close().map_err(|(_, error)| error.into())
    }

    /// As [`close`](Self::close), for a log that is complete: the file rests without a write-ahead log, so that who reads it
    /// leaves no files beside it. Who opens it to write begins one again.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn rest(self) -> Result<(), StorageError> {
        // Others may have it open: then it goes on with its write-ahead log.
        self.connection.busy_timeout(Duration::ZERO)?;
        let _ = self.connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()));
        self.connection.close().map_err(|(_, error)| error.into())
    }

    fn next_index(connection: &Connection) -> Result<u64, StorageError> {
        let mut query = connection.prepare_cached("SELECT max(idx) FROM entries")?;
        let last: Option<i64> = query.query_row([], |row| row.get(0))?;
        last.map_or(Ok(0), |last| Ok(number(last)? + 1))
    }

    fn insert_head(connection: &Connection, signed: &SignedHead) -> Result<(), StorageError> {
        let mut insert = connection.prepare_cached("INSERT INTO heads (size, root, seal) VALUES (?1, ?2, ?3)")?;
        let root = signed.head.root.as_bytes();
        insert.execute(params![key(signed.head.size)?, root, signed.seal.as_bytes()])?;
        Ok(())
    }

    fn query_head(&self, sql: &str, size: i64) -> Result<Option<SignedHead>, StorageError> {
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query([size])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let head = Head { size: number(row.get(0)?)?, root: Digest::from_bytes(bytes(row, 1)?) };
        Ok(Some(SignedHead { head, seal: HeadSeal::from_bytes(bytes(row, 2)?) }))
    }
}

impl Storage for SqliteStorage {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let count: i64 = transaction.query_row("SELECT count(*) FROM identity", [], |row| row.get(0))?;
        if count > 0 {
            return Err(StorageError::AlreadyCreated);
        }
        transaction.execute(
            "INSERT INTO identity (one, origin, public_key) VALUES (1, ?1, ?2)",
            params![identity.origin.as_str(), identity.public_key],
        )?;
        Self::insert_head(&transaction, head)?;
        Ok(transaction.commit()?)
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        let mut query = self.connection.prepare_cached("SELECT origin, public_key FROM identity")?;
        let mut rows = query.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let origin: String = row.get(0)?;
        let origin = Origin::new(origin).map_err(|error| corrupt(format!("its name: {error}")))?;
        Ok(Some(Identity { origin, public_key: bytes(row, 1)? }))
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = Self::next_index(&transaction)?;
        if batch.first_index() != found {
            return Err(StorageError::Conflict { expected: batch.first_index(), found });
        }
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO entries (idx, leaf, bytes) VALUES (?1, ?2, ?3)")?;
            for row in batch.rows() {
                insert.execute(params![key(row.index)?, row.leaf.as_bytes(), row.bytes])?;
            }
            Self::insert_head(&transaction, head)?;
        }
        Ok(transaction.commit()?)
    }

    fn len(&self) -> Result<u64, StorageError> {
        Self::next_index(&self.connection)
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT idx, leaf, bytes FROM entries WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")?;
        let mut rows = query.query([key(range.start)?, key(range.end)?])?;
        while let Some(row) = rows.next()? {
            let index = number(row.get(0)?)?;
            let leaf = Digest::from_bytes(bytes(row, 1)?);
            if visit(RowRef { index, bytes: blob(row, 2)?, leaf }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT idx, leaf FROM entries WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")?;
        let mut rows = query.query([key(range.start)?, key(range.end)?])?;
        while let Some(row) = rows.next()? {
            if visit(number(row.get(0)?)?, Digest::from_bytes(bytes(row, 1)?)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.query_head("SELECT size, root, seal FROM heads WHERE size > ?1 ORDER BY size DESC LIMIT 1", -1)
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        let size = size.map_or(Ok(-1), key)?;
        self.query_head("SELECT size, root, seal FROM heads WHERE size > ?1 ORDER BY size LIMIT 1", size)
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        let finding: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if finding != "ok" {
            return Err(corrupt(finding));
        }
        // SQLite does not repeat the checks of integer keys here.
        for stray in [
            "SELECT count(*) FROM entries WHERE idx < 0",
            "SELECT count(*) FROM heads WHERE size < 0",
            "SELECT count(*) FROM identity WHERE one <> 1",
        ] {
            if self.connection.query_row(stray, [], |row| row.get::<_, i64>(0))? > 0 {
                return Err(corrupt(format!("rows where none may be: {stray}")));
            }
        }
        Ok(())
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StorageError> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| cannot_open(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    // A file from elsewhere may name functions and hide broken cells: trust neither.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn configure(connection: &Connection, durability: Durability) -> Result<(), StorageError> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Reading opens the log, so that others see the file in use from now on.
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(())
}

fn open_existing(path: &Path, access: OpenFlags) -> Result<Connection, StorageError> {
    match std::fs::metadata(path) {
        Ok(_) => (),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StorageError::NotFound { path: path.into() });
        }
        Err(error) => return Err(cannot_open(path, &error)),
    }
    let connection = connect(path, access)?;
    let first_read = connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0));
    match first_read.map_err(|error| error.sqlite_error_code()) {
        Err(Some(ErrorCode::CannotOpen)) => (),
        Ok(_) | Err(_) => return Ok(connection),
    }
    // On a disk that cannot be written the two files beside a ledger cannot be made. One that was closed is whole
    // without them, and can be read as a file that nobody changes.
    if access == OpenFlags::SQLITE_OPEN_READ_ONLY && !beside(path, "-wal").exists() {
        return connect(&unchanging(path), access | OpenFlags::SQLITE_OPEN_URI);
    }
    let detail = "the files -wal and -shm beside it cannot be made or opened".to_owned();
    Err(StorageError::CannotOpen { path: path.into(), detail })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The URI by which SQLite reads a file without making others beside it.
fn unchanging(path: &Path) -> PathBuf {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push('%');
            uri.push_str(&hex::encode([byte]));
        }
    }
    uri.push_str("?immutable=1");
    uri.into()
}

/// Opens a file and makes sure that it is a ledger of a known format, before anything can be written to it.
fn open_checked(path: &Path, access: OpenFlags) -> Result<Connection, StorageError> {
    let connection = open_existing(path, access)?;
    let not_a_ledger = |detail: String| StorageError::NotALedger { path: path.into(), detail };
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application_id = pragma("application_id").map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_ledger("it is not an SQLite file".to_owned()),
        _ => error.into(),
    })?;
    if application_id != i64::from(APPLICATION_ID) {
        return Err(not_a_ledger("its SQLite application id is another".to_owned()));
    }
    match u32::try_from(pragma("user_version")?) {
        Ok(FORMAT) => (),
        Ok(found) if found > FORMAT => {
            return Err(StorageError::NewerFormat { path: path.into(), found, supported: FORMAT });
        }
        found => return Err(not_a_ledger(format!("no ledger format has the number {found:?}"))),
    }
    check_tables(&connection)?;
    Ok(connection)
}

fn check_tables(connection: &Connection) -> Result<(), StorageError> {
    let mut query = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let found = query
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let same = found.len() == TABLES.len()
        && found
            .iter()
            .zip(TABLES)
            .all(|((name, sql), table)| (name.as_str(), sql.as_deref()) == (table.0, Some(table.1)));
    if same { Ok(()) } else { Err(corrupt("its tables are not those of a ledger")) }
}

fn corrupt(detail: impl Into<String>) -> StorageError {
    StorageError::Corrupt { detail: detail.into() }
}

fn cannot_open(path: &Path, error: &dyn std::error::Error) -> StorageError {
    StorageError::CannotOpen { path: PathBuf::from(path), detail: error.to_string() }
}

fn key(number: u64) -> Result<i64, StorageError> {
    i64::try_from(number).map_err(|_| corrupt(format!("{number} is beyond the largest index")))
}

fn number(key: i64) -> Result<u64, StorageError> {
    u64::try_from(key).map_err(|_| corrupt(format!("the index {key} is negative")))
}

fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], StorageError> {
    let value = row.get_ref(column)?;
    value.as_blob().map_err(|_| corrupt(format!("column {column} holds {}", value.data_type())))
}

fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], StorageError> {
    let found = blob(row, column)?;
    found.try_into().map_err(|_| corrupt(format!("column {column} holds {} bytes instead of {N}", found.len())))
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TooBig,
            )
            | None => Self::Corrupt { detail },
            Some(_) => Self::Io { detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, HeadKey, Kind, Ledger, LedgerError};

    fn votes(count: u32) -> Vec<Entry> {
        (0..count).map(|author| Entry { kind: Kind::Vote, step: 1, author, body: vec![5; 400] }).collect()
    }

    fn pages_max(storage: &SqliteStorage, pages: i64) {
        storage.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    #[test]
    fn a_batch_without_space_is_not_stored_and_goes_in_when_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::create(folder.path().join("ledger.db"), Durability::Normal).unwrap();
        let key = HeadKey::from_seed([1; 32]);
        let mut ledger = Ledger::create(storage, Origin::new("dais/full").unwrap(), key.clone()).unwrap();
        ledger.append_batch(&votes(30)).unwrap();
        let before = *ledger.head();
        pages_max(ledger.storage(), 20);
        assert_eq!(ledger.append_batch(&votes(1_000)), Err(LedgerError::Storage(StorageError::Full)));
        assert_eq!(*ledger.head(), before);
        assert_eq!(ledger.verify(&key.verifier()).unwrap().entries, 30);
        pages_max(ledger.storage(), 10_000);
        assert_eq!(ledger.append_batch(&votes(1_000)), Ok(30..1_030));
        assert_eq!(ledger.verify(&key.verifier()).unwrap().entries, 1_030);
    }

    #[test]
    fn the_settings_are_those_of_the_format_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let setting = |storage: &SqliteStorage, name: &str| {
            storage.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap()
        };
        let storage = SqliteStorage::create(&path, Durability::Full).unwrap();
        assert_eq!(setting(&storage, "synchronous"), 2);
        assert_eq!(setting(&storage, "page_size"), 8_192);
        assert_eq!(setting(&storage, "wal_autocheckpoint"), 2_048);
        assert_eq!(setting(&storage, "application_id"), 0x4441_4953);
        assert_eq!(setting(&storage, "user_version"), 1);
        drop(storage);
        let storage = SqliteStorage::open(&path, Durability::Normal).unwrap();
        assert_eq!(setting(&storage, "synchronous"), 1);
        let mode: String = storage.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
