//! Alerts of a run, at a webhook on this machine.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::listener::{self, Posted};
use super::{LONG, Running, SHORT, wait_for};
use crate::text;

/// Writes a configuration that sends to a webhook, with a rule on a metric that holds as soon as steps are taken.
fn configure(folder: &Path, webhook: SocketAddr) {
    let config = format!(
        "monitoring:
  alerting:
    evaluation_interval_s: 1
    channels: {{hook: {{type: webhook, url: 'http://{webhook}/'}}}}
    route: {{group_wait_s: 0}}
    rules:
      - {{name: TwelveAgents, when: {{type: metric, metric: simulation_agents_active, op: '>', threshold: 11}}}}
"
    );
    fs::create_dir(folder.join("config")).expect("a folder");
    fs::write(folder.join("config/local.yaml"), config).expect("a file");
}

/// An alert of this name that was posted, with its message.
fn posted_alert(posted: &Posted, name: &str) -> Option<(Value, Value)> {
    posted.all().iter().find_map(|body| {
        let message: Value = serde_json::from_slice(body).expect("JSON");
        let alerts = message["alerts"].as_array().expect("alerts").clone();
        let alert = alerts.into_iter().find(|alert| alert["labels"]["alertname"] == name)?;
        Some((message, alert))
    })
}

#[test]
fn a_rule_on_a_metric_fires_while_the_run_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let (webhook, posted) = listener::listen();
    configure(place.path(), webhook);
    let mut run = Running::start(place.path(), &LONG, &[]);
    let (message, alert) = wait_for("alert", || {
        assert!(run.is_going_on());
        posted_alert(&posted, "TwelveAgents")
    });
    assert_eq!((&message["status"], &alert["status"]), (&Value::from("firing"), &Value::from("firing")), "{message:#}");
    assert!(run.is_going_on());
}

/// A limit on the size of files stands for a full disk.
#[test]
fn a_run_whose_disk_is_full_says_so_at_the_webhook() {
    let place = tempfile::tempdir().unwrap();
    let (webhook, posted) = listener::listen();
    configure(place.path(), webhook);
    let script =
        format!("ulimit -f 64; exec {} run --agents 30 --steps 20 --seed 1 --out x", env!("CARGO_BIN_EXE_dais"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(place.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let (_, alert) = posted_alert(&posted, "RunFailed").expect("it was sent before the process ended");
    assert_eq!(alert["labels"]["severity"], "critical");
    assert!(alert.to_string().contains("disk full"), "{alert:#}");
}

#[test]
fn a_webhook_that_never_answers_does_not_keep_a_run_from_ending() {
    let place = tempfile::tempdir().unwrap();
    // Connections are taken by the system, and nobody reads.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    configure(place.path(), mute.local_addr().unwrap());
    let mut run = Running::start(place.path(), &SHORT, &[]);
    let status = run.end();
    assert!(status.success(), "{}", run.said());
    let letters = fs::read_to_string(place.path().join("alerts/dead-letters.jsonl")).unwrap();
    assert!(letters.contains("TwelveAgents"), "what could not be delivered is kept: {letters}");
}

#[test]
fn neither_a_mute_webhook_nor_a_mute_collector_keep_the_system_from_ending_a_run() {
    let place = tempfile::tempdir().unwrap();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    configure(place.path(), address);
    let endpoint = format!("monitoring.tracing.endpoint=http://{address}");
    let mut run = Running::start(place.path(), &LONG, &["monitoring.tracing.enable=true", &endpoint]);
    mute.accept().unwrap();
    let kill = Command::new("kill").args(["-TERM", &run.child.id().to_string()]).stdout(Stdio::null()).status();
    assert!(kill.unwrap().success());
    assert_eq!(run.end().code(), Some(143));
    assert!(run.staging().unwrap().join("state.checkpoint").exists());
}
