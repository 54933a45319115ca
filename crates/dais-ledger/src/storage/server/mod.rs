//! A log on a database server: waiting, trying again, and not doing twice what may have been done.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "the age of a connection is measured, and no result depends on it")]
use std::time::Instant;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::location::{Purpose, ServerUrl, System};
use super::{Batch, Identity, RowRef, ServerSettings, Storage, StorageError};
use crate::digest::Digest;
use crate::head::SignedHead;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod session;
mod tls;

use session::{Attempt, Connector, Failure, Page, Session};

/// Keeps the rows on a PostgreSQL, MySQL or MariaDB server: one transaction per batch.
///
/// When appending returns `Ok`, the server has committed the batch: PostgreSQL on its disk, MySQL and MariaDB as their
/// `innodb_flush_log_at_trx_commit` says, which is on the disk by default. Several processes may hold the
/// same log; one appends at a time, and who comes second with the same indices gets [`StorageError::Conflict`].
///
/// What passes by itself is waited for and tried again as [`ServerSettings`] say. When the connection is lost while a
/// batch is committed, the storage connects again and looks whether its head is there before it appends again.
///
/// Calls block. In an asynchronous program they belong on a thread for blocking work, such as tokio's `spawn_blocking`:
/// elsewhere inside a tokio runtime the driver for PostgreSQL panics.
pub struct ServerStorage {
    url: ServerUrl,
    settings: ServerSettings,
    connector: Box<dyn Connector>,
    link: Mutex<Link>,
}

/// The connection and what is known about it.
struct Link {
    #[expect(clippy::disallowed_types, reason = "the age of a connection is measured, and no result depends on it")]
    session: Option<(Box<dyn Session>, Instant)>,
    purpose: Purpose,
    /// Whether the last thing written may be stored although it was reported as an error.
    unresolved: bool,
    /// Kept for its memory.
    page: Page,
}

impl ServerStorage {
    /// Makes the tables of a log that does not exist yet; what is there already is left as it is.
    ///
    /// # Errors
    ///
    /// [`StorageError::AlreadyCreated`] when there is a log, [`StorageError::NotALedger`] when there is something else,
    /// [`StorageError::ReadOnly`] without the permission to make tables, [`StorageError::Refused`] for settings that
    /// the server does not take.
    pub fn create(url: &ServerUrl, settings: &ServerSettings) -> Result<Self, StorageError> {
        Self::reach(url, Purpose::Create, settings)
    }

    /// Opens a log to read and write it; tables of an earlier version are brought to this one.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`], [`StorageError::NotALedger`], [`StorageError::NewerFormat`], or
    /// [`StorageError::Corrupt`] when the tables were altered.
    pub fn open(url: &ServerUrl, settings: &ServerSettings) -> Result<Self, StorageError> {
        Self::reach(url, Purpose::Write, settings)
    }

    /// Opens a log to read it only: the server refuses every change on this connection.
    ///
    /// # Errors
    ///
    /// Those of [`ServerStorage::open`].
    pub fn open_read_only(url: &ServerUrl, settings: &ServerSettings) -> Result<Self, StorageError> {
        Self::reach(url, Purpose::Read, settings)
    }

    pub(super) fn reach(url: &ServerUrl, purpose: Purpose, settings: &ServerSettings) -> Result<Self, StorageError> {
        let connector: Box<dyn Connector> = match url.system() {
            #[cfg(feature = "postgres")]
            System::Postgres => Box::new(postgres::PostgresConnector::new(url, settings)?),
            #[cfg(not(feature = "postgres"))]
            System::Postgres => return Err(url.not_built()),
            #[cfg(feature = "mysql")]
            System::Mysql => Box::new(mysql::MysqlConnector::new(url, settings)?),
            #[cfg(not(feature = "mysql"))]
            System::Mysql => return Err(url.not_built()),
        };
        let link = Link { session: None, purpose, unresolved: false, page: Page::default() };
        let storage = Self { url: url.clone(), settings: settings.clone(), connector, link: Mutex::new(link) };
        let existing = storage.read(|session| session.identity())?;
        if purpose == Purpose::Create && existing.is_some() {
            return Err(StorageError::AlreadyCreated);
        }
        Ok(storage)
    }

    /// The place of the log, without its password.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on a connection.
    fn read<T>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T, StorageError> {
        self.attempts(&mut self.link(), work)
    }

    /// Writes, knowing whether an earlier attempt to write the same may have been stored.
    fn write(
        &self,
        mut work: impl FnMut(&mut dyn Session, Attempt) -> Result<(), Failure>,
    ) -> Result<(), StorageError> {
        let mut link = self.link();
        let mut unresolved = link.unresolved;
        let written = self.attempts(&mut link, |session| {
            let attempt = if unresolved { Attempt::Again } else { Attempt::First };
            let outcome = work(session, attempt);
            unresolved |= matches!(outcome, Err(Failure::Lost(_)));
            outcome
        });
        let told = matches!(written, Ok(()) | Err(StorageError::Conflict { .. } | StorageError::AlreadyCreated));
        link.unresolved = unresolved && !told;
        match written {
            Err(error) if link.unresolved && !matches!(error, StorageError::Unavailable { .. }) => {
                // The last attempt stored nothing; whether an earlier one did is unknown.
                Err(StorageError::Unavailable { attempts: 1, detail: error.to_string() })
            }
            written => written,
        }
    }

    /// Shows the rows of a range, a page at a time, so that no connection is held while they are looked at.
    fn pages(
        &self,
        range: Range<u64>,
        rows_max: u32,
        mut fill: impl FnMut(&mut dyn Session, Range<u64>, &mut Page) -> Result<(), Failure>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let mut unread = range;
        let mut page = std::mem::take(&mut self.link().page);
        while !unread.is_empty() {
            self.read(|session| {
                page.clear();
                fill(session, unread.clone(), &mut page)
            })?;
            let full = page.len() >= rows_max as usize;
            let (true, Some(next)) = (page.show(visit).is_continue() && full, page.next_index()) else { break };
            // Never backwards, whatever the server returns.
            unread.start = next.max(unread.start + 1);
        }
        self.link().page = page;
        Ok(())
    }

    /// Does `work` on a connection until it succeeds, is refused, or the settings allow no more.
    fn attempts<T>(
        &self,
        link: &mut Link,
        mut work: impl FnMut(&mut dyn Session) -> Result<T, Failure>,
    ) -> Result<T, StorageError> {
        let mut waits = self.waits();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.session(link).and_then(&mut work) {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let detail = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Transient(detail) => detail,
                Failure::Lost(detail) => {
                    link.session = None;
                    detail
                }
            };
            let Some(wait) = waits.next() else { return Err(StorageError::Unavailable { attempts, detail }) };
            thread::sleep(wait);
        }
    }

    /// How long to wait before each new attempt.
    fn waits(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::new()
            .with_min_delay(self.settings.retry_delay)
            .with_max_delay(ServerSettings::RETRY_DELAY_MAX.max(self.settings.retry_delay))
            .with_max_times(self.settings.retry_attempts as usize)
            .with_jitter()
            .build()
    }

    /// The connection: a new one if there is none, or if it has reached its age.
    fn session<'a>(&self, link: &'a mut Link) -> Result<&'a mut dyn Session, Failure> {
        let recycle = self.settings.recycle;
        link.session = link.session.take().filter(|(_, began)| recycle.is_zero() || began.elapsed() < recycle);
        let (session, _) = match &mut link.session {
            Some(connected) => connected,
            none => {
                let session = self.connector.connect(link.purpose)?;
                // The tables are there now.
                if link.purpose == Purpose::Create {
                    link.purpose = Purpose::Write;
                }
                none.insert((session, now()))
            }
        };
        Ok(&mut **session)
    }
}

impl fmt::Debug for ServerStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerStorage({})", self.url)
    }
}

impl Storage for ServerStorage {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        self.write(|session, attempt| session.initialise(identity, head, attempt))
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.read(|session| session.identity())
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        self.write(|session, attempt| session.append(batch, head, attempt))
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.read(|session| session.len())
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.pages(range, Page::ROWS, |session, range, page| session.rows(range, page), visit)
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let fill = |session: &mut dyn Session, range, page: &mut Page| session.leaves(range, page);
        self.pages(range, Page::LEAVES, fill, &mut |row| visit(row.index, row.leaf))
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.read(|session| session.latest_head())
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        self.read(|session| session.next_head(size))
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        self.read(|session| session.check_structure())
    }
}

#[expect(clippy::disallowed_types, reason = "the age of a connection is measured, and no result depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// A place on a server, as errors name it.
fn place(url: &ServerUrl) -> PathBuf {
    PathBuf::from(url.to_string())
}
