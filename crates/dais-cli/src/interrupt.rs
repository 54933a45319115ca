//! Signals that ask a command to end: Ctrl-C for a stop by hand, SIGTERM and SIGHUP for a stop by the system.
//!
//! | signal | first | again |
//! |---|---|---|
//! | Ctrl-C | the command stops after its step and writes what there is | the process ends at once |
//! | SIGTERM, SIGHUP | the command leaves what can be gone on with; where nothing can, as Ctrl-C | as the first |

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use dais_sim::Stop;

use crate::output;

/// Exit code of a process that was interrupted by hand.
pub(crate) const EXIT_INTERRUPTED: i32 = 130;
/// Exit code of a process that the system told to end.
pub(crate) const EXIT_TERMINATED: i32 = 143;
/// How long a step may go on once the system told the process to end.
const STEP_GRACE: Duration = Duration::from_secs(3);
/// How long the process may go on then.
const GRACE: Duration = Duration::from_millis(4_500);

/// What was asked of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To go on.
    Nothing,
    /// To stop and write what there is.
    Stop,
    /// To end soon, leaving what can be gone on with.
    Leave,
}

/// What is left behind when the process ends at once.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Removed, unless what can be gone on with is there.
    pub(crate) folders: Vec<PathBuf>,
    /// The file that can be gone on with.
    pub(crate) resumable: Option<PathBuf>,
}

impl Unfinished {
    fn remove(&self) {
        if self.resumable.as_ref().is_some_and(|file| file.exists()) {
            return;
        }
        for folder in &self.folders {
            // The process ends now, whether or not this succeeds.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Whether somebody asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicU8>,
    /// Where a run can be gone on with: breaks its step off.
    step: Arc<OnceLock<Stop>>,
}

impl Interrupt {
    /// Listens from now on. Once a process.
    ///
    /// # Errors
    /// A system that does not let one listen.
    pub(crate) fn listen(unfinished: Unfinished) -> anyhow::Result<Self> {
        let interrupt = Self { asked: Arc::default(), step: Arc::default() };
        let listener = interrupt.clone();
        hear(move |by_system| listener.hear(by_system, &unfinished)).context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    fn hear(&self, by_system: bool, unfinished: &Unfinished) {
        if by_system {
            if self.asked.fetch_max(2, Ordering::SeqCst) < 2 {
                self.end_within_grace();
            }
        } else if self.asked.fetch_max(1, Ordering::SeqCst) > 0 {
            unfinished.remove();
            std::process::exit(EXIT_INTERRUPTED);
        } else {
            output::say("\nstopping after this step; Ctrl-C again ends at once, without files");
        }
    }

    /// Breaks a step off that takes too long, and then the process, where it can be gone on with.
    fn end_within_grace(&self) {
        let Some(step) = self.step.get().cloned() else { return };
        std::thread::spawn(move || {
            std::thread::sleep(STEP_GRACE);
            step.ask();
            std::thread::sleep(GRACE.saturating_sub(STEP_GRACE));
            std::process::exit(EXIT_TERMINATED);
        });
    }

    /// From now on the process ends soon when the system tells it to, whatever is under way: the run can be gone on with.
    pub(crate) fn may_break_off(&self, step: Stop) {
        // A process carries out one run.
        let _ = self.step.set(step);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Asked {
        match self.asked.load(Ordering::SeqCst) {
            0 => Asked::Nothing,
            1 => Asked::Stop,
            _ => Asked::Leave,
        }
    }
}

/// Calls `heard` for every signal, with whether it came from the system.
#[cfg(unix)]
fn hear(heard: impl Fn(bool) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        signals.forever().for_each(|signal| heard(signal != SIGINT));
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn hear(heard: impl Fn(bool) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || heard(false))
}
