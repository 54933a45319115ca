//! Signals that ask a command to end: Ctrl-C for a stop by hand, SIGTERM and SIGHUP for a stop by the system.
//!
//! | signal | first | again |
//! |---|---|---|
//! | Ctrl-C | the command stops after its step and writes what there is | the process ends at once |
//! | SIGTERM, SIGHUP | the command leaves what can be gone on with; where nothing can, as Ctrl-C | as the first |

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use dais_runs::{Asked, Stopper};

use crate::exit;
use crate::screen::output;

/// How long a step may go on once the system told the process to end.
const STEP_GRACE: Duration = Duration::from_secs(3);
/// How long the process may go on then.
const GRACE: Duration = Duration::from_millis(4_500);

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

/// Listens from now on, and hands on what is asked. Once a process.
///
/// # Errors
/// A system that does not let one listen.
pub(crate) fn listen(unfinished: Unfinished) -> anyhow::Result<Stopper> {
    let stopper = Stopper::default();
    let asked = stopper.clone();
    hear(move |by_system| on_signal(&asked, by_system, &unfinished)).context("cannot listen for Ctrl-C")?;
    Ok(stopper)
}

fn on_signal(stopper: &Stopper, by_system: bool, unfinished: &Unfinished) {
    if by_system {
        if stopper.leave() != Asked::Leave && stopper.can_break_off() {
            end_within_grace(stopper.clone());
        }
    } else if stopper.stop() == Asked::Nothing {
        output::say("\nstopping after this step; Ctrl-C again ends at once, without files");
    } else {
        unfinished.remove();
        std::process::exit(exit::INTERRUPTED.into());
    }
}

/// Breaks a step off that takes too long, and then the process: the run can be gone on with.
fn end_within_grace(stopper: Stopper) {
    std::thread::spawn(move || {
        std::thread::sleep(STEP_GRACE);
        stopper.break_off();
        std::thread::sleep(GRACE.saturating_sub(STEP_GRACE));
        std::process::exit(exit::TERMINATED.into());
    });
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
