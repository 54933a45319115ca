//! Runs whose ledger is on a real database server, started and stopped here.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{SMALL, dais, json, printed, refusal};

#[path = "../../../../dais-ledger/tests/it/servers/process.rs"]
mod process;

#[cfg(feature = "mysql")]
#[path = "../../../../dais-ledger/tests/it/servers/mariadb_process.rs"]
mod mariadb_process;
#[cfg(feature = "postgres")]
#[path = "../../../../dais-ledger/tests/it/servers/postgres_process.rs"]
mod postgres_process;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod restart;

/// What is run, the same wherever its ledger is kept.
const WHAT: [&str; 6] = ["--seed", "7", "--worlds", "collaborative", "--out", "r"];
/// As [`SMALL`], with steps enough to be in the middle of for a while.
const LONG: [&str; 7] = ["run", "--agents", "8", "--steps", "400", "--set", "traffic.synthetic.flows_per_step=30"];

/// A run in the folder `r` with its ledger in some place.
fn run(folder: &Path, ledger: &str) -> assert_cmd::Command {
    let mut command = dais(folder);
    command.args(SMALL).args(WHAT).args(["--ledger", ledger]);
    command
}

/// Head and number of entries of the same run with its ledger in a file.
fn ledger_in_a_file() -> Value {
    let folder = TempDir::new().unwrap();
    json(run(folder.path(), "elsewhere.db").arg("--json"))["ledger"].clone()
}

/// What a place is called where others may read it.
fn public(url: &str) -> String {
    url.parse::<dais_ledger::Location>().unwrap().to_string()
}

/// All that lies in a folder, as text.
fn files(folder: &Path) -> String {
    let content = |path: &Path| {
        if path.is_dir() { files(path) } else { String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned() }
    };
    std::fs::read_dir(folder).unwrap().map(|entry| content(&entry.unwrap().path())).collect()
}

/// A run on a server does all that a run with a file does; `url` and `other` are two free places there.
fn a_run_is_found_by_its_folder_and_by_its_place(url: &str, other: &str) {
    let folder = TempDir::new().unwrap();
    let place = folder.path();
    let screen = printed(&mut run(place, url));
    assert!(screen.contains(&format!("ledger in {}\n", public(url))), "{screen}");
    assert_eq!(std::fs::read_to_string(place.join("r/ledger.location")).unwrap(), format!("{}\n", public(url)));
    assert!(!place.join("r/ledger.db").exists());
    let summary: Value = serde_json::from_slice(&std::fs::read(place.join("r/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["ledger"], ledger_in_a_file());
    assert_eq!(summary["ledger_location"], public(url));

    let found = json(dais(place).args(["verify", "r", "--json", "--ledger", url]));
    assert_eq!((found["ok"].as_bool(), found["summary"]["same"].as_bool()), (Some(true), Some(true)));
    // From the environment comes the password, the folder says where the ledger is.
    let known = |arguments: &[&str]| printed(dais(place).args(arguments).env("DAIS_LEDGER", url));
    assert!(known(&["verify", "r"]).contains("those of summary.json"));
    let entries = summary["ledger"]["entries"].as_u64().unwrap();
    for ledger in ["r", &public(url)] {
        let stats: Value = serde_json::from_str(&known(&["ledger", "stats", ledger, "--json"])).unwrap();
        assert_eq!((stats["entries"].as_u64(), &stats["location"]), (Some(entries), &public(url).into()));
        assert!(stats["file_bytes"].is_null(), "{stats}");
    }
    assert!(printed(dais(place).args(["ledger", "stats", url])).contains(&format!("server    {}\n", public(url))));
    assert_eq!(known(&["ledger", "show", "r", "--json"]).lines().count() as u64, entries);
    assert_eq!(known(&["ledger", "tail", url, "-n", "3"]).lines().count(), 3);
    assert!(known(&["ledger", "prove", "r", "5"]).contains("tlog-proof"));
    assert!(known(&["ledger", "verify", "r"]).contains("verified in"));
    assert!(known(&["ledger", "migrate", "r"]).contains("newest format"));
    let id = &first_signature(place, url);
    assert!(known(&["explain", "r", id]).contains("verified"));
    assert_eq!(known(&["explain", "r", id]), printed(dais(place).args(["explain", "r", id, "--ledger", url])));

    let exported = json(dais(place).args(["ledger", "export", url, "--to", "tiles", "--json"]));
    let key = exported["key"].as_str().unwrap();
    printed(dais(place).args(["ledger", "import", "tiles", "--key", key, "--to", other]));
    let imported = json(dais(place).args(["ledger", "verify", other, "--json"]));
    assert_eq!(imported["head"]["head"]["root"], summary["ledger"]["head"]);
    printed(dais(place).args(["ledger", "import", "tiles", "--key", key, "--to", "copy.db"]));
    assert_eq!(json(dais(place).args(["verify", "copy.db", "--json"]))["ok"], true);
    let refused = refusal(dais(place).args(["ledger", "import", "tiles", "--key", key, "--to", other]));
    assert!(refused.contains("holds a ledger already") && refused.contains(&public(other)), "{refused}");
}

/// The beginning of the id of a signature, by the decision on it.
fn first_signature(folder: &Path, url: &str) -> String {
    let outcome = printed(dais(folder).args(["ledger", "show", url, "--kind", "outcome", "--limit", "1", "--json"]));
    let outcome: Value = serde_json::from_str(&outcome).unwrap();
    outcome["body"]["signature"].as_str().unwrap()[..12].to_owned()
}

/// What only files know is refused, with the name of what does it on a server.
fn commands_for_files_name_what_to_use(url: &str, dump: &str) {
    let folder = TempDir::new().unwrap();
    printed(&mut run(folder.path(), url));
    for ledger in ["r", url] {
        for arguments in [vec!["backup", ledger, "--to", "b"], vec!["vacuum", ledger]] {
            let refused = refusal(dais(folder.path()).arg("ledger").args(&arguments));
            assert!(refused.contains(&public(url)) && refused.contains(dump), "{refused}");
            assert!(refused.contains("dais ledger export"), "{refused}");
        }
        let refused = refusal(dais(folder.path()).args(["ledger", "salvage", ledger, "--to", "s.db"]));
        assert!(refused.contains("dais ledger import"), "{refused}");
    }
    let refused = refusal(dais(folder.path()).args(["ledger", "restore", "b", "--to", url]));
    assert!(refused.contains("dais ledger import"), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A place that holds a ledger is left as it is.
fn a_ledger_that_is_there_is_never_replaced(url: &str, another: &str) {
    let folder = TempDir::new().unwrap();
    printed(&mut run(folder.path(), url));
    let stats = || printed(dais(folder.path()).args(["ledger", "stats", url, "--json"]));
    let before = stats();
    let refused = refusal(run(folder.path(), url).arg("--force"));
    assert!(refused.contains("holds a ledger already") && refused.contains(another), "{refused}");
    assert_eq!(stats(), before);
    assert!(folder.path().join("r/summary.json").exists(), "the earlier run stays");
}

/// A [`LONG`] run that has begun.
fn begun(folder: &Path, url: &str, arguments: &[&str]) -> Child {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dais"));
    command.args(LONG).args(WHAT).args(["--ledger", url]);
    let child = command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let heads = || {
        let output = dais(folder).args(["ledger", "stats", url, "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).map_or(0, |stats: Value| stats["heads"].as_u64().unwrap())
    };
    while heads() < 20 {
        assert_eq!(child.try_wait().unwrap(), None, "the run goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}
