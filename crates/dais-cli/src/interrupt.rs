//! Ctrl-C: the first asks the run to stop after its step, the second ends the process at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::output;

/// Exit code of a process that was interrupted by hand.
pub(crate) const EXIT_INTERRUPTED: i32 = 130;

/// Whether somebody asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on; these folders are removed when the process is ended at once. Once a process.
    ///
    /// # Errors
    /// A system that does not let one listen.
    pub(crate) fn listen(unfinished: Vec<PathBuf>) -> anyhow::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&asked);
        let hear = move || {
            if heard.swap(true, Ordering::SeqCst) {
                for folder in &unfinished {
                    // The process ends now, whether or not this succeeds.
                    let _ = std::fs::remove_dir_all(folder);
                }
                std::process::exit(EXIT_INTERRUPTED);
            }
            output::say("\nstopping after this step; Ctrl-C again ends at once, without files");
        };
        ctrlc::set_handler(hear).context("cannot listen for Ctrl-C")?;
        Ok(Self { asked })
    }

    /// Whether somebody asked to stop.
    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}
