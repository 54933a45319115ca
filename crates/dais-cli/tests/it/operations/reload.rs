//! Changes of the configuration while a run goes on.

use std::fs;
use std::path::Path;

use super::{LONG, Running, wait_for};

fn configure(folder: &Path, simulation: &str, logging: &str) {
    let text = format!("simulation: {{{simulation}}}\nlogging: {{file: dais.log, {logging}}}\n");
    fs::create_dir_all(folder.join("config")).expect("a folder");
    fs::write(folder.join("config/local.yaml"), text).expect("a file");
}

/// The first line of the log that holds all of these words, once there is one.
fn line(run: &mut Running, words: &[&str]) -> String {
    wait_for(&format!("line with {words:?}"), || {
        assert!(run.is_going_on(), "{}", run.said());
        let log = fs::read_to_string(run.folder.join("dais.log")).ok()?;
        log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned)
    })
}

#[test]
fn a_run_takes_over_what_is_right_and_refuses_what_is_wrong_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let far = "checkpoint_interval: 1000000";
    configure(place.path(), far, "level: info");
    let mut run = Running::start(place.path(), &LONG, &[]);
    line(&mut run, &["the world begins"]);
    let log = || fs::read_to_string(place.path().join("dais.log")).unwrap();
    assert!(!log().contains(" DEBUG "), "{}", log());

    configure(place.path(), far, "level: debug");
    line(&mut run, &["INFO", "the configuration has changed", "logging.level: info -> debug"]);
    let step = line(&mut run, &["DEBUG", ": step ", "flows="]);
    assert!(step.contains(" run=synthetic") && step.contains(" world=collaborative"), "{step}");

    configure(place.path(), far, "level: info");
    line(&mut run, &["the configuration has changed", "logging.level: debug -> info"]);
    configure(place.path(), far, "level: loud");
    let refused = line(&mut run, &["WARN", "the changed configuration is wrong, the old values stay"]);
    for word in ["local.yaml:2", "loud", "debug"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    assert!(!log().contains("checkpoint written"));
    configure(place.path(), "checkpoint_interval: 3", "level: info");
    line(&mut run, &["the configuration has changed", "simulation.checkpoint_interval: 1000000 -> 3"]);
    line(&mut run, &["INFO", "checkpoint written", " step="]);
    configure(place.path(), "checkpoint_interval: 3, default_agents: 99", "level: info");
    line(&mut run, &["WARN", "take effect on the next start", "simulation.default_agents"]);
    assert!(run.is_going_on());
}

#[test]
fn a_limit_of_memory_that_is_lowered_stops_the_run_cleanly() {
    let place = tempfile::tempdir().unwrap();
    configure(place.path(), "", "level: info");
    let mut run = Running::start(place.path(), &LONG, &[]);
    line(&mut run, &["the world begins"]);
    let with_limit = "performance: {memory_limit_mb: 1}\nlogging: {file: dais.log}\n";
    fs::write(place.path().join("config/local.yaml"), with_limit).unwrap();
    assert_eq!(run.end().code(), Some(3));
    let said = run.said();
    assert!(said.contains("more than 1 MiB") && said.contains("`dais resume x` goes on"), "{said}");
}
