//! One scenario and seed, one history.

use std::path::Path;

use serde_json::Value;

use crate::{SMALL, dais, data, json};

/// Head of the run and the text of its cosigned checkpoint.
fn head(folder: &Path, flags: &[&str]) -> String {
    let summary: Value =
        json(dais(folder).args(flags).args(["--json", "--force", "--worlds", "collaborative", "--out", "run"]));
    assert!(summary["ledger"]["entries"].as_u64() > Some(0), "{}", summary["ledger"]);
    let checkpoint = std::fs::read_to_string(folder.join("run/checkpoint")).expect("a checkpoint");
    assert!(checkpoint.lines().filter(|line| line.contains(" dais/witness/a")).count() > 0, "{checkpoint}");
    format!("{}\n{checkpoint}", summary["ledger"]["head"].as_str().expect("a head"))
}

/// The head for several numbers of threads, on repetition, and from the scenario that the run wrote.
fn same_head_in_every_way(flags: &[&str]) -> String {
    let place = tempfile::tempdir().unwrap();
    let with = |more: &[&str]| head(place.path(), &[flags, more].concat());
    let first = with(&["--seed", "7", "--threads", "1"]);
    for threads in ["1", "2", "7"] {
        let again = with(&["--seed", "7", "--use-parallel-threshold", "1", "--threads", threads]);
        assert_eq!(again, first, "{threads} threads");
    }
    std::fs::copy(place.path().join("run/scenario.yaml"), place.path().join("copy.yaml")).unwrap();
    assert_eq!(head(place.path(), &["run", "copy.yaml"]), first, "from the scenario");
    assert_ne!(with(&["--seed", "8"]), first, "another seed is another history");
    first
}

#[test]
fn synthetic_runs_have_one_head() {
    same_head_in_every_way(&SMALL);
}

#[test]
fn runs_whose_agents_watch_for_drift_and_poison_have_one_head() {
    let set = ["--set", "agent.drift.delta=0.01", "--set", "agent.gate.band=6", "--set", "agent.abstain_margin=0"];
    same_head_in_every_way(&[&SMALL[..], &set].concat());
}

#[test]
fn runs_on_labelled_rows_have_one_head() {
    let Some(paths) = data(&["nsl_kdd/KDDTest+.csv.gz"]) else { return };
    let path = paths[0].to_str().unwrap();
    same_head_in_every_way(&["run", "--agents", "12", "--steps", "8", "--data", path]);
}

#[test]
fn runs_on_recorded_logs_have_one_head_and_warn_one_another() {
    let names = [
        "zeek_ctu50/CTU-Normal-40_day1_147.32.81.167.conn.log.labeled.gz",
        "zeek_ctu50/CTU-Normal-43_day1_147.32.83.165.conn.log.labeled.gz",
        "zeek_ctu50/CTU-Normal-42_day2_147.32.83.234.conn.log.labeled.gz",
    ];
    let Some(paths) = data(&names) else { return };
    let place = tempfile::tempdir().unwrap();
    let mut flags = vec!["run", "--data"];
    flags.extend(paths.iter().map(|path| path.to_str().unwrap()));
    flags.extend(crate::verify::QUICK);
    // Most of what reaches these hosts are probes: who takes them for normal finds nothing.
    flags.extend(["--set", "agent.cold_start=answered"]);
    let summary = json(dais(place.path()).args(&flags).args(["--steps", "50", "--seed", "7", "--json"]));
    assert_eq!(summary["agents"], 3, "each file is one site");
    assert_eq!(summary["warning"]["shared_attackers"], 860);
    assert!(summary["warning"]["blocked_on_arrival"].as_u64() > Some(0));
    // Files are played back as they are: the seed moves detectors and keys, and with them the head.
    let threads =
        |threads: &'static str| ["--steps", "20", "--seed", "7", "--use-parallel-threshold", "1", "--threads", threads];
    let heads = ["1", "2", "7"].map(|count| head(place.path(), &[flags.as_slice(), &threads(count)].concat()));
    assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
}
