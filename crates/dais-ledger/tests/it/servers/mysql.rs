//! A private MariaDB server.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts};
use tempfile::TempDir;

use super::Server;
use super::process::{command_as, folder_for, free_port, programs, run};

const USER: &str = "mysql";

pub(super) struct Mysql {
    folder: TempDir,
    mariadbd: PathBuf,
    port: u16,
    running: Option<Child>,
}

impl Mysql {
    pub(super) fn begin() -> Self {
        let folders = || ["/usr/sbin", "/usr/bin"].into_iter().map(PathBuf::from);
        let mariadbd = programs(folders(), "mariadbd", "mariadb-server");
        let install = programs(folders(), "mariadb-install-db", "mariadb-server");
        let folder = folder_for(USER);
        let data = format!("--datadir={}", folder.path().join("data").display());
        let authentication = "--auth-root-authentication-method=normal";
        run(command_as(USER, &install).args(["--no-defaults", &data, authentication, "--skip-test-db"]));
        let mut server = Self { folder, mariadbd, port: free_port(), running: None };
        server.start();
        server
    }

    /// Over the socket: `root` is another user there than over the network.
    fn admin(&self) -> Result<Conn, mysql::Error> {
        let socket = self.folder.path().join("socket").display().to_string().replace('/', "%2F");
        Conn::new(Opts::from_url(&format!("mysql://root@localhost/mysql?socket={socket}")).unwrap())
    }

    fn execute(&self, statements: &[String]) {
        let mut admin = self.admin().unwrap();
        for statement in statements {
            admin.query_drop(statement).unwrap();
        }
    }

    fn end(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        // The process that was started may stand between this one and the server, whose id is in a file.
        if let Ok(id) = std::fs::read_to_string(self.folder.path().join("pid")) {
            let _ = Command::new("kill").arg("-KILL").arg(id.trim()).status();
        }
        let _ = running.wait();
        let _ = std::fs::remove_file(self.folder.path().join("pid"));
    }
}

impl Server for Mysql {
    fn url_through(&self, port: u16, name: &str) -> String {
        // A database is made by its administrator.
        self.execute(&[
            format!("CREATE DATABASE IF NOT EXISTS {name}"),
            "CREATE USER IF NOT EXISTS dais@'127.0.0.1' IDENTIFIED BY 'a%b'".to_owned(),
            format!("GRANT ALL ON {name}.* TO dais@'127.0.0.1'"),
        ]);
        format!("mysql://dais:a%25b@127.0.0.1:{port}/{name}")
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn start(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = command_as(USER, &self.mariadbd);
        command.arg("--no-defaults").args(["--bind-address=127.0.0.1", "--skip-name-resolve"]);
        command.arg(format!("--port={}", self.port)).arg(format!("--datadir={}", at("data")));
        command.arg(format!("--socket={}", at("socket"))).arg(format!("--pid-file={}", at("pid")));
        command.arg(format!("--log-error={}", at("log"))).arg("--innodb-log-file-size=16M");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while self.admin().is_err() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", std::fs::read_to_string(at("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.running = Some(child);
    }

    fn stop(&mut self) {
        self.end();
    }

    fn end_connections(&self) -> u64 {
        let mut admin = self.admin().unwrap();
        let ids: Vec<u64> = admin.query("SELECT id FROM information_schema.processlist WHERE user = 'dais'").unwrap();
        // One that has ended by itself meanwhile cannot be ended.
        ids.into_iter().filter(|id| admin.query_drop(format!("KILL CONNECTION {id}")).is_ok()).count() as u64
    }

    fn later_format(&self, name: &str) {
        self.execute(&[format!("UPDATE {name}.dais_version SET format = 9")]);
    }

    fn other_tables(&self, name: &str) -> String {
        let url = self.url(name);
        self.execute(&[format!("CREATE TABLE {name}.dais_heads (a INT)")]);
        url
    }

    fn altered(&self, name: &str) {
        self.execute(&[format!("ALTER TABLE {name}.dais_entries ADD COLUMN note TEXT")]);
    }
}

impl Drop for Mysql {
    fn drop(&mut self) {
        self.end();
    }
}

super::checks!(Mysql);
