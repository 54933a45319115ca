//! Logs on a private PostgreSQL server, and what only PostgreSQL does.

use std::path::Path;

use dais_ledger::{Ledger, LedgerError, Location, ServerSettings, StorageError, StorageOptions};
use postgres::{Client, NoTls};

use super::certificate::certify;
use super::postgres_process::{PostgresProcess, USER};
use super::process::{command_as, run};
use super::{Server, created, impatient, opened};
use crate::{entries, filled, key};

pub(super) struct Postgres {
    process: PostgresProcess,
}

impl Postgres {
    pub(super) fn begin() -> Self {
        Self { process: PostgresProcess::begin() }
    }

    fn admin(&self) -> Client {
        Client::connect(&format!("postgres://dais@127.0.0.1:{}/postgres", self.process.port), NoTls).unwrap()
    }
}

impl Server for Postgres {
    fn url_through(&self, port: u16, name: &str) -> String {
        format!("postgres://dais@127.0.0.1:{port}/postgres?schema={name}")
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
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'dais'";
        self.admin().query_one(ended, &[]).unwrap().get::<_, i64>(0) as u64
    }

    fn later_format(&self, name: &str) {
        self.admin().batch_execute(&format!("UPDATE {name}.version SET format = 9")).unwrap();
    }

    fn other_tables(&self, name: &str) -> String {
        self.admin().batch_execute(&format!("CREATE SCHEMA {name}; CREATE TABLE {name}.heads (a INT)")).unwrap();
        self.url(name)
    }

    fn altered(&self, name: &str) {
        self.admin().batch_execute(&format!("ALTER TABLE {name}.entries ADD COLUMN note TEXT")).unwrap();
    }
}

super::checks!(Postgres);

#[test]
fn a_role_that_may_only_read_and_add_can_append_and_one_that_may_only_read_cannot() {
    let server = Postgres::begin();
    filled(created(&server.url("shared")), 20, 10);
    server
        .admin()
        .batch_execute(
            "CREATE ROLE writer LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE stranger LOGIN;
             GRANT USAGE ON SCHEMA shared TO writer, reader;
             GRANT SELECT ON ALL TABLES IN SCHEMA shared TO writer, reader;
             GRANT INSERT ON shared.entries, shared.heads TO writer",
        )
        .unwrap();
    let url = |role: &str| server.url("shared").replace("dais@", &format!("{role}@"));
    let mut ledger = Ledger::resume(opened(&url("writer")), key()).unwrap();
    assert_eq!(ledger.append_batch(&entries(5)), Ok(20..25));
    let mut ledger = Ledger::resume(opened(&url("reader")), key()).unwrap();
    assert_eq!(ledger.append_batch(&entries(5)), Err(LedgerError::Storage(StorageError::ReadOnly)));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 25);
    let stranger: Location = url("stranger").parse().unwrap();
    let refused = stranger.open(&StorageOptions::default()).unwrap_err();
    assert!(matches!(&refused, StorageError::Refused { detail } if detail.contains("permission denied")), "{refused}");
    let refused = stranger.create(&StorageOptions::default()).unwrap_err();
    assert!(matches!(refused, StorageError::Refused { .. } | StorageError::ReadOnly), "{refused}");
    let elsewhere: Location = url("stranger").replace("shared", "elsewhere").parse().unwrap();
    assert_eq!(elsewhere.create(&StorageOptions::default()).unwrap_err(), StorageError::ReadOnly);
}

#[test]
fn what_would_fail_again_is_not_tried_again() {
    let server = Postgres::begin();
    for url in [server.url("a").replace("/postgres?", "/nowhere?"), server.url("a").replace("dais@", "nobody@")] {
        let location: Location = url.parse().unwrap();
        let refused = location.create(&StorageOptions::default()).unwrap_err();
        assert!(matches!(refused, StorageError::Refused { .. }), "{refused}");
    }
    // The lock of writers is held by someone else for longer than a statement may take.
    let server_settings = ServerSettings { statement_timeout: std::time::Duration::from_millis(50), ..impatient() };
    let options = StorageOptions { server: server_settings, ..StorageOptions::default() };
    drop(filled(created(&server.url("a")), 3, 3));
    let location: Location = server.url("a").parse().unwrap();
    let mut ledger = Ledger::resume(location.open(&options).unwrap(), key()).unwrap();
    let mut other = server.admin();
    other.batch_execute("SELECT pg_advisory_lock(x'44414953'::int, hashtext('a'))").unwrap();
    let refused = ledger.append_batch(&entries(1)).unwrap_err();
    assert!(matches!(refused, LedgerError::Storage(StorageError::Timeout { .. })), "{refused}");
    drop(other);
    // The server frees the lock when it notices that its holder has gone.
    while ledger.append_batch(&entries(1)).is_err() {}
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 4);
}

#[test]
fn an_encrypted_connection_is_made_only_to_the_server_that_was_meant() {
    let mut server = Postgres::begin();
    let at = |name: &str| server.process.folder.path().join(name);
    certify(server.process.folder.path());
    for (made, wanted) in [("key.pem", "server.key"), ("cert.pem", "server.crt")] {
        run(command_as(USER, Path::new("cp")).arg(at(made)).arg(at("data").join(wanted)));
        run(command_as(USER, Path::new("chmod")).arg("600").arg(at("data").join(wanted)));
    }
    let root = at("cert.pem").display().to_string();
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    let plain = format!("{}&sslmode=require&sslrootcert={root}", server.url("tls"));
    let refused = plain.parse::<Location>().unwrap().create(&options).unwrap_err();
    assert!(matches!(refused, StorageError::Refused { .. }), "the server offers no encryption: {refused}");

    server.admin().batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
    server.stop();
    server.start();
    for mode in ["require", "verify-full"] {
        let url = format!("{}&sslmode={mode}&sslrootcert={root}", server.url(&mode.replace('-', "_")));
        let ledger = filled(created(&url), 30, 10);
        assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 30);
        let encrypted = "SELECT bool_or(ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
            WHERE a.application_name = 'dais'";
        assert!(server.admin().query_one(encrypted, &[]).unwrap().get::<_, bool>(0), "{mode}");
    }
    let unknown = format!("{}&sslmode=verify-full", server.url("tls"));
    let refused = unknown.parse::<Location>().unwrap().create(&options).unwrap_err();
    assert!(matches!(refused, StorageError::Refused { .. }), "{refused}");
}
