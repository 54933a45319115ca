//! A log in a schema of a PostgreSQL database.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::config::TargetSessionAttrs;
use postgres::types::Type;
use postgres::{Client, Config, Error, GenericClient, Row, Statement};

use super::session::{self, Attempt, Connector, Failure, Page, Session, key, number};
use super::tls::TlsWish;
use super::{Purpose, ServerUrl, place};
use crate::head::SignedHead;
use crate::storage::{Batch, Identity, ServerSettings, StorageError};

mod failure;
mod tables;
mod tls;

use failure::{Doing, failure, is_duplicate};
use tls::Tls;

/// How long a connection may be idle before the network is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where a log is, for statements and for errors.
#[derive(Clone)]
struct Place {
    /// Plain characters only, see [`ServerUrl`].
    schema: String,
    shown: PathBuf,
}

/// Knows how to reach one schema.
pub(super) struct PostgresConnector {
    config: Config,
    tls: Tls,
    place: Place,
    /// Milliseconds; zero is none.
    statement_timeout_ms: u128,
}

impl PostgresConnector {
    /// Understands the connection string; nothing is connected.
    pub(super) fn new(url: &ServerUrl, settings: &ServerSettings) -> Result<Self, StorageError> {
        let (text, wish) = TlsWish::of(url.secret())?;
        let mut config = Config::from_str(&text).map_err(|error| refused(&error))?;
        if config.get_application_name().is_none() {
            config.application_name("dais");
        }
        config.connect_timeout(settings.connect_timeout).keepalives_idle(KEEPALIVE);
        config.tcp_user_timeout(settings.statement_timeout);
        let tls = Tls::new(&wish, &mut config)?;
        let place = Place { schema: url.schema().to_owned(), shown: place(url) };
        Ok(Self { config, tls, place, statement_timeout_ms: settings.statement_timeout.as_millis() })
    }

    /// What every connection is set to.
    ///
    /// A commit waits for the server's disk whatever the server's own setting; one that waits for more is kept. Who
    /// holds the lock of writers and is not heard of any more loses it after the time a statement may take.
    fn settings(&self, purpose: Purpose) -> String {
        let (schema, timeout) = (&self.place.schema, self.statement_timeout_ms);
        let read_only = if purpose == Purpose::Read { "on" } else { "off" };
        format!(
            "SET client_min_messages = warning; SET search_path = \"{schema}\"; SET statement_timeout = {timeout}; \
             SET idle_in_transaction_session_timeout = {timeout}; SET default_transaction_read_only = {read_only}; \
             SET default_transaction_isolation = 'read committed'; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    }
}

impl Connector for PostgresConnector {
    fn connect(&self, purpose: Purpose) -> Result<Box<dyn Session>, Failure> {
        let mut config = self.config.clone();
        if purpose != Purpose::Read && config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let mut client = self.tls.connect(&config).map_err(|error| reading(&error))?;
        client.batch_execute(&self.settings(purpose)).map_err(|error| reading(&error))?;
        let older = match purpose {
            Purpose::Create => true,
            Purpose::Write | Purpose::Read => tables::is_older(tables::check_version(&mut client, &self.place)?),
        };
        // A reader changes nothing: it meets older columns below.
        if older && purpose != Purpose::Read {
            tables::migrate(&mut client, &self.place)?;
        }
        tables::check_columns(&mut client, &self.place)?;
        let statements = Statements::prepare(&mut client).map_err(|error| reading(&error))?;
        Ok(Box::new(PostgresSession { client, statements, schema: self.place.schema.clone() }))
    }
}

/// What is asked often.
struct Statements {
    lock: Statement,
    last_index: Statement,
    copy: Statement,
    insert_head: Statement,
    head: Statement,
    next_head: Statement,
    rows: Statement,
    leaves: Statement,
}

impl Statements {
    fn prepare(client: &mut Client) -> Result<Self, Error> {
        Ok(Self {
            lock: client.prepare("SELECT pg_advisory_xact_lock($1, hashtext($2))")?,
            last_index: client.prepare("SELECT max(idx) FROM entries")?,
            copy: client.prepare("COPY entries (idx, leaf, bytes) FROM STDIN BINARY")?,
            insert_head: client.prepare("INSERT INTO heads (size, root, seal) VALUES ($1, $2, $3)")?,
            head: client.prepare("SELECT size, root, seal FROM heads WHERE size = $1")?,
            next_head: client.prepare("SELECT size, root, seal FROM heads WHERE size > $1 ORDER BY size LIMIT 1")?,
            rows: client
                .prepare("SELECT idx, leaf, bytes FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT $3")?,
            leaves: client
                .prepare("SELECT idx, leaf FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT $3")?,
        })
    }
}

/// One connection.
struct PostgresSession {
    client: Client,
    statements: Statements,
    schema: String,
}

impl PostgresSession {
    fn try_append(&mut self, batch: &Batch, head: &SignedHead, attempt: Attempt) -> Result<(), Refusal> {
        let statements = &self.statements;
        let mut transaction = self.client.transaction()?;
        transaction.query(&statements.lock, &[&tables::LOCK, &self.schema])?;
        let found = next_index(&mut transaction, statements)?;
        if found != batch.first_index() {
            if attempt == Attempt::Again && stored_head(&mut transaction, statements, head)? == Some(*head) {
                return Ok(());
            }
            return Err(Failure::Final(StorageError::Conflict { expected: batch.first_index(), found }).into());
        }
        let writer = transaction.copy_in(&statements.copy)?;
        let mut writer = BinaryCopyInWriter::new(writer, &[Type::INT8, Type::BYTEA, Type::BYTEA]);
        for row in batch.rows() {
            writer.write(&[&key(row.index), &row.leaf.as_bytes().as_slice(), &row.bytes])?;
        }
        writer.finish()?;
        insert_head(&mut transaction, statements, head)?;
        Ok(transaction.commit()?)
    }

    fn try_initialise(&mut self, identity: &Identity, head: &SignedHead, attempt: Attempt) -> Result<(), Refusal> {
        let statements = &self.statements;
        let mut transaction = self.client.transaction()?;
        transaction.query(&statements.lock, &[&tables::LOCK, &self.schema])?;
        if let Some(found) = stored_identity(&mut transaction)? {
            let same = found == *identity && stored_head(&mut transaction, statements, head)? == Some(*head);
            return match attempt {
                Attempt::Again if same => Ok(()),
                Attempt::Again | Attempt::First => Err(Failure::Final(StorageError::AlreadyCreated).into()),
            };
        }
        let insert = "INSERT INTO identity (one, origin, public_key) VALUES (1, $1, $2)";
        transaction.execute(insert, &[&identity.origin.as_str(), &identity.public_key.as_slice()])?;
        insert_head(&mut transaction, statements, head)?;
        Ok(transaction.commit()?)
    }

    fn page(&mut self, leaves_only: bool, range: Range<u64>, page: &mut Page) -> Result<(), Failure> {
        let (statement, most) =
            if leaves_only { (&self.statements.leaves, Page::LEAVES) } else { (&self.statements.rows, Page::ROWS) };
        let bounds: [&(dyn postgres::types::ToSql + Sync); 3] = [&key(range.start), &key(range.end), &i64::from(most)];
        for row in self.client.query(statement, &bounds).map_err(|error| reading(&error))? {
            let bytes: &[u8] = if leaves_only { &[] } else { column(&row, 2)? };
            page.push(column(&row, 0)?, column(&row, 1)?, bytes)?;
        }
        Ok(())
    }
}

impl Session for PostgresSession {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead, attempt: Attempt) -> Result<(), Failure> {
        self.try_initialise(identity, head, attempt).map_err(Refusal::writing)
    }

    fn identity(&mut self) -> Result<Option<Identity>, Failure> {
        stored_identity(&mut self.client).map_err(Refusal::reading)
    }

    fn append(&mut self, batch: &Batch, head: &SignedHead, attempt: Attempt) -> Result<(), Failure> {
        match self.try_append(batch, head, attempt) {
            Err(Refusal::Server(error)) if is_duplicate(&error) => {
                // Another writer that does not heed the lock.
                let (expected, found) = (batch.first_index(), self.len()?);
                Err(Failure::Final(StorageError::Conflict { expected, found }))
            }
            appended => appended.map_err(Refusal::writing),
        }
    }

    fn len(&mut self) -> Result<u64, Failure> {
        next_index(&mut self.client, &self.statements).map_err(Refusal::reading)
    }

    fn rows(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure> {
        self.page(false, range, page)
    }

    fn leaves(&mut self, range: Range<u64>, page: &mut Page) -> Result<(), Failure> {
        self.page(true, range, page)
    }

    fn latest_head(&mut self) -> Result<Option<SignedHead>, Failure> {
        let latest = "SELECT size, root, seal FROM heads ORDER BY size DESC LIMIT 1";
        let row = self.client.query_opt(latest, &[]).map_err(|error| reading(&error))?;
        row.as_ref().map(head_of).transpose()
    }

    fn next_head(&mut self, size: Option<u64>) -> Result<Option<SignedHead>, Failure> {
        let row = self.client.query_opt(&self.statements.next_head, &[&size.map_or(-1, key)]);
        row.map_err(|error| reading(&error))?.as_ref().map(head_of).transpose()
    }

    fn check_structure(&mut self) -> Result<(), Failure> {
        let place = Place { schema: self.schema.clone(), shown: PathBuf::new() };
        tables::check_columns(&mut self.client, &place)?;
        // Whoever may change the tables may have dropped their constraints.
        for stray in [
            "SELECT count(*) FROM entries WHERE idx < 0",
            "SELECT count(*) FROM heads WHERE size < 0",
            "SELECT count(*) FROM identity WHERE one <> 1",
        ] {
            let row = self.client.query_one(stray, &[]).map_err(|error| reading(&error))?;
            if column::<i64>(&row, 0)? > 0 {
                return Err(Failure::corrupt(format!("rows where none may be: {stray}")));
            }
        }
        Ok(())
    }
}

/// Why a transaction was not made: the server's error, or what the rows say.
enum Refusal {
    Server(Error),
    Rows(Failure),
}

impl Refusal {
    fn writing(self) -> Failure {
        match self {
            Self::Server(error) => failure(&error, Doing::Writing),
            Self::Rows(failure) => failure,
        }
    }

    fn reading(self) -> Failure {
        match self {
            Self::Server(error) => failure(&error, Doing::Reading),
            Self::Rows(failure) => failure,
        }
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

fn next_index(client: &mut impl GenericClient, statements: &Statements) -> Result<u64, Refusal> {
    let row = client.query_one(&statements.last_index, &[])?;
    let last: Option<i64> = column(&row, 0)?;
    Ok(last.map_or(Ok(0), |last| number(last).map(|last| last + 1))?)
}

fn insert_head(client: &mut impl GenericClient, statements: &Statements, head: &SignedHead) -> Result<(), Error> {
    let (root, seal) = (head.head.root.as_bytes().as_slice(), head.seal.as_bytes().as_slice());
    client.execute(&statements.insert_head, &[&key(head.head.size), &root, &seal]).map(|_| ())
}

/// The head that is stored with the size of `head`.
fn stored_head(
    client: &mut impl GenericClient,
    statements: &Statements,
    head: &SignedHead,
) -> Result<Option<SignedHead>, Refusal> {
    let row = client.query_opt(&statements.head, &[&key(head.head.size)])?;
    Ok(row.as_ref().map(head_of).transpose()?)
}

fn stored_identity(client: &mut impl GenericClient) -> Result<Option<Identity>, Refusal> {
    let Some(row) = client.query_opt("SELECT origin, public_key FROM identity", &[])? else { return Ok(None) };
    Ok(Some(session::identity(column(&row, 0)?, column(&row, 1)?)?))
}

fn head_of(row: &Row) -> Result<SignedHead, Failure> {
    session::head(column(row, 0)?, column(row, 1)?, column(row, 2)?)
}

fn column<'a, T: postgres::types::FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Failure> {
    row.try_get(at).map_err(|error| Failure::corrupt(error.to_string()))
}

fn reading(error: &Error) -> Failure {
    failure(error, Doing::Reading)
}

/// A connection string that cannot be used. Its parser names settings, never their values.
fn refused(error: &Error) -> StorageError {
    let source = std::error::Error::source(error);
    let detail = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    StorageError::Refused { detail }
}
