//! One writer for many threads: what they submit is committed in groups.
//!
//! A durable commit waits for the disk, and while it waits more submissions arrive; the next commit takes all of them
//! in one transaction with one sealed head. Threads that append one entry each so share the wait.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::entry::{BODY_BYTES_MAX, Entry};
use crate::error::LedgerError;
use crate::head::SignedHead;
use crate::ledger::Ledger;
use crate::storage::{Storage, StorageError};

mod queue;

use queue::{Place, Queue};

/// How much is committed together, and how long the writer waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterParams {
    /// Most entries that wait to be written, and so the most in one commit. A submission with more goes in by itself.
    pub group_entries_max: usize,
    /// Most bytes of bodies that wait to be written, and so the most in one commit; twice as much may be in memory,
    /// one group being written and one waiting. A submission with more goes in by itself.
    pub group_bytes_max: usize,
    /// How long a commit waits at most until as many submissions are there as the commit before answered and left
    /// waiting. Threads that each append, wait and append again so stay in one group instead of falling apart into two;
    /// a single such thread never waits.
    pub linger: Duration,
}

impl Default for WriterParams {
    /// 8,192 entries, 8 MiB, 500 µs.
    fn default() -> Self {
        Self { group_entries_max: 8_192, group_bytes_max: 8 << 20, linger: Duration::from_micros(500) }
    }
}

/// Why a submission was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The submission, or the commit it was part of, was refused or failed. Nothing of it is in the ledger, and it may
    /// be submitted again when the cause is gone; only after [`LedgerError::InDoubt`] it may be in the ledger all the same.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An earlier commit found the storage damaged or changed by another writer, or was left in doubt; nothing is written
    /// since.
    /// Open the ledger again to see what it holds.
    #[error("the ledger is closed for writing since a commit failed: {cause}")]
    ClosedForWriting {
        /// What the commit met.
        cause: LedgerError,
    },
    /// The writer was closed before the submission.
    #[error("the ledger's writer is closed")]
    Closed,
    /// The writer's thread ended in a panic of its storage. What was being written then may be stored or not: open the
    /// ledger again to see.
    #[error("the ledger's writer ended unexpectedly")]
    Died,
}

/// A ledger that many threads append to; it is written by one thread of its own.
///
/// Nothing is acknowledged before it is as durable as the storage promises. Dropping it writes what waits, as
/// [`LedgerWriter::close`], but tells nobody.
///
/// ```
/// use dais_ledger::{Entry, HeadKey, Kind, Ledger, LedgerWriter, MemoryStorage, Origin, WriterParams};
///
/// let key = HeadKey::from_seed([7; 32]);
/// let ledger = Ledger::create(MemoryStorage::new(), Origin::new("dais/example")?, key)?;
/// let writer = LedgerWriter::start(ledger, WriterParams::default())?;
/// let vote = |author| Entry { kind: Kind::Vote, step: 3, author, body: b"confirm".to_vec() };
/// std::thread::scope(|scope| {
///     for author in 0..4 {
///         let appender = writer.appender();
///         scope.spawn(move || appender.append(vec![vote(author)]));
///     }
/// });
/// assert_eq!(writer.appender().append(vec![vote(8), vote(9)])?, 4..6);
/// assert_eq!(writer.close()?.head().head.size, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LedgerWriter<S: Storage + 'static = Box<dyn Storage>> {
    queue: Arc<Queue>,
    /// `None` only while closing.
    thread: Option<JoinHandle<Ledger<S>>>,
}

impl<S: Storage + 'static> LedgerWriter<S> {
    /// Hands a ledger to a thread of its own.
    ///
    /// # Errors
    ///
    /// When the operating system starts no thread; the ledger is then dropped, its storage unchanged.
    pub fn start(ledger: Ledger<S>, params: WriterParams) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(params, *ledger.head()));
        let shared = Arc::clone(&queue);
        let thread = Builder::new().name("ledger-writer".to_owned()).spawn(move || {
            let _end = End(&shared);
            write_groups(ledger, &shared)
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// A handle for another thread.
    pub fn appender(&self) -> Appender {
        Appender { queue: Arc::clone(&self.queue) }
    }

    /// Takes nothing more in, writes what waits, and gives the ledger back. Handles that remain get
    /// [`WriteError::Closed`].
    ///
    /// # Errors
    ///
    /// [`WriteError::Died`] when there is no ledger to give back.
    pub fn close(mut self) -> Result<Ledger<S>, WriteError> {
        self.end().ok_or(WriteError::Died)
    }

    fn end(&mut self) -> Option<Ledger<S>> {
        self.queue.close();
        self.thread.take()?.join().ok()
    }
}

impl<S: Storage> Drop for LedgerWriter<S> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<S: Storage> fmt::Debug for LedgerWriter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerWriter(size {})", self.queue.head().head.size)
    }
}

/// Appends to the ledger of a [`LedgerWriter`], from any thread.
#[derive(Clone)]
pub struct Appender {
    queue: Arc<Queue>,
}

impl Appender {
    /// Appends entries and waits until they are durable; they get neighbouring indices.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; nothing of the submission was then acknowledged.
    pub fn append(&self, entries: Vec<Entry>) -> Result<Range<u64>, WriteError> {
        self.submit(entries)?.wait()
    }

    /// Submits entries without waiting until they are durable; waits only while the queue is full.
    ///
    /// What one thread submits is appended in that order.
    ///
    /// # Errors
    ///
    /// [`LedgerError::BodyTooLong`], [`WriteError::Closed`], [`WriteError::ClosedForWriting`] or [`WriteError::Died`];
    /// the entries were then not submitted.
    pub fn submit(&self, entries: Vec<Entry>) -> Result<Pending, WriteError> {
        let mut bytes = 0;
        for (position, entry) in entries.iter().enumerate() {
            if entry.body.len() > BODY_BYTES_MAX {
                return Err(LedgerError::BodyTooLong { position, bytes: entry.body.len() }.into());
            }
            bytes += entry.body.len();
        }
        Ok(Pending(self.queue.push(entries, bytes)?))
    }

    /// The last sealed head that is durable: it covers every submission acknowledged so far.
    pub fn head(&self) -> SignedHead {
        self.queue.head()
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Appender(size {})", self.head().head.size)
    }
}

/// A submission that is on its way. Dropping it does not call it back.
#[must_use = "entries are durable only when `wait` returns their indices"]
pub struct Pending(Place);

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Pending {
    /// Waits until the entries are durable and returns their indices.
    ///
    /// # Errors
    ///
    /// As [`Appender::append`].
    pub fn wait(self) -> Result<Range<u64>, WriteError> {
        self.0.wait()
    }
}

/// Leaves nobody waiting, however the writer's thread ends.
struct End<'a>(&'a Queue);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.abandon(&WriteError::Died);
    }
}

fn write_groups<S: Storage>(mut ledger: Ledger<S>, queue: &Queue) -> Ledger<S> {
    let mut expected = 1;
    while let Some(group) = queue.next_group(expected) {
        expected = group.submissions;
        match ledger.append_batch(&group.entries) {
            Ok(indices) => {
                // Those answered now may come back, beside those who came too late for this group: a thread once left
                // behind would otherwise stay behind.
                expected += queue.set_head(*ledger.head());
                group.settle(Ok(indices.start));
            }
            Err(error) => {
                if !leaves_the_ledger_usable(&error) {
                    queue.abandon(&WriteError::ClosedForWriting { cause: error.clone() });
                }
                group.settle(Err(error.into()));
            }
        }
    }
    ledger
}

/// Whether the storage is known to hold what the ledger believes, so that appending may be tried again.
///
/// With damage, a foreign row or a batch in doubt it is not: what is stored shows only when it is opened again.
fn leaves_the_ledger_usable(error: &LedgerError) -> bool {
    let foreign = matches!(error, LedgerError::Storage(StorageError::Conflict { .. }));
    !(error.is_damage() || foreign || matches!(error, LedgerError::InDoubt { .. }))
}
