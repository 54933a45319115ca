//! Limits of a step, watched from a thread of its own.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dais_sim::Stop;
use serde::{Deserialize, Serialize};

use crate::memory::rss_mb;
use crate::safety::Safety;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What a step has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exceeded {
    /// It takes longer than this.
    Time(Duration),
    /// The process takes more memory than the limit.
    Memory {
        /// What it takes, in MiB.
        used_mb: f64,
        /// The limit, in MiB.
        limit_mb: u32,
    },
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "it took more than {} s", limit.as_secs_f64()),
            Self::Memory { used_mb, limit_mb } => {
                write!(f, "the process takes {used_mb:.0} MiB, more than {limit_mb} MiB")
            }
        }
    }
}

/// The step under way.
#[derive(Debug)]
struct Step {
    began: Instant,
    time: Option<Duration>,
    memory_mb: Option<u32>,
}

impl Step {
    fn exceeded(&self) -> Option<Exceeded> {
        let too_long = self.time.filter(|limit| self.began.elapsed() > *limit).map(Exceeded::Time);
        let too_large = || {
            let limit_mb = self.memory_mb?;
            let used_mb = rss_mb()?;
            (used_mb > f64::from(limit_mb)).then_some(Exceeded::Memory { used_mb, limit_mb })
        };
        too_long.or_else(too_large)
    }
}

/// Watches the steps of a run until it is dropped; a step that exceeds a limit is asked to stop.
#[derive(Debug)]
pub(crate) struct Limits {
    step: Arc<Mutex<Step>>,
    exceeded: Arc<OnceLock<Exceeded>>,
    /// Dropped to end the thread.
    watching: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Limits {
    /// Watches from now on.
    pub(crate) fn watch(stop: Stop) -> Self {
        let step = Arc::new(Mutex::new(Step { began: Instant::now(), time: None, memory_mb: None }));
        let exceeded = Arc::new(OnceLock::new());
        let (watching, ended) = mpsc::channel();
        let (under_way, found) = (Arc::clone(&step), Arc::clone(&exceeded));
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let seen = under_way.lock().unwrap_or_else(PoisonError::into_inner).exceeded();
                if let Some(seen) = seen {
                    // The first one is the one to tell.
                    let _ = found.set(seen);
                    stop.ask();
                    return;
                }
            }
        });
        Self { step, exceeded, watching: Some(watching), thread: Some(thread) }
    }

    /// A step begins now, within these limits.
    pub(crate) fn step(&self, safety: &Safety) {
        let step = Step { began: Instant::now(), time: safety.step_time_limit, memory_mb: safety.memory_limit_mb };
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    /// What was exceeded.
    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get().copied()
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        drop(self.watching.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that is not said in `exceeded`.
            let _ = thread.join();
        }
    }
}
