//! The storage of a ledger with its times and errors told to the metrics.

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use dais_ledger::{Batch, Digest, Identity, RowRef, SignedHead, Storage, StorageError};
use dais_resilience::FailureClass;
use dais_telemetry::metric::RunMetrics;
use dais_telemetry::trace::Interval;

/// Where appends are told to.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    metrics: RunMetrics,
    last: Arc<Mutex<Option<Interval>>>,
}

impl Recording {
    pub(super) fn new(metrics: RunMetrics) -> Self {
        Self { metrics, last: Arc::default() }
    }

    /// When the last append was, once.
    pub(super) fn take_last(&self) -> Option<Interval> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A storage that is measured.
#[derive(Debug)]
pub(super) struct Measured {
    storage: Box<dyn Storage>,
    recording: Recording,
}

impl Measured {
    pub(super) fn new(storage: Box<dyn Storage>, recording: Recording) -> Self {
        Self { storage, recording }
    }

    fn counted<T>(&self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        result.inspect_err(|error| {
            let class = class(error);
            // People are told once, by who gives up.
            tracing::info!(%error, class, "the ledger's storage failed");
            self.recording.metrics.storage_error(class);
        })
    }
}

/// The class of a failure, as everywhere in the metrics.
fn class(error: &StorageError) -> &'static str {
    let class = match error {
        StorageError::Busy | StorageError::Unavailable { .. } => FailureClass::Transient,
        StorageError::Timeout { .. } => FailureClass::Timeout,
        StorageError::Full => FailureClass::Overload,
        StorageError::Corrupt { .. } | StorageError::Io { .. } | StorageError::Conflict { .. } => {
            FailureClass::Internal
        }
        StorageError::ReadOnly
        | StorageError::Refused { .. }
        | StorageError::Exists { .. }
        | StorageError::NotFound { .. }
        | StorageError::CannotOpen { .. }
        | StorageError::NotALedger { .. }
        | StorageError::NewerFormat { .. }
        | StorageError::AlreadyCreated
        | StorageError::NotBuilt { .. } => FailureClass::Permanent,
    };
    class.name()
}

impl Storage for Measured {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        let result = self.storage.initialise(identity, head);
        self.counted(result)
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.counted(self.storage.identity())
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        let (begin, began) = (SystemTime::now(), Instant::now());
        let result = self.storage.append_batch(batch, head);
        if result.is_ok() {
            let took = began.elapsed();
            let (entries, bytes) = batch.rows().fold((0, 0), |(n, bytes), row| (n + 1, bytes + row.bytes.len() as u64));
            self.recording.metrics.ledger_append(entries, bytes, head.head.size, took);
            let interval = Interval { begin, end: begin + took };
            *self.recording.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(interval);
        }
        self.counted(result)
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.counted(self.storage.len())
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.counted(self.storage.scan(range, visit))
    }

    fn scan_leaves(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Digest) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.counted(self.storage.scan_leaves(range, visit))
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        self.counted(self.storage.latest_head())
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        self.counted(self.storage.next_head(size))
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        self.counted(self.storage.check_structure())
    }
}
