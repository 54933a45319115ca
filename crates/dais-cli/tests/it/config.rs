//! `dais config`: what users see of the configuration.

use std::fs;

use tempfile::TempDir;

use crate::{dais, refusal, text};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

#[test]
fn init_writes_files_once_and_what_it_writes_is_sound() {
    let place = folder();
    let init = |more: &[&str]| {
        let mut command = dais(place.path());
        command.args(["config", "init"]).args(more);
        command
    };
    assert!(init(&[]).output().unwrap().status.success());
    let written = place.path().join("config/default.yaml");
    fs::write(&written, "simulation: {default_agents: 7}\n").unwrap();
    let message = refusal(&mut init(&[]));
    assert!(message.contains("config/default.yaml") && message.contains("--force"), "{message}");
    assert_eq!(fs::read_to_string(&written).unwrap(), "simulation: {default_agents: 7}\n", "nothing is replaced");
    let get = dais(place.path()).args(["config", "get", "simulation.default_agents"]).output().unwrap();
    assert_eq!(text(&get.stdout), "7\n");
    assert!(init(&["--force"]).output().unwrap().status.success());
    let check = dais(place.path()).args(["config", "check", "--env", "prod"]).output().unwrap();
    assert!(check.status.success());
    assert!(text(&check.stdout).contains("environment production"), "{}", text(&check.stdout));
}

#[test]
fn show_names_the_layer_of_each_value_and_no_secret() {
    let place = folder();
    fs::create_dir(place.path().join("config")).unwrap();
    fs::write(place.path().join("config/default.yaml"), "simulation:\n  default_steps: 9\n").unwrap();
    let mut command = dais(place.path());
    command.env("DATABASE_PASSWORD", "hunter2").env("SIMULATION_RANDOM_SEED", "5");
    let shown = command.args(["config", "show", "--origin", "--configure", "api.port=81"]).output().unwrap();
    let shown = text(&shown.stdout);
    for (key, origin) in [
        ("default_steps: 9 ", "# config/default.yaml:2:18"),
        ("random_seed: 5 ", "# environment variable SIMULATION_RANDOM_SEED"),
        ("port: 81 ", "# --configure api.port"),
        ("default_agents: 50 ", "# default"),
        ("password: \"***\" ", "# environment variable DATABASE_PASSWORD"),
    ] {
        assert!(shown.lines().any(|line| line.contains(key) && line.ends_with(origin)), "{key}{origin}: {shown}");
    }
    assert!(!shown.contains("hunter2"));
}

#[test]
fn check_says_everything_with_exit_code_1_and_others_refuse_it_as_input() {
    let place = folder();
    let file = place.path().join("wrong.yaml");
    fs::write(&file, "simulation:\n  anomaly_rate: 2\n  defualt_agents: 3\n").unwrap();
    let check = dais(place.path()).args(["config", "check", "wrong.yaml"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    let said = text(&check.stderr);
    for expected in ["2 errors", "wrong.yaml:2:17", "wrong.yaml:3:3", "did you mean `simulation.default_agents`?"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    refusal(dais(place.path()).args(["config", "show", "--config", "wrong.yaml"]));
    refusal(dais(place.path()).args(["config", "get", "simulation.none"]));
}

#[test]
fn diff_compares_with_the_defaults_and_between_two() {
    let place = folder();
    fs::create_dir(place.path().join("config")).unwrap();
    fs::write(place.path().join("config/production.yaml"), "logging: {format: json}\n").unwrap();
    fs::write(place.path().join("own.yaml"), "ray: {enable: true}\n").unwrap();
    let diff = |sides: &[&str]| {
        let output = dais(place.path()).args(["config", "diff", "--json"]).args(sides).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(diff(&[]), serde_json::json!({}));
    let from_effect = diff(&["production"]);
    assert_eq!(from_effect["logging.format"]["right"], "json");
    let between = diff(&["production", "own.yaml"]);
    assert_eq!((&between["logging.format"]["left"], &between["ray.enable"]["right"]), (&"json".into(), &true.into()));
}
