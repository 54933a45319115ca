//! Logs on a private MariaDB server.

use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts};

use dais_ledger::{Ledger, LedgerError, Location, StorageError, StorageOptions};

use super::certificate::certify;
use super::mariadb_process::MariadbProcess;
use super::{Server, created, impatient, opened};
use crate::{entries, filled, key};

pub(super) struct Mysql {
    process: MariadbProcess,
}

impl Mysql {
    pub(super) fn begin() -> Self {
        Self { process: MariadbProcess::begin() }
    }

    /// Over the socket: `root` is another user there than over the network.
    fn admin(&self) -> Result<Conn, mysql::Error> {
        let socket = self.process.folder.path().join("socket").display().to_string().replace('/', "%2F");
        Conn::new(Opts::from_url(&format!("mysql://root@localhost/mysql?socket={socket}")).unwrap())
    }

    fn execute(&self, statements: &[String]) {
        self.process.execute(statements);
    }
}

impl Server for Mysql {
    fn url_through(&self, port: u16, name: &str) -> String {
        self.process.database(port, name)
    }

    fn port(&self) -> u16 {
        self.process.port
    }

    fn start(&mut self) {
        self.process.start();
    }

    fn stop(&mut self) {
        self.process.stop();
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
    let root = server.process.folder.path().join("cert.pem");
    let url = |name: &str, server: &Mysql| format!("{}?sslmode=verify-full", server.url(name));
    let trusting = |url: String| format!("{url}&sslrootcert={}", root.display());
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    certify(server.process.folder.path());
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
