//! A private MariaDB server.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts};
use tempfile::TempDir;

use dais_ledger::{Ledger, LedgerError, Location, StorageError, StorageOptions};

use super::process::{certify, command_as, folder_for, free_port, programs, run};
use super::{Server, created, impatient, opened};
use crate::{entries, filled, key};

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
        // Servers that share a folder for temporary tables remove one another's when they start.
        let temporary = format!("--tmpdir={}", folder.path().display());
        let authentication = "--auth-root-authentication-method=normal";
        run(command_as(USER, &install).args(["--no-defaults", &data, authentication, "--skip-test-db", &temporary]));
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
        let _ = running.kill();
        let _ = running.wait();
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
        command.arg(format!("--tmpdir={}", self.folder.path().display()));
        command.arg(format!("--log-error={}", at("log"))).arg("--innodb-log-file-size=16M");
        if self.folder.path().join("cert.pem").exists() {
            command.arg(format!("--ssl-cert={}", at("cert.pem"))).arg(format!("--ssl-key={}", at("key.pem")));
        }
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

#[test]
fn a_user_who_may_only_read_and_add_can_append_and_one_who_may_only_read_cannot() {
    let server = Mysql::begin();
    let url = server.url("shared");
    filled(created(&url), 20, 10);
    let mut grants = Vec::new();
    for user in ["writer", "reader", "stranger"] {
        grants.push(format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'a%b'"));
    }
    for user in ["writer", "reader"] {
        grants.push(format!("GRANT SELECT ON shared.* TO {user}@'127.0.0.1'"));
    }
    for table in ["entries", "heads"] {
        grants.push(format!("GRANT INSERT ON shared.dais_{table} TO writer@'127.0.0.1'"));
    }
    server.execute(&grants);
    let url = |user: &str| url.replace("dais:", &format!("{user}:"));
    let mut ledger = Ledger::resume(opened(&url("writer")), key()).unwrap();
    assert_eq!(ledger.append_batch(&entries(5)), Ok(20..25));
    let mut ledger = Ledger::resume(opened(&url("reader")), key()).unwrap();
    assert_eq!(ledger.append_batch(&entries(5)), Err(LedgerError::Storage(StorageError::ReadOnly)));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 25);
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    for refused in [url("stranger"), url("reader").replace("a%25b", "wrong")] {
        let refused = refused.parse::<Location>().unwrap().open(&options).unwrap_err();
        assert!(matches!(refused, StorageError::Refused { .. }), "{refused}");
    }
}

#[test]
fn an_encrypted_connection_is_made_only_to_the_server_that_was_meant() {
    let mut server = Mysql::begin();
    let root = server.folder.path().join("cert.pem");
    let url = |name: &str, server: &Mysql| format!("{}?sslmode=verify-full", server.url(name));
    let trusting = |url: String| format!("{url}&sslrootcert={}", root.display());
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    certify(server.folder.path());
    let refused = trusting(url("tls", &server)).parse::<Location>().unwrap().create(&options).unwrap_err();
    assert!(matches!(refused, StorageError::Refused { .. }), "the server offers no encryption: {refused}");
    server.stop();
    server.start();
    server.execute(&["ALTER USER dais@'127.0.0.1' REQUIRE SSL".to_owned()]);
    let ledger = filled(created(&trusting(url("tls", &server))), 30, 10);
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 30);
    let refused = url("tls", &server).parse::<Location>().unwrap().open(&options).unwrap_err();
    assert!(matches!(refused, StorageError::Refused { .. }), "{refused}");
}
