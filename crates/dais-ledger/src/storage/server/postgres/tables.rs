//! The tables of a log in PostgreSQL, and their versions.

use postgres::{Client, Transaction};

use super::super::session::{Failure, check_format};
use super::Place;
use super::failure::{Doing, failure, is_duplicate_table};
use crate::storage::StorageError;

/// What leads from each version of the tables to the next, beginning with nothing. What is released is never changed,
/// only added to.
const MIGRATIONS: [&str; 1] = ["\
    CREATE TABLE version (one SMALLINT PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL);
    INSERT INTO version (one, format) VALUES (1, 0);
    CREATE TABLE entries (
        idx BIGINT PRIMARY KEY CHECK (idx >= 0),
        leaf BYTEA NOT NULL CHECK (octet_length(leaf) = 32),
        bytes BYTEA NOT NULL);
    ALTER TABLE entries ALTER COLUMN bytes SET STORAGE EXTERNAL;
    CREATE TABLE heads (
        size BIGINT PRIMARY KEY CHECK (size >= 0),
        root BYTEA NOT NULL CHECK (octet_length(root) = 32),
        seal BYTEA NOT NULL CHECK (octet_length(seal) = 64));
    CREATE TABLE identity (
        one SMALLINT PRIMARY KEY CHECK (one = 1),
        origin TEXT NOT NULL,
        public_key BYTEA NOT NULL CHECK (octet_length(public_key) = 32));
"];

/// Version of the tables that this program reads and writes.
const FORMAT: u32 = MIGRATIONS.len() as u32;

/// Every column by table, name, type, and whether it may be empty, in that order.
const COLUMNS: &str = "entries.bytes bytea NO, entries.idx bigint NO, entries.leaf bytea NO, \
    heads.root bytea NO, heads.seal bytea NO, heads.size bigint NO, \
    identity.one smallint NO, identity.origin text NO, identity.public_key bytea NO, \
    version.format integer NO, version.one smallint NO";

/// `DAIS` in ASCII: the first half of the locks.
pub(super) const LOCK: i32 = 0x4441_4953;

/// Makes missing tables, or brings them to the present version, in one transaction that others wait for.
pub(super) fn migrate(client: &mut Client, place: &Place) -> Result<(), Failure> {
    let writing = |error: &postgres::Error| failure(error, Doing::Writing);
    let mut transaction = client.transaction().map_err(|error| writing(&error))?;
    transaction
        .query("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCK, &place.schema])
        .map_err(|error| writing(&error))?;
    let found = version(&mut transaction, place)?;
    check_format(found.unwrap_or(0), FORMAT, &place.shown)?;
    if found.is_none() {
        let exists = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
        if transaction.query_opt(exists, &[&place.schema]).map_err(|error| writing(&error))?.is_none() {
            let create = format!("CREATE SCHEMA \"{}\"", place.schema);
            transaction.batch_execute(&create).map_err(|error| writing(&error))?;
        }
    }
    for migration in &MIGRATIONS[found.unwrap_or(0) as usize..] {
        transaction.batch_execute(migration).map_err(|error| {
            if is_duplicate_table(&error) {
                Failure::not_a_ledger(&place.shown, "its schema has tables of something else")
            } else {
                writing(&error)
            }
        })?;
    }
    if found != Some(FORMAT) {
        let update = format!("UPDATE version SET format = {FORMAT}");
        transaction.batch_execute(&update).map_err(|error| writing(&error))?;
    }
    transaction.commit().map_err(|error| writing(&error))
}

/// Makes sure that the tables are there and are those of this version, or, for a writer, brings them to it.
pub(super) fn check_version(client: &mut Client, place: &Place) -> Result<u32, Failure> {
    let mut transaction = client.transaction().map_err(|error| failure(&error, Doing::Reading))?;
    let found = version(&mut transaction, place)?;
    let found = found.ok_or_else(|| Failure::Final(StorageError::NotFound { path: place.shown.clone() }))?;
    check_format(found, FORMAT, &place.shown)?;
    Ok(found)
}

/// Makes sure that the columns are those of a ledger.
pub(super) fn check_columns(client: &mut Client, place: &Place) -> Result<(), Failure> {
    let columns = "SELECT string_agg(format('%s.%s %s %s', c.relname, a.attname, \
            format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END), \
            ', ' ORDER BY c.relname COLLATE \"C\", a.attname COLLATE \"C\") \
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped";
    let row = client.query_one(columns, &[&place.schema]).map_err(|error| failure(&error, Doing::Reading))?;
    let found: Option<&str> = row.try_get(0).map_err(|error| Failure::corrupt(error.to_string()))?;
    if found == Some(COLUMNS) { Ok(()) } else { Err(Failure::corrupt("its tables are not those of a ledger")) }
}

/// Whether a version needs [`migrate`].
pub(super) fn is_older(version: u32) -> bool {
    version < FORMAT
}

/// The version of the tables, or `None` where there are none.
fn version(transaction: &mut Transaction<'_>, place: &Place) -> Result<Option<u32>, Failure> {
    let reading = |error: &postgres::Error| failure(error, Doing::Reading);
    let table = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1 AND c.relname = 'version' AND c.relkind = 'r'";
    if transaction.query_opt(table, &[&place.schema]).map_err(|error| reading(&error))?.is_none() {
        return Ok(None);
    }
    let strange = || Failure::not_a_ledger(&place.shown, "its table of versions is another");
    // With its schema: otherwise a missing permission would look like a missing table.
    let format = format!("SELECT format FROM \"{}\".version WHERE one = 1", place.schema);
    let row = transaction.query_opt(&format, &[]);
    let row =
        row.map_err(|error| if super::failure::is_no_such_column(&error) { strange() } else { reading(&error) })?;
    let format: i32 = row.ok_or_else(strange)?.try_get(0).map_err(|_| strange())?;
    u32::try_from(format).map(Some).map_err(|_| strange())
}
