//! Runs with their ledger on PostgreSQL.

use std::fmt::Write as _;

use tempfile::TempDir;

use super::postgres_process::{PostgresProcess, USER};
use super::process::{command_as, run as run_program};
use super::{
    a_ledger_that_is_there_is_never_replaced, a_run_is_found_by_its_folder_and_by_its_place,
    commands_for_files_name_what_to_use, files, public, run,
};
use crate::{dais, printed, refusal, text};

/// Part of every password here.
const SECRET: &str = "s3cret";

/// The connection string of a place on a server.
pub(super) fn url(server: &PostgresProcess, name: &str) -> String {
    format!("postgres://dais:{SECRET}@127.0.0.1:{}/postgres?schema={name}", server.port)
}

/// From now on the server wants to know the password.
fn want_password(server: &PostgresProcess) {
    let psql = |statement: &str| {
        let mut command = command_as(USER, &server.pg_ctl.with_file_name("psql"));
        command.arg("-h").arg(server.folder.path()).args(["-U", "dais", "-p", &server.port.to_string()]);
        run_program(command.current_dir("/").args(["-d", "postgres", "-qc", statement]));
    };
    psql(&format!("ALTER ROLE dais PASSWORD '{SECRET}'"));
    let rules = server.folder.path().join("data/pg_hba.conf");
    std::fs::write(rules, "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    psql("SELECT pg_reload_conf()");
    let bare = public(&url(server, "nowhere")).replace("postgres://", "postgres://dais@");
    // The server reads its rules a moment later.
    while !text(&dais(server.folder.path()).args(["ledger", "stats", &bare]).output().unwrap().stderr)
        .contains("password")
    {}
}

#[test]
fn a_run_with_its_ledger_on_postgresql_is_like_any_other() {
    let server = PostgresProcess::begin();
    a_run_is_found_by_its_folder_and_by_its_place(&url(&server, "run_7"), &url(&server, "imported"));
    commands_for_files_name_what_to_use(&url(&server, "refused"), "pg_dump");
    a_ledger_that_is_there_is_never_replaced(&url(&server, "held"), "another `schema=`");
}

#[test]
fn a_login_that_is_missing_is_asked_for() {
    let server = PostgresProcess::begin();
    want_password(&server);
    let folder = TempDir::new().unwrap();
    let url = url(&server, "run_7");
    printed(&mut run(folder.path(), &url));
    for command in [vec!["verify", "r"], vec!["explain", "r", "abcd"], vec!["ledger", "stats", "r"]] {
        let refused = refusal(dais(folder.path()).args(&command));
        assert!(refused.contains(&public(&url)) && refused.contains("DAIS_LEDGER"), "{refused}");
        // Another place in the environment is not this run's.
        let elsewhere = url.replace("run_7", "run_8");
        assert_eq!(refused, refusal(dais(folder.path()).args(&command).env("DAIS_LEDGER", elsewhere)));
    }
    printed(dais(folder.path()).args(["verify", "r"]).env("DAIS_LEDGER", &url));
    let wrong = refusal(dais(folder.path()).args(["verify", "r", "--ledger", &url.replace(SECRET, "wr0ng")]));
    assert!(wrong.contains("password authentication failed") && !wrong.contains("wr0ng"), "{wrong}");
}

#[test]
fn a_password_is_never_shown_nor_written() {
    let server = PostgresProcess::begin();
    want_password(&server);
    let folder = TempDir::new().unwrap();
    let url = &url(&server, "run_7");
    let wrong = &url.replace(SECRET, &format!("{SECRET}x"));
    let nowhere = &url.replace(&format!(":{}/", server.port), ":1/");
    let mut said = String::new();
    for arguments in [
        vec!["run", "--agents", "4", "--steps", "3", "--seed", "1", "--out", "r", "--ledger", url],
        vec!["run", "--agents", "4", "--steps", "3", "--seed", "1", "--out", "s", "--json", "--ledger", url],
        vec!["run", "--agents", "4", "--steps", "3", "--seed", "1", "--out", "s", "--ledger", wrong],
        vec!["run", "--out", "s", "--ledger", nowhere, "--ledger-retry-attempts", "0"],
        vec!["run", "--out", "s", "--ledger", "postgres://dais:s3cret@x@h/db"],
        vec!["run", url],
        vec!["run", "--agents", url],
        vec!["verify", "r", url],
        vec!["verify", url, "--json"],
        vec!["verify", "r", "--ledger", url],
        vec!["verify", "r", "--ledger", wrong],
        vec!["verify", wrong],
        vec!["explain", url, "1.2.3.4"],
        vec!["ledger", "stats", url],
        vec!["ledger", "stats", url, "--json"],
        vec!["ledger", "show", wrong],
        vec!["ledger", "show", url, url],
        vec!["ledger", "export", url, "--to", "tiles"],
        vec!["ledger", "backup", url, "--to", "b"],
        vec!["ledger", "backup", "r", "--to", url],
        vec!["ledger", "restore", url, "--to", url],
        vec!["ledger", "salvage", url, "--to", url],
        vec!["ledger", "migrate", url],
        vec!["run", "--help"],
    ] {
        let output = dais(folder.path()).args(&arguments).env("DAIS_LEDGER", url).output().unwrap();
        write!(said, "{}{}", text(&output.stdout), text(&output.stderr)).unwrap();
    }
    assert!(said.contains(&public(url)) && said.contains("password authentication failed"), "{said}");
    let shown = said.lines().find(|line| line.contains(SECRET));
    assert_eq!(shown, None);
    for written in ["r", "tiles"] {
        assert!(!files(&folder.path().join(written)).contains(SECRET), "{written}");
    }
}
