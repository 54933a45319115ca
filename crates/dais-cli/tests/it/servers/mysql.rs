//! Runs with their ledger on MariaDB.

use tempfile::TempDir;

use super::mariadb_process::MariadbProcess;
use super::{
    a_ledger_that_is_there_is_never_replaced, a_run_is_found_by_its_folder_and_by_its_place,
    commands_for_files_name_what_to_use, files, public, run,
};
use crate::{dais, printed, refusal};

#[test]
fn a_run_with_its_ledger_on_mariadb_is_like_any_other() {
    let server = MariadbProcess::begin();
    let url = |name: &str| server.database(server.port, name);
    a_run_is_found_by_its_folder_and_by_its_place(&url("run_7"), &url("imported"));
    commands_for_files_name_what_to_use(&url("refused"), "mariadb-dump");
    a_ledger_that_is_there_is_never_replaced(&url("held"), "another database");
}

#[test]
fn a_login_that_is_missing_is_asked_for_and_stays_off_the_files() {
    let server = MariadbProcess::begin();
    let url = server.database(server.port, "run_7");
    let folder = TempDir::new().unwrap();
    printed(&mut run(folder.path(), &url));
    assert!(!files(&folder.path().join("r")).contains("a%25b"));
    let refused = refusal(dais(folder.path()).args(["verify", "r"]));
    assert!(refused.contains(&public(&url)) && refused.contains("DAIS_LEDGER"), "{refused}");
}
