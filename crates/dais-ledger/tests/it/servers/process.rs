//! Running the programs of a database server; shared by the tests of several crates.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder that the user of the server owns.
pub(super) fn folder_for(user: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        run(Command::new("chown").arg(user).arg(folder.path()));
    }
    folder
}

/// A command that runs as `user` when this is root: database servers refuse to be root.
pub(super) fn command_as(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    // Becomes the program itself, without a process in between.
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]).arg(program);
    command
}

/// Runs a command to its end; a failure shows what it said.
pub(super) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The folder of a server's programs, the newest of several.
pub(super) fn programs(folders: impl Iterator<Item = PathBuf>, program: &str, package: &str) -> PathBuf {
    let mut found: Vec<_> = folders.map(|folder| folder.join(program)).filter(|path| path.is_file()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| {
        panic!(
            "{program} is missing: this test starts a server of its own. Install it with `apt-get install -y {package}`, \
             or leave such tests out: `cargo test --workspace -- --skip servers::`"
        )
    })
}

/// A port of this machine that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}
