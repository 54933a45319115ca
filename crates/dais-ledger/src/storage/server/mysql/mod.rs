//! A log in a MySQL or MariaDB database.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Error, Opts, OptsBuilder, Row, SslOpts, Value};

use super::session::{self, Attempt, Connector, Failure, Page, Session, key, number};
use super::tls::{TlsWish, is_loopback, refused};
use super::{Purpose, ServerUrl, place};
use crate::head::SignedHead;
use crate::storage::{Batch, Identity, RowRef, ServerSettings, StorageError};

mod failure;
mod tables;

use failure::{DUPLICATE, Doing, failure};

/// Rows to one statement, if they fit into one packet.
const INSERT_ROWS: usize = 256;
/// What a row takes in a packet besides its bytes, and a statement besides its rows; rather too much.
const OVERHEAD_BYTES: usize = 128;
/// The lock of writers, held by the connection. No permission is needed for it.
const LOCK: &str = "CONCAT('dais.', MD5(DATABASE()))";
/// How long to wait for the lock when nothing limits it, in seconds.
const LOCK_WAIT_MAX_S: u64 = 1_000_000;

/// Where a log is, for errors.
struct Place {
    shown: PathBuf,
}

/// Knows how to reach one database.
pub(super) struct MysqlConnector {
    options: Opts,
    place: Place,
    statement_timeout: Duration,
}

impl MysqlConnector {
    /// Understands the connection string; nothing is connected.
    pub(super) fn new(url: &ServerUrl, settings: &ServerSettings) -> Result<Self, StorageError> {
        let (text, wish) = TlsWish::of(url.secret())?;
        let options = Opts::from_url(&text).map_err(|error| refused(format!("the connection string: {error}")))?;
        if options.get_db_name().is_none_or(str::is_empty) {
            return Err(refused("the connection string names no database".to_owned()));
        }
        let stays_here = || options.get_socket().is_some() || is_loopback(&options.get_ip_or_hostname());
        let encrypted = wish.is_encrypted(stays_here).then(|| SslOpts::default().with_root_cert_path(wish.roots));
        // A server that is there answers within the time a statement may take, after it got the lock.
        let silence = Some(settings.statement_timeout * 2).filter(|silence| !silence.is_zero());
        let options = OptsBuilder::from_opts(options)
            .ssl_opts(encrypted)
            .prefer_socket(false)
            .tcp_connect_timeout(Some(settings.connect_timeout))
            .read_timeout(silence)
            .write_timeout(silence)
            .into();
        Ok(Self { options, place: Place { shown: place(url) }, statement_timeout: settings.statement_timeout })
    }

    /// Sets what every connection is set to; values that do not fit are errors, never cut.
    fn set(&self, connection: &mut Conn, purpose: Purpose) -> Result<(), Error> {
        let access = if purpose == Purpose::Read { "READ ONLY" } else { "READ WRITE" };
        connection.query_drop("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1")?;
        connection.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL read committed")?;
        connection.query_drop(format!("SET SESSION TRANSACTION {access}"))?;
        let (seconds, millis) = (self.statement_timeout.as_secs_f64(), self.statement_timeout.as_millis());
        let version: Option<String> = connection.query_first("SELECT VERSION()")?;
        connection.query_drop(if version.is_some_and(|version| version.contains("MariaDB")) {
            format!("SET SESSION max_statement_time = {seconds}")
        } else {
            format!("SET SESSION max_execution_time = {millis}")
        })
    }
}

impl Connector for MysqlConnector {
    fn connect(&self, purpose: Purpose) -> Result<Box<dyn Session>, Failure> {
        let mut connection = Conn::new(self.options.clone()).map_err(|error| reading(&error))?;
        self.set(&mut connection, purpose).map_err(|error| reading(&error))?;
        let packet: Option<usize> =
            connection.query_first("SELECT @@max_allowed_packet").map_err(|error| reading(&error))?;
        let seconds = self.statement_timeout.as_secs().max(1);
        let lock_wait_s = if self.statement_timeout.is_zero() { LOCK_WAIT_MAX_S } else { seconds };
        let mut session = MysqlSession { connection, lock_wait_s, packet_bytes: packet.unwrap_or(1 << 20) };
        let older = match purpose {
            Purpose::Create => true,
            Purpose::Write | Purpose::Read => {
                tables::is_older(tables::check_version(&mut session.connection, &self.place)?)
            }
        };
        if older && purpose != Purpose::Read {
            session.locked(|session| Ok(tables::migrate(&mut session.connection, &self.place)?))?;
        }
        tables::check_columns(&mut session.connection)?;
        Ok(Box::new(session))
    }
}

/// One connection.
struct MysqlSession {
    connection: Conn,
    lock_wait_s: u64,
    packet_bytes: usize,
}

impl MysqlSession {
    /// Does `work` as the only writer.
    fn locked(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<(), Failure> {
        let wait = format!("SELECT GET_LOCK({LOCK}, {})", self.lock_wait_s);
        let got: Option<Row> = self.connection.query_first(wait).map_err(|error| reading(&error))?;
        if got.as_ref().map(|row| column::<Option<i64>>(row, 0)).transpose()?.flatten() != Some(1) {
            let detail = "another writer holds the log".to_owned();
            return Err(Failure::Final(StorageError::Timeout { detail }));
        }
        let done = work(self).map_err(|refusal| refusal.meaning(Doing::Writing));
        if !matches!(done, Err(Failure::Lost(_))) {
            // What was done is done; a connection that was lost just now frees its lock, and is noticed at its next use.
            let _ = self.connection.query_drop(format!("DO RELEASE_LOCK({LOCK})"));
        }
        done
    }

    /// Does `work` in a transaction of the only writer. `work` says whether there is something to commit.
    fn transaction(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<(), Failure> {
        self.locked(|session| {
            session.connection.query_drop("START TRANSACTION")?;
            match work(session) {
                Ok(()) => Ok(session.connection.query_drop("COMMIT")?),
                Err(refusal) => {
                    // Fails only with the connection, and then the server does the same.
                    let _ = session.connection.query_drop("ROLLBACK");
                    Err(refusal)
                }
            }
        })
    }

    fn insert(&mut self, mut rows: &[RowRef<'_>]) -> Result<(), Refusal> {
        while !rows.is_empty() {
            // Powers of two, so that the server sees few different statements.
            let mut count = 1 << rows.len().min(INSERT_ROWS).ilog2();
            let bytes = |rows: &[RowRef<'_>]| rows.iter().map(|row| row.bytes.len() + OVERHEAD_BYTES).sum::<usize>();
            while count > 1 && bytes(&rows[..count]) + OVERHEAD_BYTES > self.packet_bytes {
                count /= 2;
            }
            let (now, later) = rows.split_at(count);
            let values = vec!["(?,?,?)"; count].join(",");
            let parameters: Vec<Value> = now
                .iter()
                .flat_map(|row| [key(row.index).into(), row.leaf.as_bytes().into(), row.bytes.into()])
                .collect();
            let insert = format!("INSERT INTO dais_entries (idx, leaf, bytes) VALUES {values}");
            self.connection.exec_drop(insert, parameters)?;
            rows = later;
        }
        Ok(())
    }

    fn insert_head(&mut self, head: &SignedHead) -> Result<(), Refusal> {
        let insert = "INSERT INTO dais_heads (size, root, seal) VALUES (?, ?, ?)";
        let values = (key(head.head.size), head.head.root.as_bytes().as_slice(), head.seal.as_bytes().as_slice());
        Ok(self.connection.exec_drop(insert, values)?)
    }

    fn head(&mut self, which: &str, size: i64) -> Result<Option<SignedHead>, Refusal> {
        let query = format!("SELECT size, root, seal FROM dais_heads WHERE {which} LIMIT 1");
        let row: Option<Row> = self.connection.exec_first(query, (size,))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(session::head(column(&row, 0)?, blob(&row, 1)?, blob(&row, 2)?)?))
    }

    /// Whether exactly this head is stored.
    fn has_head(&mut self, head: &SignedHead) -> Result<bool, Refusal> {
        Ok(self.head("size = ?", key(head.head.size))? == Some(*head))
    }

    fn next_index(&mut self) -> Result<u64, Refusal> {
        let row: Option<Row> = self.connection.query_first("SELECT max(idx) FROM dais_entries")?;
        let last = row.as_ref().map(|row| column::<Option<i64>>(row, 0)).transpose()?.flatten();
        Ok(last.map_or(Ok(0), |last| number(last).map(|last| last + 1))?)
    }

    fn stored_identity(&mut self) -> Result<Option<Identity>, Refusal> {
        let row: Option<Row> = self.connection.query_first("SELECT origin, public_key FROM dais_identity")?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(session::identity(column(&row, 0)?, blob(&row, 1)?)?))
    }

    fn page(&mut self, columns: &str, range: Range<u64>, rows_max: u32, page: &mut Page) -> Result<(), Refusal> {
        let query = format!("SELECT {columns} FROM dais_entries WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?");
        for row in self.connection.exec_iter(query, (key(range.start), key(range.end), rows_max))? {
            let row = row?;
            let bytes = if row.len() > 2 { blob(&row, 2)? } else { &[] };
            page.push(column(&row, 0)?, blob(&row, 1)?, bytes)?;
        }
        Ok(())
    }
}

impl Session for MysqlSession {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead, attempt: Attempt) -> Result<(), Failure> {
        self.transaction(|session| {
            if let Some(found) = session.stored_identity()? {
                let same = attempt == Attempt::Again && found == *identity && session.has_head(head)?;
                return if same { Ok(()) } else { Err(Failure::Final(StorageError::AlreadyCreated).into()) };
            }
            let insert = "INSERT INTO dais_identity (one, origin, public_key) VALUES (1, ?, ?)";
            session.connection.exec_drop(insert, (identity.origin.as_str(), identity.public_key.as_slice()))?;
            session.insert_head(head)
        })
    }

    fn identity(&mut self) -> Result<Option<Identity>, Failure> {
        self.stored_identity().map_err(Refusal::reading)
    }

    fn append(&mut self, batch: &Batch, head: &SignedHead, attempt: Attempt) -> Result<(), Failure> {
        self.transaction(|session| {
            let (expected, found) = (batch.first_index(), session.next_index()?);
            let conflict = |found| Refusal::Rows(Failure::Final(StorageError::Conflict { expected, found }));
            if found != expected {
                let stored = attempt == Attempt::Again && session.has_head(head)?;
                return if stored { Ok(()) } else { Err(conflict(found)) };
            }
            let rows: Vec<_> = batch.rows().collect();
            match session.insert(&rows).and_then(|()| session.insert_head(head)) {
                // Another writer that does not heed the lock.
                Err(Refusal::Server(Error::MySqlError(answer))) if answer.code == DUPLICATE => {
                    session.connection.query_drop("ROLLBACK")?;
                    Err(conflict(session.next_index()?))
                }
                inserted => inserted,
            }
        })
    }

    fn len(&mut self) -> Result<u64, Failure> {
        self.next_index().map_err(Refusal::reading)
    }

    fn rows(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure> {
        self.page("idx, leaf, bytes", range, Page::ROWS, page).map_err(Refusal::reading)
    }

    fn leaves(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure> {
        self.page("idx, leaf", range, Page::LEAVES, page).map_err(Refusal::reading)
    }

    fn latest_head(&mut self) -> Result<Option<SignedHead>, Failure> {
        self.head("size > ? ORDER BY size DESC", -1).map_err(Refusal::reading)
    }

    fn next_head(&mut self, size: Option<u64>) -> Result<Option<SignedHead>, Failure> {
        self.head("size > ? ORDER BY size", size.map_or(-1, key)).map_err(Refusal::reading)
    }

    fn check_structure(&mut self) -> Result<(), Failure> {
        tables::check_columns(&mut self.connection)?;
        // Whoever may change the tables may have dropped their constraints.
        for stray in [
            "SELECT count(*) FROM dais_entries WHERE idx < 0",
            "SELECT count(*) FROM dais_heads WHERE size < 0",
            "SELECT count(*) FROM dais_identity WHERE one <> 1",
        ] {
            let row: Option<Row> = self.connection.query_first(stray).map_err(|error| reading(&error))?;
            if row.as_ref().map(|row| column::<i64>(row, 0)).transpose()? != Some(0) {
                return Err(Failure::corrupt(format!("rows where none may be: {stray}")));
            }
        }
        Ok(())
    }
}

/// Why something was not done: the server's error, or what the rows say.
enum Refusal {
    Server(Error),
    Rows(Failure),
}

impl Refusal {
    fn meaning(self, doing: Doing) -> Failure {
        match self {
            Self::Server(error) => failure(&error, doing),
            Self::Rows(failure) => failure,
        }
    }

    fn reading(self) -> Failure {
        self.meaning(Doing::Reading)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Rows(failure)
    }
}

fn reading(error: &Error) -> Failure {
    failure(error, Doing::Reading)
}

fn column<T: mysql::prelude::FromValue>(row: &Row, at: usize) -> Result<T, Failure> {
    let strange = || Failure::corrupt(format!("column {at} holds another type"));
    row.get_opt(at).ok_or_else(strange)?.map_err(|_| strange())
}

fn blob(row: &Row, at: usize) -> Result<&[u8], Failure> {
    match row.as_ref(at) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(Failure::corrupt(format!("column {at} holds no bytes"))),
    }
}
