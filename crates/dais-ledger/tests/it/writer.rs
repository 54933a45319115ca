//! The writer: groups from many threads, refusals, back-pressure, closing.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dais_ledger::{
    BODY_BYTES_MAX, Batch, Durability, Entry, Identity, Kind, Ledger, LedgerError, LedgerWriter, MemoryStorage, RowRef,
    SignedHead, SqliteStorage, Storage, StorageError, WriteError, WriterParams,
};

use super::{all_entries, entries, key, origin};

const THREADS: u32 = 8;
const APPENDS: u32 = 60;

/// Entries that say which thread made them and when.
fn numbered(author: u32, step: u32, count: u32) -> Vec<Entry> {
    (0..count)
        .map(|at| Entry { kind: Kind::Vote, step, author, body: vec![at as u8; (step % 5) as usize + 1] })
        .collect()
}

/// A storage whose commits wait to be let through and fail as told.
#[derive(Debug)]
struct Gate {
    inner: MemoryStorage,
    /// Tells the test that a commit has begun, with its number of rows.
    begun: Mutex<Sender<usize>>,
    /// What the test makes of it.
    verdicts: Mutex<Receiver<Option<StorageError>>>,
}

impl Storage for Gate {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        self.inner.initialise(identity, head)
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.inner.identity()
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        self.begun.lock().unwrap().send(batch.len()).unwrap();
        match self.verdicts.lock().unwrap().recv().expect("the gate was taken away during a commit") {
            Some(error) => Err(error),
            None => self.inner.append_batch(batch, head),
        }
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.inner.len()
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.inner.scan(range, visit)
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.inner.latest_head()
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        self.inner.next_head(size)
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        self.inner.check_structure()
    }
}

struct Gated {
    writer: LedgerWriter<Gate>,
    begun: Receiver<usize>,
    verdict: Sender<Option<StorageError>>,
}

/// A writer that stands still in each commit until it is told how the commit ends.
fn gated(params: WriterParams) -> Gated {
    let (tell_begun, begun) = channel();
    let (verdict, verdicts) = channel();
    let gate = Gate { inner: MemoryStorage::new(), begun: Mutex::new(tell_begun), verdicts: Mutex::new(verdicts) };
    let ledger = Ledger::create(gate, origin(), key()).unwrap();
    Gated { writer: LedgerWriter::start(ledger, params).unwrap(), begun, verdict }
}

fn without_linger() -> WriterParams {
    WriterParams { linger: Duration::ZERO, ..WriterParams::default() }
}

fn what_eight_threads_appended_is_there(storage: impl Storage + 'static, params: WriterParams) {
    let writer = LedgerWriter::start(Ledger::create(storage, origin(), key()).unwrap(), params).unwrap();
    let acknowledged: Vec<(Range<u64>, Vec<Entry>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|author| {
                let appender = writer.appender();
                scope.spawn(move || {
                    let submit = |step| (numbered(author, step, step % 4), step);
                    let append = |(entries, _): (Vec<Entry>, u32)| {
                        let indices = appender.append(entries.clone()).unwrap();
                        assert!(appender.head().head.size >= indices.end);
                        (indices, entries)
                    };
                    (0..APPENDS).map(submit).map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                let answers = thread.join().unwrap();
                assert!(answers.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start), "out of order");
                answers
            })
            .collect()
    });
    let ledger = writer.close().unwrap();
    let stored = all_entries(&ledger).unwrap();
    assert_eq!(acknowledged.len(), (THREADS * APPENDS) as usize);
    for (indices, submitted) in &acknowledged {
        assert_eq!(stored[indices.start as usize..indices.end as usize], submitted[..], "{indices:?}");
    }
    let count: usize = acknowledged.iter().map(|(_, submitted)| submitted.len()).sum();
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, count as u64);
    assert_eq!(stored.len(), count);
}

#[test]
fn what_eight_threads_were_told_is_stored_is_there_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStorage::create(folder.path().join("ledger.db"), Durability::Full).unwrap();
    what_eight_threads_appended_is_there(file, WriterParams::default());
    what_eight_threads_appended_is_there(MemoryStorage::new(), without_linger());
    let tiny = WriterParams { group_entries_max: 2, group_bytes_max: 5, ..WriterParams::default() };
    what_eight_threads_appended_is_there(MemoryStorage::new(), tiny);
}

#[test]
fn what_arrives_during_a_commit_is_one_group_with_one_head() {
    let Gated { writer, begun, verdict } = gated(without_linger());
    let appender = writer.appender();
    let first = appender.submit(numbered(0, 0, 1)).unwrap();
    assert_eq!(begun.recv(), Ok(1));
    let during: Vec<_> = (1..=5).map(|step| appender.submit(numbered(0, step, step)).unwrap()).collect();
    assert_eq!(appender.head().head.size, 0, "nothing is durable during the commit");
    verdict.send(None).unwrap();
    assert_eq!(begun.recv(), Ok(15));
    verdict.send(None).unwrap();
    assert_eq!(first.wait(), Ok(0..1));
    let indices: Vec<_> = during.into_iter().map(|pending| pending.wait().unwrap()).collect();
    assert_eq!(indices, [1..2, 2..4, 4..7, 7..11, 11..16]);
    let verified = writer.close().unwrap().verify(&key().verifier()).unwrap();
    assert_eq!((verified.entries, verified.heads), (16, 3));
}

#[test]
fn when_a_commit_fails_for_want_of_space_nobody_is_acknowledged_and_the_writer_goes_on() {
    let failed = StorageError::Io { detail: "the disk".to_owned() };
    for failure in [StorageError::Full, StorageError::ReadOnly, StorageError::Busy, failed] {
        let Gated { writer, begun, verdict } = gated(without_linger());
        let appender = writer.appender();
        let first = appender.submit(numbered(0, 0, 1)).unwrap();
        begun.recv().unwrap();
        let group: Vec<_> = (1..4).map(|step| appender.submit(numbered(0, step, 2)).unwrap()).collect();
        verdict.send(None).unwrap();
        begun.recv().unwrap();
        verdict.send(Some(failure.clone())).unwrap();
        assert_eq!(first.wait(), Ok(0..1));
        for pending in group {
            assert_eq!(pending.wait(), Err(WriteError::Ledger(failure.clone().into())));
        }
        assert_eq!(appender.head().head.size, 1);
        verdict.send(None).unwrap();
        assert_eq!(appender.append(numbered(0, 9, 2)), Ok(1..3));
        let ledger = writer.close().unwrap();
        let expected = [numbered(0, 0, 1), numbered(0, 9, 2)].concat();
        assert_eq!(all_entries(&ledger).unwrap(), expected);
        ledger.verify(&key().verifier()).unwrap();
    }
}

#[test]
fn after_damage_the_writer_is_closed_for_writing_and_says_why() {
    let damaged = StorageError::Corrupt { detail: "a page".to_owned() };
    for failure in [damaged, StorageError::Conflict { expected: 1, found: 2 }] {
        let Gated { writer, begun, verdict } = gated(without_linger());
        let appender = writer.appender();
        let in_commit = appender.submit(numbered(0, 0, 1)).unwrap();
        begun.recv().unwrap();
        let behind_it = appender.submit(numbered(0, 1, 1)).unwrap();
        verdict.send(Some(failure.clone())).unwrap();
        let cause = LedgerError::Storage(failure);
        assert_eq!(in_commit.wait(), Err(WriteError::Ledger(cause.clone())));
        let closed = WriteError::ClosedForWriting { cause };
        assert_eq!(behind_it.wait(), Err(closed.clone()));
        assert_eq!(appender.append(numbered(0, 2, 1)), Err(closed));
        assert_eq!(writer.close().unwrap().head().head.size, 0);
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_alone() {
    let Gated { writer, begun, verdict } = gated(without_linger());
    let appender = writer.appender();
    let good = appender.submit(numbered(0, 0, 3)).unwrap();
    let mut long = numbered(1, 0, 2);
    long[1].body = vec![0; BODY_BYTES_MAX + 1];
    let refused = LedgerError::BodyTooLong { position: 1, bytes: BODY_BYTES_MAX + 1 };
    assert_eq!(appender.submit(long).unwrap_err(), WriteError::Ledger(refused));
    begun.recv().unwrap();
    verdict.send(None).unwrap();
    assert_eq!(good.wait(), Ok(0..3));
    assert_eq!(writer.close().unwrap().head().head.size, 3);
}

#[test]
fn a_full_queue_makes_submitters_wait() {
    let Gated { writer, begun, verdict } = gated(WriterParams { group_entries_max: 4, ..without_linger() });
    let submitted = Arc::new(AtomicU64::new(0));
    let (appender, counter) = (writer.appender(), Arc::clone(&submitted));
    std::thread::scope(|scope| {
        let submitting = scope.spawn(move || {
            let submit = |step| {
                let pending = appender.submit(numbered(0, step, 1)).unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                pending
            };
            (0..40).map(submit).collect::<Vec<_>>()
        });
        let mut written = 0;
        while written < 40 {
            let rows = begun.recv().unwrap() as u64;
            assert!(rows <= 4, "{rows} rows in one commit");
            // Taken out are those written and those in this commit; of the others, at most four wait.
            assert!(submitted.load(Ordering::SeqCst) <= written + rows + 4);
            written += rows;
            verdict.send(None).unwrap();
        }
        let answers: Vec<_> = submitting.join().unwrap().into_iter().map(|pending| pending.wait().unwrap()).collect();
        assert_eq!(answers, (0..40).map(|index| index..index + 1).collect::<Vec<_>>());
    });
}

#[test]
fn a_submission_beyond_the_bound_goes_in_by_itself() {
    let params = WriterParams { group_entries_max: 4, group_bytes_max: 10, ..WriterParams::default() };
    let ledger = Ledger::create(MemoryStorage::new(), origin(), key()).unwrap();
    let writer = LedgerWriter::start(ledger, params).unwrap();
    assert_eq!(writer.appender().append(entries(500)), Ok(0..500));
    assert_eq!(writer.appender().append(Vec::new()), Ok(500..500));
    assert_eq!(writer.close().unwrap().verify(&key().verifier()).unwrap().heads, 2);
}

#[test]
fn closing_writes_what_waits_and_gives_the_ledger_back() {
    let Gated { writer, begun, verdict } = gated(without_linger());
    let appender = writer.appender();
    let pending: Vec<_> = (0..6).map(|step| appender.submit(numbered(0, step, 2)).unwrap()).collect();
    begun.recv().unwrap();
    for _ in 0..6 {
        verdict.send(None).unwrap();
    }
    let mut ledger = writer.close().unwrap();
    assert_eq!(ledger.head().head.size, 12);
    for (at, pending) in (0..).zip(pending) {
        assert_eq!(pending.wait(), Ok(at * 2..at * 2 + 2));
    }
    assert_eq!(appender.append(entries(1)), Err(WriteError::Closed));
    verdict.send(None).unwrap();
    assert_eq!(ledger.append_batch(&entries(1)), Ok(12..13));
}

#[test]
fn a_dropped_writer_has_written_what_it_took_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let storage = SqliteStorage::create(&path, Durability::Normal).unwrap();
    let ledger = Ledger::create(storage, origin(), key()).unwrap();
    let writer = LedgerWriter::start(ledger, WriterParams::default()).unwrap();
    for step in 0..20 {
        drop(writer.appender().submit(numbered(0, step, 3)).unwrap());
    }
    drop(writer);
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap();
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 60);
}

#[test]
fn when_the_storage_panics_nobody_waits_forever() {
    let Gated { writer, begun, verdict } = gated(without_linger());
    let appender = writer.appender();
    let in_commit = appender.submit(numbered(0, 0, 1)).unwrap();
    begun.recv().unwrap();
    let behind_it = appender.submit(numbered(0, 1, 1)).unwrap();
    drop(verdict);
    assert_eq!(in_commit.wait(), Err(WriteError::Died));
    assert_eq!(behind_it.wait(), Err(WriteError::Died));
    assert_eq!(appender.append(numbered(0, 2, 1)), Err(WriteError::Died));
    assert_eq!(writer.close().unwrap_err(), WriteError::Died);
}
