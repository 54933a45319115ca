//! A storage that fails at every one of its operations in turn, before or after it did its work.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dais_ledger::{
    Batch, Damage, Digest, Durability, Entry, Identity, Ledger, LedgerError, MemoryStorage, RowRef, SignedHead,
    SqliteStorage, Storage, StorageError,
};

use super::{all_entries, entries, key, origin};

/// When an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing was done.
    Before,
    /// All was done, and reported as failed.
    After,
}

/// Fails operations `from` to before `until`, counted from 0 over all uses of the storage.
#[derive(Debug, Clone)]
struct Plan {
    from: u64,
    until: u64,
    mode: Mode,
    error: StorageError,
}

/// A handle to a failing storage, of which there can be several as a file can be opened again.
#[derive(Debug)]
struct Faulty<S>(Arc<Mutex<State<S>>>);

#[derive(Debug)]
struct State<S> {
    inner: S,
    plan: Plan,
    /// Operations so far.
    operations: u64,
}

impl<S> Faulty<S> {
    fn new(inner: S, plan: Plan) -> Self {
        Self(Arc::new(Mutex::new(State { inner, plan, operations: 0 })))
    }

    fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    fn operate<T>(&self, operation: impl FnOnce(&mut S) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let mut state = self.0.lock().unwrap();
        let this = state.operations;
        state.operations += 1;
        if !(state.plan.from..state.plan.until).contains(&this) {
            return operation(&mut state.inner);
        }
        if state.plan.mode == Mode::After {
            operation(&mut state.inner)?;
        }
        Err(state.plan.error.clone())
    }
}

impl<S: Storage> Storage for Faulty<S> {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        self.operate(|inner| inner.initialise(identity, head))
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.operate(|inner| inner.identity())
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        self.operate(|inner| inner.append_batch(batch, head))
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.operate(|inner| inner.len())
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.operate(|inner| inner.scan(range, visit))
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.operate(|inner| inner.scan_leaves(range, visit))
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.operate(|inner| inner.latest_head())
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        self.operate(|inner| inner.next_head(size))
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        self.operate(|inner| inner.check_structure())
    }
}

/// The batches of the workload, all different but the last two: equal batches are no repetition.
fn batches() -> Vec<Vec<Entry>> {
    let all = entries(400);
    let mut batches = vec![all[..3].to_vec(), all[3..4].to_vec(), all[4..300].to_vec(), all[300..310].to_vec()];
    batches.push(batches[3].clone());
    batches
}

/// How a writer goes on after an error.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Appends the same batch again.
    Repeat,
    /// Opens the storage anew, and appends the batch if the head does not show it.
    Reopen,
}

/// Repeats what fails, as often as a plan can make it fail.
fn at_last<T>(mut attempt: impl FnMut() -> Result<T, LedgerError>) -> T {
    for _ in 0..20 {
        match attempt() {
            Ok(done) => return done,
            Err(LedgerError::Storage(_) | LedgerError::Damaged(Damage::Unreadable { .. })) => (),
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it still fails when the storage does not");
}

fn created<S: Storage>(storage: &Faulty<S>) -> Ledger<Faulty<S>> {
    at_last(|| match Ledger::create(storage.handle(), origin(), key()) {
        Err(LedgerError::Storage(StorageError::AlreadyCreated)) => Ledger::resume(storage.handle(), key()),
        other => other,
    })
}

/// Appends all batches and reads them back, whatever fails; returns how often something failed.
fn work<S: Storage>(storage: &Faulty<S>, answer: Answer) -> u32 {
    let mut ledger = created(storage);
    let (mut acknowledged, mut failures) = (Vec::new(), 0);
    for batch in batches() {
        let first = acknowledged.len() as u64;
        let end = first + batch.len() as u64;
        loop {
            match ledger.append_batch(&batch) {
                Ok(range) => {
                    assert_eq!(range, first..end);
                    break;
                }
                Err(LedgerError::Storage(_) | LedgerError::InDoubt { .. }) if matches!(answer, Answer::Repeat) => (),
                Err(LedgerError::Storage(_) | LedgerError::InDoubt { .. } | LedgerError::Closed { .. }) => {
                    ledger = at_last(|| Ledger::resume(storage.handle(), key()));
                    if ledger.head().head.size == end {
                        break;
                    }
                    assert_eq!(ledger.head().head.size, first);
                }
                Err(other) => panic!("{other}"),
            }
            failures += 1;
            assert!(failures < 20, "it still fails when the storage does not");
        }
        acknowledged.extend(batch);
        assert_eq!(at_last(|| ledger.entry(first)), acknowledged[first as usize]);
        let proof = at_last(|| ledger.prove_inclusion(first, end));
        proof.verify(&acknowledged[first as usize].leaf_hash(), &ledger.head().head.root).unwrap();
        assert_eq!(at_last(|| all_entries(&ledger)), acknowledged);
    }
    let verified = at_last(|| Ok(ledger.verify(&key().verifier())?));
    assert_eq!((verified.entries, verified.heads), (acknowledged.len() as u64, batches().len() as u64 + 1));
    let reopened = at_last(|| Ledger::open(storage.handle()));
    assert_eq!(reopened.head(), ledger.head());
    assert_eq!(at_last(|| all_entries(&reopened)), acknowledged);
    failures
}

/// Lets every operation fail, alone and with those after it; returns the number of runs in which an append failed.
#[expect(clippy::print_stdout, reason = "a failing test shows the plan that was the last")]
fn every_operation_fails<S: Storage>(storage: impl Fn() -> S, errors: &[StorageError], widths: Range<u64>) -> u32 {
    let never = Plan { from: 0, until: 0, mode: Mode::Before, error: StorageError::Busy };
    let count = Faulty::new(storage(), never);
    assert_eq!(work(&count, Answer::Repeat), 0);
    let mut failed = 0;
    for from in 0..count.operations() {
        for width in widths.clone() {
            for (mode, error) in
                [Mode::Before, Mode::After].into_iter().flat_map(|m| errors.iter().map(move |e| (m, e)))
            {
                for answer in [Answer::Repeat, Answer::Reopen] {
                    let plan = Plan { from, until: from + width, mode, error: error.clone() };
                    println!("{plan:?}, {answer:?}");
                    failed += u32::from(work(&Faulty::new(storage(), plan), answer) > 0);
                }
            }
        }
    }
    failed
}

#[test]
fn whatever_operation_fails_nothing_is_lost_or_stored_twice_in_memory() {
    let errors = [
        StorageError::Full,
        StorageError::Busy,
        StorageError::Io { detail: "injected".to_owned() },
        StorageError::Corrupt { detail: "injected".to_owned() },
    ];
    let failed = every_operation_fails(MemoryStorage::new, &errors, 1..4);
    assert!(failed > 100, "appending failed in {failed} runs");
}

#[test]
fn whatever_operation_fails_nothing_is_lost_or_stored_twice_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let files = AtomicU32::new(0);
    let storage = || {
        let name = format!("{}.db", files.fetch_add(1, Ordering::Relaxed));
        SqliteStorage::create(folder.path().join(name), Durability::Normal).unwrap()
    };
    let failed = every_operation_fails(storage, &[StorageError::Io { detail: "injected".to_owned() }], 1..3);
    assert!(failed > 10, "appending failed in {failed} runs");
}

#[test]
fn a_batch_in_doubt_is_found_out_before_another_is_appended() {
    let all = entries(9);
    // Operations: initialise, append, append (the second fails), latest head (fails too).
    for (mode, stored) in [(Mode::Before, false), (Mode::After, true)] {
        for repeated in [true, false] {
            let plan = Plan { from: 2, until: 4, mode, error: StorageError::Busy };
            let mut ledger = Ledger::create(Faulty::new(MemoryStorage::new(), plan), origin(), key()).unwrap();
            ledger.append_batch(&all[..3]).unwrap();
            let doubt = ledger.append_batch(&all[3..5]);
            assert_eq!(doubt, Err(LedgerError::InDoubt { source: StorageError::Busy }));
            assert_eq!(ledger.head().head.size, 3);
            let next = if repeated { &all[3..5] } else { &all[5..9] };
            let first = if stored && !repeated { 5 } else { 3 };
            assert_eq!(ledger.append_batch(next), Ok(first..first + next.len() as u64));
            assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, ledger.head().head.size);
        }
    }
}
