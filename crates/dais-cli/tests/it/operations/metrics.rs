//! Metrics and health over HTTP.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Running, SHORT, get, value, wait_for};
use crate::{dais, json, printed, refusal};

/// The names that the original lists.
const LISTED: [&str; 6] = [
    "simulation_step_duration_seconds_count",
    "simulation_agents_active",
    "database_connection_pool_size",
    "ray_tasks_pending",
    "system_memory_usage_mb",
    "anomaly_detection_rate",
];

#[test]
fn a_run_that_goes_on_shows_its_metrics() {
    let place = tempfile::tempdir().unwrap();
    let mut run = Running::serving(place.path(), &[]);
    let address = run.address();
    // Signatures take some steps to be decided.
    let text = wait_for("votes", || {
        let answer = get(&address, "/metrics", "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.head.contains("content-type: text/plain"), "{}", answer.head);
        (value(&answer.body, "votes_total") > Some(0.0)).then_some(answer.body)
    });
    for name in LISTED {
        assert!(value(&text, name).is_some(), "{name}\n{text}");
    }
    for name in ["simulation_step_duration_seconds_count", "signatures_total", "ledger_entries_total", "ledger_size"] {
        assert!(value(&text, name) > Some(0.0), "{name}\n{text}");
    }
    assert_eq!(value(&text, "simulation_agents_active"), Some(12.0));
    assert_eq!(value(&text, "database_connection_pool_size"), Some(1.0), "that of the ledger's writer");
    assert!(value(&text, "system_memory_usage_mb") > Some(1.0));

    let open = get(&address, "/metrics", "application/openmetrics-text");
    assert!(open.head.contains("application/openmetrics-text"), "{}", open.head);
    assert!(open.body.ends_with("# EOF\n"), "{}", open.body);
    check_with_promtool(&text);
}

/// promtool likes everything but a name of the original; 3 is what it says where only style is at fault.
fn check_with_promtool(metrics: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if !super::prometheus::is_there() {
        return;
    }
    let mut child = promtool.spawn().expect("promtool starts");
    child.stdin.take().expect("a pipe").write_all(metrics.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = crate::text(&[&output.stdout[..], &output.stderr[..]].concat());
    let others: Vec<&str> = said.lines().filter(|line| !line.starts_with("system_memory_usage_mb")).collect();
    assert!(others.is_empty() && matches!(output.status.code(), Some(0 | 3)), "{said}");
}

#[test]
fn a_run_that_goes_on_tells_how_it_is() {
    let place = tempfile::tempdir().unwrap();
    // A machine that is busy with other tests is well.
    let calm = ["monitoring.health.interval_s=0.2", "monitoring.health.cpu_max_percent=100"];
    let mut run = Running::serving(place.path(), &calm);
    let address = run.address();
    let health = wait_for("a healthy run", || {
        let answer = get(&address, "/health", "");
        let health: Value = serde_json::from_str(&answer.body).expect("JSON");
        let checked = health["checks"].as_object().expect("checks").values();
        let all = checked.clone().all(|check| check[0]["status"] == "healthy");
        (answer.status == 200 && checked.count() > 0 && all).then_some(health)
    });
    let mut names: Vec<&String> = health["checks"].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["agents", "clock", "cpu", "disk", "ledger", "memory", "progress", "storage"], "{health:#}");
    for path in ["/live", "/ready"] {
        // The worlds of a run begin one after the other: for a moment between two of them it is not ready.
        wait_for(path, || (get(&address, path, "").status == 200).then_some(()));
    }
    for named in ["x".to_owned(), format!("http://{address}")] {
        let told = json(dais(place.path()).args(["health", &named, "--json"]));
        assert_eq!(told["state"], "healthy", "{told:#}");
    }
}

#[test]
fn the_address_of_a_run_is_there_only_while_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let port = format!("monitoring.metrics_port={}", super::free_port());
    let mut run = Running::start(place.path(), &SHORT, &["monitoring.enable_prometheus=true", &port]);
    let address = run.address();
    let status = run.end();
    assert!(status.success(), "{}", run.said());
    assert!(place.path().join("x/summary.json").exists());
    assert!(!place.path().join("x/endpoint").exists());
    assert!(std::net::TcpStream::connect(&address).is_err(), "nobody listens any more");
    assert!(refusal(dais(place.path()).args(["health", "x"])).contains("the run has ended"));
}

#[test]
fn a_port_that_is_taken_is_told_with_its_key_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("monitoring.metrics_port={}", taken.local_addr().unwrap().port());
    let settings = ["--configure", "monitoring.enable_prometheus=true", "--configure", &port, "--out", "x"];
    let message = refusal(dais(place.path()).args(SHORT).args(settings));
    assert!(message.contains("monitoring.metrics_port") && message.contains("taken"), "{message}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    drop(taken);
    printed(dais(place.path()).args(SHORT).args(settings));
}
