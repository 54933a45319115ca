//! Readers of a ledger for many threads, beside its writer.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "the age of a reader is measured, and no result depends on it")]
use std::time::Instant;

use crate::cache::{Caches, LedgerCacheStats};
use crate::error::LedgerError;
use crate::ledger::{Known, Ledger};
use crate::storage::{Location, PoolSettings, StorageOptions};

/// Ledgers opened for reading, lent to one thread each, that follow what a writer appends meanwhile.
///
/// A clone is another handle to the same pool. Readers block as their storage does, and none of them blocks the writer:
/// an SQLite file is read as of its last commit, a server by single statements.
///
/// The first reader reads the hashes of the log, 32 bytes per entry. The others take over what it learned, and each
/// reader reads the hashes of what was appended since it was lent last. A log that does not continue what the pool has
/// seen is damaged, and stays so for this pool, whoever put it there: after a restore, open a new one.
///
/// ```
/// use dais_ledger::{
///     Durability, Entry, HeadKey, Kind, Ledger, Location, Origin, ReaderPool, SqliteStorage, StorageOptions,
/// };
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("ledger.db");
/// let storage = SqliteStorage::create(&path, Durability::Normal)?;
/// let mut ledger = Ledger::create(storage, Origin::new("dais/example")?, HeadKey::from_seed([7; 32]))?;
/// let pool = ReaderPool::open(Location::Sqlite(path), StorageOptions::default())?;
///
/// let vote = Entry { kind: Kind::Vote, step: 3, author: 12, body: b"confirm".to_vec() };
/// ledger.append_batch(&[vote.clone()])?;
/// let reader = pool.reader()?;
/// assert_eq!(reader.entry(0)?, vote);
/// reader.prove_inclusion(0, 1)?.verify_in(&vote.leaf_hash(), &reader.head().head)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ReaderPool(Arc<Shared>);

struct Shared {
    location: Location,
    options: StorageOptions,
    caches: Arc<Caches>,
    state: Mutex<State>,
    /// Those who found all readers busy wait here.
    returned: Condvar,
}

#[derive(Default)]
struct State {
    /// Readers that nobody uses, the last used at the end.
    idle: Vec<Opened>,
    /// Number of readers: idle, in use, or being opened.
    open: usize,
    /// What new readers begin with.
    known: Option<Arc<Known>>,
    damage: Option<LedgerError>,
}

#[derive(Debug)]
struct Opened {
    ledger: Ledger,
    #[expect(clippy::disallowed_types, reason = "the age of a reader is measured, and no result depends on it")]
    began: Instant,
}

/// Why there is no reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A log in memory belongs to the ledger that holds it: there is no second way to it.
    #[error("a ledger in memory has one owner and no readers beside it: keep it in a file or on a server")]
    InMemory,
    /// Every reader was in use for as long as the settings wait.
    #[error("all {readers} readers of the ledger are busy, and none came back within {} s", waited.as_secs_f64())]
    Busy {
        /// Number of readers.
        readers: usize,
        /// How long it was waited: [`PoolSettings::timeout`].
        waited: Duration,
    },
    /// The log could not be opened, or does not continue what the pool has seen.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What the readers of a pool are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Readers that are in use or being opened.
    pub busy: usize,
    /// Readers that are open and wait to be used.
    pub idle: usize,
    /// Most readers at a time.
    pub readers_max: usize,
}

impl ReaderPool {
    /// Opens the first reader of a log, which checks hashes and head as [`Ledger::open`] does.
    ///
    /// # Errors
    ///
    /// [`PoolError::InMemory`] for [`Location::Memory`], or what opening reports.
    pub fn open(location: Location, options: StorageOptions) -> Result<Self, PoolError> {
        if location == Location::Memory {
            return Err(PoolError::InMemory);
        }
        let caches = Arc::new(Caches::new(&options.pool.cache));
        let (state, returned) = (Mutex::default(), Condvar::new());
        let pool = Self(Arc::new(Shared { location, options, caches, state, returned }));
        drop(pool.reader()?);
        Ok(pool)
    }

    /// Lends a reader whose head is the log's last one. It comes back when it is dropped.
    ///
    /// Waits while all readers are in use, for as long as [`PoolSettings::timeout`] says.
    ///
    /// # Errors
    ///
    /// [`PoolError::Busy`], or what opening a reader or [`Ledger::catch_up`] reports. The reader that met it is closed.
    pub fn reader(&self) -> Result<Reader, PoolError> {
        let idle = self.0.take()?;
        // Dropped on an error, it gives its place back.
        let mut reader = Reader { pool: Arc::clone(&self.0), opened: None };
        let recycle = self.0.options.pool.recycle;
        let young = idle.filter(|idle| recycle.is_zero() || idle.began.elapsed() < recycle);
        let opened = match young {
            Some(mut idle) => idle.ledger.catch_up().map(|_| idle),
            None => self.0.open(),
        };
        reader.opened = Some(opened.map_err(|error| self.0.noted(error))?);
        Ok(reader)
    }

    /// What the readers are doing now.
    pub fn stats(&self) -> PoolStats {
        let state = self.0.state();
        let idle = state.idle.len();
        PoolStats { busy: state.open - idle, idle, readers_max: self.0.readers_max() }
    }

    /// What the caches of all readers did.
    pub fn cache_stats(&self) -> LedgerCacheStats {
        self.0.caches.stats()
    }

    /// The first damage that a reader met, if any did.
    ///
    /// A reader that met damage is closed when it comes back. Others go on to read what is good.
    pub fn damage(&self) -> Option<LedgerError> {
        self.0.state().damage.clone()
    }
}

impl fmt::Debug for ReaderPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderPool({}, {:?})", self.0.location, self.stats())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves nothing half done: places are counted in single assignments.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readers_max(&self) -> usize {
        let PoolSettings { size, overflow, .. } = self.options.pool;
        size.saturating_add(overflow).max(1)
    }

    /// Waits for a place, and takes the reader that was used last, if one is open.
    fn take(&self) -> Result<Option<Opened>, PoolError> {
        let (readers, waited) = (self.readers_max(), self.options.pool.timeout);
        let none_free = |state: &mut State| state.idle.is_empty() && state.open >= readers;
        let free = self.returned.wait_timeout_while(self.state(), waited, none_free);
        let (mut state, timeout) = free.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(PoolError::Busy { readers, waited });
        }
        let idle = state.idle.pop();
        if idle.is_none() {
            state.open += 1;
        }
        Ok(idle)
    }

    fn open(&self) -> Result<Opened, LedgerError> {
        let began = now();
        let storage = self.location.open_read_only(&self.options)?;
        let known = self.state().known.clone();
        let mut ledger = match known {
            Some(known) => Ledger::open_known(storage, Known::clone(&known))?,
            None => Ledger::open(storage)?,
        };
        ledger.share_caches(Arc::clone(&self.caches));
        let known = Arc::new(ledger.known());
        let mut state = self.state();
        if state.known.as_ref().is_none_or(|other| other.size() < known.size()) {
            state.known = Some(known);
        }
        Ok(Opened { ledger, began })
    }

    /// Keeps a reader for the next one, or closes it: one that met damage, or one more than are kept.
    fn take_back(&self, opened: Option<Opened>) {
        let damage = opened.as_ref().and_then(|opened| opened.ledger.closed_by()).cloned();
        let mut state = self.state();
        let good = opened.filter(|_| damage.is_none());
        state.damage = state.damage.take().or(damage);
        let surplus = match good {
            Some(reader) if state.idle.len() < self.options.pool.size => {
                state.idle.push(reader);
                None
            }
            other => {
                state.open -= 1;
                other
            }
        };
        drop(state);
        self.returned.notify_one();
        // Closing a connection may take a moment: nobody waits for it.
        drop(surplus);
    }

    /// Passes an error on, and remembers it if it tells of damage.
    fn noted(&self, error: LedgerError) -> LedgerError {
        if error.is_damage() {
            self.state().damage.get_or_insert_with(|| error.clone());
        }
        error
    }
}

/// A ledger for reading, lent by a [`ReaderPool`] until it is dropped.
///
/// Its head stays what it was when it was lent, so that entries and proofs of one reader fit together, until
/// [`Reader::catch_up`].
#[derive(Debug)]
pub struct Reader {
    pool: Arc<Shared>,
    /// `None` only before it is lent and after it came back.
    opened: Option<Opened>,
}

impl Reader {
    /// Moves on to the log's last head, as [`Ledger::catch_up`].
    ///
    /// # Errors
    ///
    /// Those of [`Ledger::catch_up`].
    pub fn catch_up(&mut self) -> Result<Range<u64>, LedgerError> {
        self.opened.as_mut().expect(LENT).ledger.catch_up()
    }
}

const LENT: &str = "a reader is open while it is lent";

impl Deref for Reader {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.opened.as_ref().expect(LENT).ledger
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.pool.take_back(self.opened.take());
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.location)
    }
}

#[expect(clippy::disallowed_types, reason = "the age of a reader is measured, and no result depends on it")]
fn now() -> Instant {
    Instant::now()
}
