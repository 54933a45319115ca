use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::check::{Check, Finding, Probe};
use super::registry::{Change, Ended, Registry, RegistryError};
use super::report::{Report, Status};

/// What a process is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It does not work yet.
    Starting,
    /// It works.
    Serving,
    /// It is about to end.
    Stopping,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Starting, Self::Serving, Self::Stopping];
}

/// The longest sleep: a clock that stood still shows after it.
const SLEEP_MAX: Duration = Duration::from_hours(1);

enum Message {
    Ended(Ended),
    /// The checks are others now, and may be due sooner.
    Replaced,
    Stop,
}

struct Shared {
    registry: Mutex<Registry>,
    began: Instant,
    stage: AtomicU8,
}

impl Shared {
    /// A panic while the lock was held leaves findings that were whole before it.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls the checks of a registry when they are due. Every call has a thread of its own, at most one for each check at
/// a time: a check that hangs holds up nothing and is not called again before it returns.
///
/// Dropping it ends its thread; calls that hang are left behind.
pub struct Monitor {
    shared: Arc<Shared>,
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("report", &self.report()).finish_non_exhaustive()
    }
}

impl Monitor {
    /// Begins to check. `changed` hears of every change of a check's status, on the monitor's thread; it should be
    /// quick.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(registry: Registry, changed: impl FnMut(&Change) + Send + 'static) -> std::io::Result<Self> {
        let stage = AtomicU8::new(0);
        let shared = Arc::new(Shared { registry: Mutex::new(registry), began: Instant::now(), stage });
        let (messages, inbox) = channel();
        let (theirs, outbox) = (Arc::clone(&shared), messages.clone());
        let thread =
            thread::Builder::new().name("health".to_owned()).spawn(move || watch(&theirs, &inbox, &outbox, changed))?;
        Ok(Self { shared, messages, thread: Some(thread) })
    }

    /// Says what the process is about.
    pub fn enter(&self, stage: Stage) {
        self.shared.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// Goes on with these checks, as [`Registry::replace`] says.
    ///
    /// # Errors
    /// Checks that cannot stand together; they then stay as they were.
    pub fn replace(&self, checks: Vec<Check>, history_len: usize) -> Result<(), RegistryError> {
        let mut registry = self.shared.registry();
        // Read while nobody else can use the registry, which time must not go back for.
        let now = self.shared.began.elapsed();
        registry.replace(now, checks, history_len)?;
        drop(registry);
        // A thread that ended calls no checks.
        drop(self.messages.send(Message::Replaced));
        Ok(())
    }

    /// How everything is now.
    #[must_use]
    pub fn report(&self) -> Report {
        let now = self.shared.began.elapsed();
        let mut report = self.shared.registry().report(now);
        report.stage = Stage::ALL[usize::from(self.shared.stage.load(Ordering::Relaxed)) % Stage::ALL.len()];
        report.time = Some(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        report
    }

    /// Whether the thread that calls the checks goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // Where nobody listens the thread has ended already.
        drop(self.messages.send(Message::Stop));
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            drop(thread.join());
        }
    }
}

fn watch(shared: &Shared, inbox: &Receiver<Message>, outbox: &Sender<Message>, mut changed: impl FnMut(&Change)) {
    loop {
        let (calls, changes, wait) = {
            let mut registry = shared.registry();
            let now = shared.began.elapsed();
            registry.expire(now);
            let calls = registry.start_due(now);
            let wait = registry.next_event().map_or(SLEEP_MAX, |next| next.saturating_sub(now).min(SLEEP_MAX));
            (calls, registry.changes(), wait)
        };
        for change in &changes {
            tell(change);
            changed(change);
        }
        for (check, probe) in calls {
            call(check, probe, outbox);
        }
        match inbox.recv_timeout(wait) {
            Ok(Message::Ended(ended)) => shared.registry().finish(shared.began.elapsed(), ended),
            Ok(Message::Replaced) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn tell(change: &Change) {
    let Change { check, from, to, detail } = change;
    match to {
        Status::Unhealthy => tracing::error!(check, %from, %to, detail, "health changed"),
        Status::Degraded | Status::Skipped => tracing::warn!(check, %from, %to, detail, "health changed"),
        Status::Healthy if *from == Status::Unknown => tracing::debug!(check, %to, detail, "health found"),
        Status::Healthy | Status::Unknown => tracing::info!(check, %from, %to, detail, "health changed"),
    }
}

fn call(check: String, probe: Probe, outbox: &Sender<Message>) {
    let (name, theirs) = (check.clone(), outbox.clone());
    let called = thread::Builder::new().name(format!("health-{check}")).spawn(move || {
        let finding = catch_unwind(AssertUnwindSafe(|| probe()))
            .unwrap_or_else(|_| Finding::unhealthy("the check itself failed: it panicked"));
        // A monitor that ended needs no answer.
        drop(theirs.send(Message::Ended(Ended { check: name, finding })));
    });
    if let Err(error) = called {
        let finding = Finding::unhealthy(format!("the check could not be called: {error}"));
        drop(outbox.send(Message::Ended(Ended { check, finding })));
    }
}
