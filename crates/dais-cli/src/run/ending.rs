//! Signals that end a process at once: what is unfinished is removed first.

use anyhow::Context;
use dais_ledger::Location;

use crate::exit;

/// From now on Ctrl-C and SIGTERM end the process, after `clean`, with the exit code it gives or that of an
/// interruption. Once a process.
///
/// # Errors
/// A system that does not let one listen.
pub(crate) fn clean_on_signal(mut clean: impl FnMut() -> Option<i32> + Send + 'static) -> anyhow::Result<()> {
    ctrlc::set_handler(move || std::process::exit(clean().unwrap_or(exit::INTERRUPTED.into())))
        .context("cannot listen for Ctrl-C")
}

/// As [`clean_on_signal`], for what works on one new ledger that counts only when it is complete. On a server nothing is
/// removed.
///
/// # Errors
/// A system that does not let one listen.
pub(crate) fn remove_on_signal(ledger: &Location) -> anyhow::Result<()> {
    let Location::Sqlite(file) = ledger else { return Ok(()) };
    let file = file.clone();
    clean_on_signal(move || {
        for ending in ["", "-wal", "-shm"] {
            let mut path = file.as_os_str().to_owned();
            path.push(ending);
            // The process ends now, whether or not this succeeds.
            let _ = std::fs::remove_file(path);
        }
        None
    })
}
