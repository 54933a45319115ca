//! What waits to be written: one group at a time, bounded, in order of arrival, answered together.

use std::mem;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::{WriteError, WriterParams};
use crate::entry::Entry;
use crate::head::SignedHead;

/// How often the writer lets other threads run before it sleeps for the rest of the linger.
const YIELDS: usize = 100;

/// What became of a group: the index of its first entry.
type Outcome = Result<u64, WriteError>;

/// Where those who submitted to one group wait for its outcome.
///
/// Nobody who is woken has to wait for a lock that another one woken holds.
#[derive(Default)]
struct Group(OnceLock<Outcome>);

impl Group {
    /// Tells everybody; only the first outcome counts.
    fn settle(&self, outcome: Outcome) {
        let _ = self.0.set(outcome);
    }
}

/// One submission's place in its group.
pub(super) struct Place {
    group: Arc<Group>,
    entries: Range<u64>,
}

impl Place {
    /// Waits for the group and returns the indices of this submission's entries.
    pub(super) fn wait(self) -> Result<Range<u64>, WriteError> {
        let first = self.group.0.wait().clone()?;
        Ok(first + self.entries.start..first + self.entries.end)
    }
}

/// Entries to be written in one commit. Dropped without an outcome, it tells those who wait that the writer died.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) entries: Vec<Entry>,
    pub(super) submissions: usize,
    bytes: usize,
    group: Arc<Group>,
}

impl Taken {
    pub(super) fn settle(self, outcome: Outcome) {
        self.group.settle(outcome);
    }

    /// Whether more fits beside what is there; into an empty group fits everything.
    fn has_space(&self, entries: usize, bytes: usize, params: &WriterParams) -> bool {
        self.submissions == 0
            || (self.entries.len().saturating_add(entries) <= params.group_entries_max
                && self.bytes.saturating_add(bytes) <= params.group_bytes_max)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.group.settle(Err(WriteError::Died));
    }
}

/// Between the threads that submit and the one that writes.
pub(super) struct Queue {
    params: WriterParams,
    state: Mutex<State>,
    /// The writer waits here for submissions.
    filled: Condvar,
    /// Submitters wait here for space.
    emptied: Condvar,
}

struct State {
    waiting: Taken,
    /// Number of submissions the writer wants to be woken for.
    wanted: usize,
    /// Number of submitters that wait for space: a full group is worth writing, however few submissions it has.
    blocked: usize,
    /// Why nothing more is taken in.
    refusal: Option<WriteError>,
    head: SignedHead,
}

impl State {
    fn has_too_few(&self) -> bool {
        let enough = if self.blocked > 0 { 1 } else { self.wanted };
        self.waiting.submissions < enough && self.refusal.is_none()
    }
}

impl Queue {
    pub(super) fn new(params: WriterParams, head: SignedHead) -> Self {
        let state = State { waiting: Taken::default(), wanted: 1, blocked: 0, refusal: None, head };
        Self { params, state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Takes a submission in, once there is space for it.
    pub(super) fn push(&self, entries: Vec<Entry>, bytes: usize) -> Result<Place, WriteError> {
        let mut state = lock(&self.state);
        while state.refusal.is_none() && !state.waiting.has_space(entries.len(), bytes, &self.params) {
            state.blocked += 1;
            self.filled.notify_one();
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
        }
        if let Some(refusal) = &state.refusal {
            return Err(refusal.clone());
        }
        let waiting = &mut state.waiting;
        let first = waiting.entries.len() as u64;
        let place = Place { group: Arc::clone(&waiting.group), entries: first..first + entries.len() as u64 };
        waiting.entries.extend(entries);
        waiting.bytes += bytes;
        waiting.submissions += 1;
        if !state.has_too_few() {
            self.filled.notify_one();
        }
        Ok(place)
    }

    /// Everything that waits; `None` when nothing waits and nothing will.
    ///
    /// If fewer than `expected` submissions wait, those that come within the params' `linger` are taken along.
    pub(super) fn next_group(&self, expected: usize) -> Option<Taken> {
        let mut state = lock(&self.state);
        state.wanted = 1;
        state = self.filled.wait_while(state, |state| state.has_too_few()).unwrap_or_else(PoisonError::into_inner);
        state.wanted = expected.max(1);
        // Those just answered come back within microseconds: letting them run is faster than to sleep and be woken.
        for _ in 0..YIELDS {
            if !state.has_too_few() || self.params.linger.is_zero() {
                break;
            }
            drop(state);
            std::thread::yield_now();
            state = lock(&self.state);
        }
        if state.has_too_few() && self.params.linger > Duration::ZERO {
            let waited = self.filled.wait_timeout_while(state, self.params.linger, |state| state.has_too_few());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let group = mem::take(&mut state.waiting);
        drop(state);
        self.emptied.notify_all();
        (group.submissions > 0).then_some(group)
    }

    /// Takes nothing more in; what waits will still be written.
    pub(super) fn close(&self) {
        lock(&self.state).refusal.get_or_insert(WriteError::Closed);
        self.filled.notify_one();
        self.emptied.notify_all();
    }

    /// Takes nothing more in, and tells what waits the reason.
    pub(super) fn abandon(&self, reason: &WriteError) {
        let mut state = lock(&self.state);
        state.refusal.get_or_insert_with(|| reason.clone());
        let abandoned = mem::take(&mut state.waiting);
        drop(state);
        self.emptied.notify_all();
        abandoned.settle(Err(reason.clone()));
    }

    pub(super) fn head(&self) -> SignedHead {
        lock(&self.state).head
    }

    /// Makes a head known, and returns how many submissions wait.
    pub(super) fn set_head(&self, head: SignedHead) -> usize {
        let mut state = lock(&self.state);
        state.head = head;
        state.waiting.submissions
    }
}

/// A panic while a lock is held leaves nothing half done: what is behind it is changed in single assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
