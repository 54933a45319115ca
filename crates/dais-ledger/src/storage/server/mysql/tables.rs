//! The tables of a log in a MySQL or MariaDB database, and their versions.

use mysql::Conn;
use mysql::prelude::Queryable as _;

use super::super::session::{Failure, check_format};
use super::failure::{Doing, failure};
use super::{Place, column};
use crate::storage::StorageError;

/// What leads from each version of the tables to the next. Servers of this kind commit every change of a table by
/// itself, so that each statement can be repeated after an interruption.
const MIGRATIONS: [&[&str]; 1] = [&[
    "CREATE TABLE IF NOT EXISTS dais_version (one SMALLINT PRIMARY KEY CHECK (one = 1), format INT NOT NULL) \
     ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS dais_entries (idx BIGINT PRIMARY KEY CHECK (idx >= 0), \
     leaf VARBINARY(32) NOT NULL CHECK (length(leaf) = 32), bytes MEDIUMBLOB NOT NULL) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS dais_heads (size BIGINT PRIMARY KEY CHECK (size >= 0), \
     root VARBINARY(32) NOT NULL CHECK (length(root) = 32), \
     seal VARBINARY(64) NOT NULL CHECK (length(seal) = 64)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS dais_identity (one SMALLINT PRIMARY KEY CHECK (one = 1), \
     origin VARBINARY(200) NOT NULL, public_key VARBINARY(32) NOT NULL CHECK (length(public_key) = 32)) \
     ENGINE = InnoDB",
]];

/// Version of the tables that this program reads and writes.
const FORMAT: u32 = MIGRATIONS.len() as u32;

/// Every column by table, name, type, and whether it may be empty.
const COLUMNS: [&str; 11] = [
    "dais_entries.bytes mediumblob NO",
    "dais_entries.idx bigint NO",
    "dais_entries.leaf varbinary NO",
    "dais_heads.root varbinary NO",
    "dais_heads.seal varbinary NO",
    "dais_heads.size bigint NO",
    "dais_identity.one smallint NO",
    "dais_identity.origin varbinary NO",
    "dais_identity.public_key varbinary NO",
    "dais_version.format int NO",
    "dais_version.one smallint NO",
];

/// Makes missing tables, or brings them to the present version, while others wait.
pub(super) fn migrate(connection: &mut Conn, place: &Place) -> Result<(), Failure> {
    let found = version(connection, place)?;
    check_format(found.unwrap_or(0), FORMAT, &place.shown)?;
    if found.is_none() && !columns(connection)?.is_empty() {
        return Err(Failure::not_a_ledger(&place.shown, "its database has tables of something else"));
    }
    for statement in MIGRATIONS[found.unwrap_or(0) as usize..].iter().copied().flatten() {
        connection.query_drop(statement).map_err(|error| failure(&error, Doing::Writing))?;
    }
    if found != Some(FORMAT) {
        let update = "REPLACE INTO dais_version (one, format) VALUES (1, ?)";
        connection.exec_drop(update, (FORMAT,)).map_err(|error| failure(&error, Doing::Writing))?;
    }
    Ok(())
}

/// Makes sure that the tables are there and of a known version, which is returned.
pub(super) fn check_version(connection: &mut Conn, place: &Place) -> Result<u32, Failure> {
    match version(connection, place)? {
        None | Some(0) => Err(Failure::Final(StorageError::NotFound { path: place.shown.clone() })),
        Some(found) => check_format(found, FORMAT, &place.shown).map(|()| found),
    }
}

/// Makes sure that the columns are those of a ledger.
pub(super) fn check_columns(connection: &mut Conn) -> Result<(), Failure> {
    if columns(connection)? == COLUMNS { Ok(()) } else { Err(Failure::corrupt("its tables are not those of a ledger")) }
}

/// Whether a version needs [`migrate`].
pub(super) fn is_older(version: u32) -> bool {
    version < FORMAT
}

fn columns(connection: &mut Conn) -> Result<Vec<String>, Failure> {
    let columns = "SELECT CONCAT(table_name, '.', column_name, ' ', data_type, ' ', is_nullable) \
        FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name LIKE 'dais\\_%'";
    let rows: Vec<mysql::Row> = connection.query(columns).map_err(|error| failure(&error, Doing::Reading))?;
    let mut found = rows.iter().map(|row| column(row, 0)).collect::<Result<Vec<String>, _>>()?;
    found.sort();
    Ok(found)
}

/// The version of the tables, 0 when their making was interrupted, or `None` where there are none.
fn version(connection: &mut Conn, place: &Place) -> Result<Option<u32>, Failure> {
    let strange = || Failure::not_a_ledger(&place.shown, "its table of versions is another");
    let columns = columns(connection)?;
    if !columns.iter().any(|column| column.starts_with("dais_version.")) {
        return Ok(None);
    }
    if !columns.iter().any(|column| column == "dais_version.format int NO") {
        return Err(strange());
    }
    let row: Option<mysql::Row> = connection
        .query_first("SELECT format FROM dais_version WHERE one = 1")
        .map_err(|error| failure(&error, Doing::Reading))?;
    row.as_ref().map_or(Ok(Some(0)), |row| column(row, 0).map(Some).map_err(|_| strange()))
}
