//! Where a run's files go.

use std::fs;

use crate::{SMALL, dais, printed, refusal};

#[test]
fn an_earlier_run_is_replaced_only_by_force() {
    let place = tempfile::tempdir().unwrap();
    let flags = || {
        let mut command = dais(place.path());
        command.args(SMALL).args(["--worlds", "isolated", "--out", "x"]);
        command
    };
    printed(flags().args(["--seed", "1"]));
    let refused = refusal(flags().args(["--seed", "2"]));
    assert!(refused.contains("exists already") && refused.contains("--force"), "{refused}");
    let seed = || fs::read_to_string(place.path().join("x/scenario.yaml")).unwrap();
    assert!(seed().contains("seed: 1\n"));
    printed(flags().args(["--seed", "2", "--force"]));
    assert!(seed().contains("seed: 2\n"));
}

#[test]
fn force_spares_what_is_no_run() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("thesis")).unwrap();
    fs::write(place.path().join("thesis/chapter1.tex"), "long work").unwrap();
    let refused = refusal(dais(place.path()).args(SMALL).args(["--out", "thesis", "--force"]));
    assert!(refused.contains("chapter1.tex"), "{refused}");
    assert!(place.path().join("thesis/chapter1.tex").exists());
}

#[test]
fn a_run_that_fails_leaves_the_earlier_one_and_no_rubbish() {
    let place = tempfile::tempdir().unwrap();
    printed(dais(place.path()).args(SMALL).args(["--worlds", "isolated", "--seed", "1", "--out", "x"]));
    fs::write(place.path().join("bad.csv"), "a,label\n1,normal\nx,normal\n").unwrap();
    refusal(dais(place.path()).args(["run", "--data", "bad.csv", "--out", "x", "--force"]));
    assert!(place.path().join("x/summary.json").exists());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn an_unwritable_place_is_refused_before_the_run() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    let refused = refusal(dais(place.path()).args(SMALL).args(["--out", "file"]));
    assert!(refused.contains("file") && refused.contains("--out"), "{refused}");
    let below = refusal(dais(place.path()).args(SMALL).args(["--out", "file/run"]));
    assert!(below.contains("file/run"), "{below}");
    if cfg!(target_os = "linux") {
        let refused = refusal(dais(place.path()).args(SMALL).args(["--out", "/proc/run"]));
        assert!(refused.contains("cannot write to /proc/run"), "{refused}");
    }
}

#[test]
fn a_ledger_in_a_file_elsewhere_is_complete_or_not_there() {
    let place = tempfile::tempdir().unwrap();
    let run = |seed: &str| {
        let mut command = dais(place.path());
        command.args(SMALL).args(["--seed", seed, "--out", "x", "--ledger", "sqlite:far.db", "--force"]);
        command
    };
    let screen = printed(&mut run("1"));
    let far = fs::canonicalize(place.path()).unwrap().join("far.db");
    assert!(screen.contains(&format!("ledger in {}", far.display())), "{screen}");
    assert_eq!(
        fs::read_to_string(place.path().join("x/ledger.location")).unwrap(),
        format!("sqlite:{}\n", far.display())
    );
    printed(dais(place.path()).args(["verify", "x"]));
    let before = fs::read(&far).unwrap();
    let refused = refusal(&mut run("2"));
    assert!(refused.contains("far.db exists already") && refused.contains("--ledger"), "{refused}");
    assert_eq!(fs::read(&far).unwrap(), before);
    // Moved, it is found by its new name.
    fs::rename(&far, place.path().join("moved.db")).unwrap();
    assert!(refusal(dais(place.path()).args(["verify", "x"])).contains("far.db"));
    printed(dais(place.path()).args(["verify", "x", "--ledger", "moved.db"]));
    let within = dais(place.path()).args(SMALL).args(["--out", "x", "--force", "--ledger", "x/a.db"]).output().unwrap();
    assert_eq!(within.status.code(), Some(2));
    let names = || fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names().find(|name| name.contains("unfinished")), None, "{:?}", names().collect::<Vec<_>>());
}

#[test]
fn a_ledger_in_memory_is_not_kept_and_that_is_said() {
    let place = tempfile::tempdir().unwrap();
    let screen = printed(dais(place.path()).args(SMALL).args(["--out", "x"]).env("DAIS_LEDGER", "memory"));
    assert!(screen.contains("not kept") && !screen.contains("ledger.db"), "{screen}");
    let mut files: Vec<_> =
        fs::read_dir(place.path().join("x")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["checkpoint", "report.html", "scenario.yaml", "summary.json"]);
    assert!(refusal(dais(place.path()).args(["verify", "x"])).contains("kept no ledger"));
    let refused = refusal(dais(place.path()).args(SMALL).args(["--out", "y", "--ledger", "oracle://h/db"]));
    assert!(refused.contains("oracle") && refused.contains("postgres"), "{refused}");
}

/// A limit on the size of files stands for a full disk: the system refuses to write in the middle of the run.
#[test]
#[cfg(unix)]
fn a_disk_that_is_full_is_said_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let script = format!(
        "ulimit -f 64; exec {} run --agents 30 --steps 20 --seed 1 --worlds collaborative",
        env!("CARGO_BIN_EXE_dais")
    );
    let refused = refusal(assert_cmd::Command::new("bash").args(["-c", &script]).current_dir(place.path()));
    assert!(refused.contains("disk full") && refused.contains("synthetic-1"), "{refused}");
    assert_eq!(fs::read_dir(place.path().join("runs")).unwrap().count(), 0);
}
