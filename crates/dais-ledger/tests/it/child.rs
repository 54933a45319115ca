//! Tests that run a part of themselves in another process.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const FOLDER: &str = "DAIS_LEDGER_TEST_FOLDER";

/// A command that runs one hidden test of this binary with a folder to work in; `before` is what it is started with.
pub(crate) fn command(before: &[&str], test: &str, folder: &std::path::Path) -> Command {
    let this = env::current_exe().unwrap();
    let mut words = before.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
    words.push(this.into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", test, "--ignored", "--nocapture"]).env(FOLDER, folder);
    command
}

/// The folder a hidden test was given; a hidden test that was not started by another has nothing to do.
#[expect(clippy::disallowed_methods, reason = "the one way to hand a path to a test in another process")]
pub(crate) fn folder() -> Option<PathBuf> {
    env::var(FOLDER).ok().map(PathBuf::from)
}
