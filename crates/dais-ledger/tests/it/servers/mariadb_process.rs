//! A private MariaDB server; shared by the tests of several crates.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::process::{command_as, folder_for, free_port, programs, run};

/// The user of the operating system that the server runs as when this is root.
const USER: &str = "mysql";

/// A server whose user `root` may come over its socket. It ends when it is dropped.
pub(super) struct MariadbProcess {
    pub(super) folder: TempDir,
    pub(super) port: u16,
    mariadbd: PathBuf,
    running: Option<Child>,
}

impl MariadbProcess {
    pub(super) fn begin() -> Self {
        let folders = || ["/usr/sbin", "/usr/bin"].into_iter().map(PathBuf::from);
        let mariadbd = programs(folders(), "mariadbd", "mariadb-server");
        let install = programs(folders(), "mariadb-install-db", "mariadb-server");
        let folder = folder_for(USER);
        let data = format!("--datadir={}", folder.path().join("data").display());
        // Servers that share a folder for temporary tables remove one another's when they start.
        let temporary = format!("--tmpdir={}", folder.path().display());
        let authentication = "--auth-root-authentication-method=normal";
        run(command_as(USER, &install).args(["--no-defaults", &data, authentication, "--skip-test-db", &temporary]));
        let mut server = Self { folder, mariadbd, port: free_port(), running: None };
        server.start();
        server
    }

    pub(super) fn start(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = command_as(USER, &self.mariadbd);
        command.arg("--no-defaults").args(["--bind-address=127.0.0.1", "--skip-name-resolve"]);
        command.arg(format!("--port={}", self.port)).arg(format!("--datadir={}", at("data")));
        command.arg(format!("--socket={}", at("socket"))).arg(format!("--pid-file={}", at("pid")));
        command.arg(format!("--tmpdir={}", self.folder.path().display()));
        command.arg(format!("--log-error={}", at("log"))).arg("--innodb-log-file-size=16M");
        if self.folder.path().join("cert.pem").exists() {
            command.arg(format!("--ssl-cert={}", at("cert.pem"))).arg(format!("--ssl-key={}", at("key.pem")));
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !self.root("mariadb-admin").arg("ping").output().unwrap().status.success() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", std::fs::read_to_string(at("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.running = Some(child);
    }

    /// Stops as suddenly as it can.
    pub(super) fn stop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let _ = running.kill();
        let _ = running.wait();
    }

    /// Makes a database, if need be, and returns the connection string of its user, who has a password.
    pub(super) fn database(&self, port: u16, name: &str) -> String {
        // A database is made by its administrator.
        self.execute(&[
            format!("CREATE DATABASE IF NOT EXISTS {name}"),
            "CREATE USER IF NOT EXISTS dais@'127.0.0.1' IDENTIFIED BY 'a%b'".to_owned(),
            format!("GRANT ALL ON {name}.* TO dais@'127.0.0.1'"),
        ]);
        format!("mysql://dais:a%25b@127.0.0.1:{port}/{name}")
    }

    pub(super) fn execute(&self, statements: &[String]) {
        run(self.root("mariadb").arg("--execute").arg(statements.join(";")));
    }

    /// A client program, over the socket: `root` is another user there than over the network.
    fn root(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--no-defaults").arg(format!("--socket={}", self.folder.path().join("socket").display()));
        command.args(["--user=root"]);
        command
    }
}

impl Drop for MariadbProcess {
    fn drop(&mut self) {
        self.stop();
    }
}
