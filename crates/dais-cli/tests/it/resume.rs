//! Runs whose process ends before its time, and `dais resume`.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{dais, json, printed, refusal, text};

/// A run with signatures, liars and three worlds that takes about a second.
const RUN: [&str; 12] = [
    "run",
    "--agents",
    "12",
    "--steps",
    "40",
    "--seed",
    "7",
    "--checkpoint-interval",
    "10",
    "--set",
    "traffic.synthetic.flows_per_step=40",
    "--quiet",
];

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(2);

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.current_dir(folder).args(args).env_remove("DAIS_LEDGER");
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// The unfinished folders of a run.
fn unfinished(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_one =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{name}.unfinished-"));
    entries.filter(is_one).collect()
}

/// Waits for a file in the unfinished folder of a run.
fn wait_for(folder: &Path, name: &str, file: &str) -> PathBuf {
    let began = Instant::now();
    loop {
        if let Some(place) = unfinished(folder, name).into_iter().find(|place| place.join(file).exists()) {
            return place;
        }
        assert!(began.elapsed() < PATIENCE, "no {file}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a run says that does not depend on the clock.
fn told(folder: &Path, name: &str) -> Value {
    let mut summary: Value =
        serde_json::from_slice(&fs::read(folder.join(name).join("summary.json")).unwrap()).unwrap();
    for timed in ["wall_s", "agent_steps_per_s", "flows_per_s", "rates", "peak_rss_mb", "ledger_location"] {
        summary.as_object_mut().unwrap().remove(timed);
    }
    summary
}

fn head(folder: &Path, name: &str) -> String {
    json(dais(folder).args(["verify", name, "--json"]))["audit"]["head"].to_string()
}

/// How often a run is killed: a few times, or as often as `DAIS_KILLS` says.
fn kills() -> u64 {
    std::env::var("DAIS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_an_unbroken_one() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let began = Instant::now();
    printed(dais(folder).args(RUN).args(["--out", "whole"]));
    let whole = began.elapsed();
    let mut killed = 0;
    for round in 0..kills() {
        let name = format!("broken{round}");
        let mut child = start(folder, &[&RUN[..], &["--out", &name]].concat());
        // Moments spread evenly over the run, in an order that does not follow the clock.
        let share = (round as f64 * 0.618_034 + 0.01).fract();
        std::thread::sleep(whole.mul_f64(share));
        if child.try_wait().unwrap().is_none() {
            signal(&child, "-KILL");
            killed += 1;
        }
        child.wait().unwrap();
        let acknowledged = unfinished(folder, &name).first().map(|place| entries(&place.join("ledger.db")));
        if let Some(before) = acknowledged {
            printed(dais(folder).args(["resume", &name, "--quiet"]));
            assert!(entries(&folder.join(&name).join("ledger.db")) >= before, "round {round}");
        }
        if !folder.join(&name).exists() {
            // Killed before it had a folder: there is nothing to go on with.
            printed(dais(folder).args(RUN).args(["--out", &name]));
        }
        assert_eq!(told(folder, &name), told(folder, "whole"), "round {round}, killed at {share:.3} of {whole:?}");
        assert_eq!(head(folder, &name), head(folder, "whole"), "round {round}");
        assert!(unfinished(folder, &name).is_empty());
        assert_eq!(names(&folder.join(&name)), names(&folder.join("whole")), "round {round}");
        fs::remove_dir_all(folder.join(&name)).unwrap();
    }
    assert!(killed > 0, "every run was over before it was killed");
}

/// What lies in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Entries that a ledger file holds; 0 where it is none yet.
fn entries(ledger: &Path) -> u64 {
    let output = dais(ledger.parent().unwrap()).args(["ledger", "stats", "--json"]).arg(ledger).output().unwrap();
    let stats: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    stats.and_then(|stats| stats["entries"].as_u64()).unwrap_or(0)
}

#[test]
fn a_run_that_the_system_ends_writes_a_checkpoint_in_time_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    // Steps are long, and the first checkpoint would be far away.
    let long = ["run", "--agents", "40", "--steps", "30", "--seed", "3", "--worlds", "collaborative"];
    let mut child = start(folder, &[&long[..], &["--out", "x"]].concat());
    wait_for(folder, "x", "ledger.db-wal");
    let asked = Instant::now();
    signal(&child, "-TERM");
    let code = child.wait().unwrap().code();
    let took = asked.elapsed();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("`dais resume x` goes on"), "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let left = unfinished(folder, "x");
    assert!(left[0].join("state.checkpoint").exists());
    printed(dais(folder).args(["resume", "x", "--quiet", "--threads", "1"]));
    printed(dais(folder).args(long).args(["--quiet", "--out", "whole"]));
    assert_eq!(head(folder, "x"), head(folder, "whole"));
}

#[test]
fn a_run_that_is_under_way_or_complete_or_not_there_is_not_gone_on_with() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let mut child = start(folder, &["run", "--agents", "40", "--steps", "100000", "--seed", "1", "--out", "x"]);
    let left = wait_for(folder, "x", "unfinished.json");
    for name in ["x", left.file_name().unwrap().to_str().unwrap()] {
        let message = refusal(dais(folder).args(["resume", name]));
        assert!(message.contains("is being carried out at this moment"), "{message}");
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    printed(dais(folder).args(RUN).args(["--out", "done"]));
    let message = refusal(dais(folder).args(["resume", "done"]));
    assert!(message.contains("done is complete"), "{message}");
    let message = refusal(dais(folder).args(["resume", "nowhere"]));
    assert!(message.contains("no unfinished run"), "{message}");
}

#[test]
fn a_damaged_checkpoint_costs_time_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    printed(dais(folder).args(RUN).args(["--out", "whole"]));
    let mut child = start(folder, &[&RUN[..], &["--out", "x"]].concat());
    let left = wait_for(folder, "x", "state.checkpoint.before");
    signal(&child, "-KILL");
    child.wait().unwrap();
    let state = left.join("state.checkpoint");
    let mut bytes = fs::read(&state).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&state, &bytes).unwrap();
    fs::write(left.join("state.checkpoint.before"), "dais-checkpoint/1 0.0.1\n").unwrap();
    let output = dais(folder).args(["resume", "x", "--quiet"]).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("it is damaged") && said.contains("it was written by dais 0.0.1"), "{said}");
    assert_eq!(head(folder, "x"), head(folder, "whole"));
}

#[test]
fn the_ledger_of_another_run_is_not_gone_on_with() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let other: Vec<&str> = RUN.iter().map(|word| if *word == "7" { "8" } else { word }).collect();
    printed(dais(folder).args(other).args(["--out", "other"]));
    let mut child = start(folder, &[&RUN[..], &["--out", "x"]].concat());
    let left = wait_for(folder, "x", "state.checkpoint");
    signal(&child, "-KILL");
    child.wait().unwrap();
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(left.join(name));
    }
    fs::copy(folder.join("other").join("ledger.db"), left.join("ledger.db")).unwrap();
    let message = refusal(dais(folder).args(["resume", "x"]));
    assert!(message.contains("ledger is of another run") || message.contains("another key"), "{message}");
    assert!(left.exists(), "nothing is thrown away");
}

#[test]
fn a_run_that_exceeds_a_limit_stops_cleanly_and_goes_on_without_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    for (limit, value, says) in
        [("--memory-limit", "1", "MiB, more than 1 MiB"), ("--step-time-limit", "0.0001", "more than 0.0001 s")]
    {
        // A run that takes longer than the time between two looks at the limits.
        let run = ["run", "--agents", "60", "--steps", "20", "--seed", "2", "--worlds", "collaborative"];
        let output = dais(folder).args(run).args(["--out", "x", "--threads", "1", limit, value]).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(says) && said.contains("`dais resume x` goes on"), "{said}");
        printed(dais(folder).args(["resume", "x", "--quiet"]));
        printed(dais(folder).args(run).args(["--quiet", "--out", "whole"]));
        assert_eq!(head(folder, "x"), head(folder, "whole"), "{limit}");
        fs::remove_dir_all(folder.join("x")).unwrap();
        fs::remove_dir_all(folder.join("whole")).unwrap();
    }
}

#[test]
fn a_ledger_elsewhere_is_gone_on_with_and_put_in_its_place() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    printed(dais(folder).args(RUN).args(["--out", "whole"]));
    let mut child = start(folder, &[&RUN[..], &["--out", "x", "--ledger", "kept/apart.db"]].concat());
    fs::create_dir_all(folder.join("kept")).unwrap();
    wait_for(folder, "x", "state.checkpoint");
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!folder.join("kept/apart.db").exists());
    printed(dais(folder).args(["resume", "x", "--quiet"]));
    assert_eq!(names(&folder.join("kept")), ["apart.db"]);
    assert_eq!(head(folder, "kept/apart.db"), head(folder, "whole"));
}
