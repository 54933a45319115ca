//! `dais alert`.

use std::fs;
use std::path::Path;

use dais_alert::{Alert, AlertParams, Delivery, Labels, Notification, Reason, Severity, Status};

use crate::{dais, json, printed, refusal};

/// A channel at which nobody listens, tried once.
const AWAY: &str = "
channels: {team: {type: slack, url: 'http://127.0.0.1:1/services/secret'}}
delivery: {dead_letter_file: letters.jsonl, retry: {attempts: 1}}
rules: [{name: SlowSteps, for_s: 120, when: {type: metric, metric: step_seconds, op: '>', threshold: 5}}]
";

/// A configuration with this section.
fn section(alerting: &str) -> String {
    format!("monitoring:\n  alerting:\n    {}\n", alerting.trim().replace('\n', "\n    "))
}

fn place(alerting: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("alerting.yaml"), section(alerting)).expect("a file");
    place
}

#[test]
fn the_rules_are_shown_with_the_built_in_ones() {
    let place = place(AWAY);
    let shown = printed(dais(place.path()).args(["alert", "rules", "--config", "alerting.yaml"]));
    assert!(shown.contains("RunFailed") && shown.contains("SlowSteps"), "{shown}");
    assert!(shown.contains("step_seconds > 5") && shown.contains("120 s"), "{shown}");
    let rules = json(dais(place.path()).args(["alert", "rules", "--json"]));
    assert!(rules.as_array().unwrap().iter().any(|rule| rule["name"] == "StepsStalled"));
}

#[test]
fn a_channel_that_is_away_is_exit_code_1_and_one_that_is_unknown_is_2() {
    let place = place(AWAY);
    let test =
        |name: &str| dais(place.path()).args(["alert", "test", name, "--config", "alerting.yaml"]).output().unwrap();
    let away = test("team");
    let said = String::from_utf8(away.stdout).unwrap();
    assert_eq!(away.status.code(), Some(1));
    assert!(said.starts_with("team: not delivered: ") && !said.contains("secret"), "{said}");
    assert_eq!(test("nobody").status.code(), Some(2));
    fs::write(place.path().join("wrong.yaml"), section("channels: {team: {type: slack}}")).unwrap();
    let refused = refusal(dais(place.path()).args(["alert", "rules", "--config", "wrong.yaml"]));
    assert!(refused.contains("wrong.yaml:") && refused.contains("monitoring.alerting.channels.team.url"), "{refused}");
}

#[test]
fn the_layers_of_the_configuration_hold_for_alerts_too() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("config")).unwrap();
    fs::write(place.path().join("config/default.yaml"), section(AWAY)).unwrap();
    let shown = printed(dais(place.path()).args(["alert", "rules"]));
    assert!(shown.contains("SlowSteps"), "{shown}");
    let key = "monitoring.alerting.default_rules=false";
    let alone = json(dais(place.path()).args(["alert", "rules", "--json", "--configure", key]));
    assert_eq!(alone.as_array().map(Vec::len), Some(1), "{alone}");
}

#[test]
fn a_silence_is_made_shown_and_ended() {
    let place = place("{}");
    let silence = |words: &[&str]| {
        let mut command = dais(place.path());
        command.args(["alert", "silence"]).args(words);
        command
    };
    let made = json(&mut silence(&[
        "add",
        "check=disk",
        "alertname!=RunFailed",
        "--for",
        "1d",
        "--comment",
        "moving",
        "--json",
    ]));
    let id = made["id"].as_str().unwrap();
    let shown = printed(&mut silence(&["list"]));
    assert!(shown.contains(id) && shown.contains("check=disk alertname!=RunFailed   moving"), "{shown}");
    assert!(place.path().join("alerts/silences.json").exists());
    printed(&mut silence(&["remove", id]));
    assert_eq!(json(&mut silence(&["list", "--json"])), serde_json::json!([]));
    assert!(refusal(&mut silence(&["remove", id])).contains(id));
    assert!(refusal(&mut silence(&["add", "disk"])).contains("label=value"));
}

/// Lets a message to the channel `team` become a dead letter.
fn bury(folder: &Path) {
    let mut params: AlertParams = serde_saphyr::from_str(AWAY).expect("parameters");
    params.delivery.dead_letter_file = folder.join("letters.jsonl");
    let now = "2026-05-01T00:00:00Z".parse().expect("a time");
    let alert = Alert {
        name: "RunFailed".to_owned(),
        severity: Severity::Critical,
        labels: Labels::new(),
        value: 1.0,
        summary: "the run failed".to_owned(),
        description: String::new(),
        runbook: String::new(),
        starts_at: now,
        ends_at: None,
        flapping: false,
        caused_by: Vec::new(),
    };
    let notification = Notification {
        group_key: "0:{}".to_owned(),
        group_labels: Labels::new(),
        status: Status::Firing,
        reason: Reason::Change,
        at: now,
        source: "dais".to_owned(),
        channels: vec!["team".to_owned()],
        alerts: vec![alert],
        truncated: 0,
    };
    let delivery = Delivery::start(&params).expect("the channel opens");
    assert!(delivery.send(notification));
    delivery.stop();
}

#[test]
fn a_dead_letter_is_shown_and_kept_until_it_is_delivered() {
    let place = place(AWAY);
    bury(place.path());
    let letters = |words: &[&str]| {
        let mut command = dais(place.path());
        command.args(["alert", "dead-letters", "--config", "alerting.yaml"]).args(words);
        command
    };
    let shown = printed(&mut letters(&[]));
    assert!(shown.contains("[FIRING:1] RunFailed: the run failed"), "{shown}");
    assert_eq!(letters(&["--resend"]).output().unwrap().status.code(), Some(1));
    assert_eq!(json(&mut letters(&["--json"])).as_array().map(Vec::len), Some(1), "still there");

    let there = AWAY.replace("type: slack, url: 'http://127.0.0.1:1/services/secret'", "type: log");
    fs::write(place.path().join("alerting.yaml"), section(&there)).unwrap();
    assert!(printed(&mut letters(&["--resend"])).contains("team: delivered"));
    assert_eq!(json(&mut letters(&["--json"])), serde_json::json!([]));
}
