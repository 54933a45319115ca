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
