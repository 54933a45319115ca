//! Limits of a step, watched from a thread of its own.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dais_sim::Stop;

use crate::conduct_args::SafetyArgs;
use crate::memory::rss_mb;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What a step has exceeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exceeded {
    /// It takes longer than this.
    Time(Duration),
    /// The process takes so many MiB, and more than the limit.
    Memory { used_mb: f64, limit_mb: u32 },
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "it took more than {} s (--step-time-limit)", limit.as_secs_f64()),
            Self::Memory { used_mb, limit_mb } => {
                write!(f, "the process takes {used_mb:.0} MiB, more than {limit_mb} MiB (--memory-limit)")
            }
        }
    }
}

/// Watches the steps of a run until it is dropped; a step that exceeds a limit is asked to stop.
#[derive(Debug)]
pub(crate) struct Limits {
    began: Arc<Mutex<Instant>>,
    exceeded: Arc<OnceLock<Exceeded>>,
    /// Dropped to end the thread.
    watching: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Limits {
    /// Watches from now on, where there is a limit.
    pub(crate) fn watch(args: &SafetyArgs, stop: Stop) -> Self {
        let began = Arc::new(Mutex::new(Instant::now()));
        let exceeded = Arc::new(OnceLock::new());
        let mut limits = Self { began, exceeded, watching: None, thread: None };
        let (time, memory) = (args.step_time_limit, args.memory_limit.map(std::num::NonZero::get));
        if time.is_none() && memory.is_none() {
            return limits;
        }
        let (began, exceeded) = (Arc::clone(&limits.began), Arc::clone(&limits.exceeded));
        let (watching, ended) = mpsc::channel();
        limits.watching = Some(watching);
        limits.thread = Some(std::thread::spawn(move || {
            while ended.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let took = began.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
                let too_long = time.filter(|limit| took > *limit).map(Exceeded::Time);
                let too_large = memory.zip(rss_mb()).filter(|(limit, used)| *used > f64::from(*limit));
                let too_large = too_large.map(|(limit_mb, used_mb)| Exceeded::Memory { used_mb, limit_mb });
                if let Some(found) = too_long.or(too_large) {
                    let _ = exceeded.set(found);
                    stop.ask();
                    return;
                }
            }
        }));
        limits
    }

    /// A step begins now.
    pub(crate) fn step(&self) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
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
