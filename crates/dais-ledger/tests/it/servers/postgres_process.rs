//! A private PostgreSQL server; shared by the tests of several crates.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{command_as, folder_for, free_port, programs, run};

/// The user of the operating system that the server runs as when this is root.
pub(super) const USER: &str = "postgres";

/// A server that trusts whoever comes from this machine. It ends when it is dropped.
pub(super) struct PostgresProcess {
    pub(super) folder: TempDir,
    pub(super) pg_ctl: PathBuf,
    pub(super) port: u16,
    running: bool,
}

impl PostgresProcess {
    pub(super) fn begin() -> Self {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let folders = versions.map(|version| version.path().join("bin")).chain(["/usr/bin".into()]);
        let pg_ctl = programs(folders, "pg_ctl", "postgresql");
        let folder = folder_for(USER);
        let data = folder.path().join("data");
        let arguments = ["-U", "dais", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
        run(command_as(USER, &pg_ctl.with_file_name("initdb")).args(arguments).arg(data));
        let mut server = Self { folder, pg_ctl, port: free_port(), running: false };
        server.start();
        server
    }

    pub(super) fn start(&mut self) {
        let folder = self.folder.path().display();
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}", self.port);
        let log = self.folder.path().join("log");
        run(self.control("start").arg("-l").arg(log).args(["-o", &options]));
        self.running = true;
    }

    /// Stops as suddenly as it can.
    pub(super) fn stop(&mut self) {
        run(self.control("stop").args(["-m", "immediate"]));
        self.running = false;
    }

    fn control(&self, action: &str) -> Command {
        let mut command = command_as(USER, &self.pg_ctl);
        command.current_dir("/").args(["-s", "-w", "-D"]).arg(self.folder.path().join("data")).arg(action);
        command
    }
}

impl Drop for PostgresProcess {
    fn drop(&mut self) {
        if self.running {
            let _ = self.control("stop").args(["-m", "immediate"]).output();
        }
    }
}
