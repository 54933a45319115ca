//! `dais health`, against a process that really serves.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dais_telemetry::health::{Check, Finding, HealthParams, Monitor, Registry, Stage, State, Status, routes};
use serde_json::Value;

use crate::{dais, refusal, text};

/// Serves this state of its storage until the test ends.
fn serve(state: State) -> SocketAddr {
    let params = HealthParams { interval_s: 0.2, ..HealthParams::default() };
    let check =
        Check::new("storage", &params, move || Finding::new(state, "found by the test").figure("answer_ms", 2.5));
    let registry = Registry::new(vec![check.critical()], 10, 0).expect("one check");
    let monitor = Arc::new(Monitor::start(registry, |_| {}).expect("a thread"));
    monitor.enter(Stage::Serving);
    let end = Instant::now() + Duration::from_secs(20);
    while monitor.report().checks[0].status == Status::Unknown {
        assert!(Instant::now() < end, "the check is called");
        std::thread::sleep(Duration::from_millis(5));
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, routes(monitor)).await.expect("a server");
        });
    });
    address
}

fn ask(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = dais(folder).arg("health").args(args).output().expect("it starts");
    assert_eq!(text(&stderr), "");
    (status.code(), text(&stdout))
}

#[test]
fn the_exit_code_and_the_table_say_how_a_process_is() {
    let place = tempfile::tempdir().unwrap();
    for (state, code, first) in [
        (State::Healthy, 0, "healthy, score 100 of 100\n"),
        (State::Degraded, 1, "degraded, score 50 of 100\n"),
        (State::Unhealthy, 1, "unhealthy, score 0 of 100\n"),
    ] {
        let url = format!("http://{}", serve(state));
        let (exit, shown) = ask(place.path(), &[&url]);
        assert_eq!(exit, Some(code), "{shown}");
        assert!(shown.starts_with(first), "{shown}");
        assert!(shown.contains("storage *") && shown.contains("found by the test"), "{shown}");
        let (exit, object) = ask(place.path(), &["--json", "--url", &url]);
        let object: Value = serde_json::from_str(&object).unwrap();
        assert_eq!((exit, &object["state"]), (Some(code), &Value::from(state.name())));
        assert_eq!(object["checks"]["storage"][0]["figures"]["answer_ms"], 2.5);
    }
}

#[test]
fn the_folder_of_a_run_names_the_process_that_makes_it() {
    let place = tempfile::tempdir().unwrap();
    let url = format!("http://{}\n", serve(State::Healthy));
    let folder = place.path().join("runs/synthetic-7.unfinished-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("endpoint"), url).unwrap();
    let (exit, shown) = ask(place.path(), &["runs/synthetic-7"]);
    assert_eq!(exit, Some(0), "{shown}");
    std::fs::create_dir(place.path().join("runs/ended")).unwrap();
    let ended = refusal(dais(place.path()).args(["health", "runs/ended"]));
    assert!(ended.contains("the run has ended"), "{ended}");
    assert!(refusal(dais(place.path()).args(["health", "runs/none"])).contains("there is no run"));
}

#[test]
fn a_process_that_is_not_there_or_is_no_dais_is_told() {
    let place = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let message = refusal(dais(place.path()).args(["health", &format!("http://{gone}")]));
    assert!(message.contains("cannot reach") && message.contains("refused"), "{message}");
    let other = format!("http://{}/live", serve(State::Healthy));
    let message = refusal(dais(place.path()).args(["health", &other]));
    assert!(message.contains("is it a dais?"), "{message}");
    assert!(refusal(dais(place.path()).args(["health", "ftp://h/"])).contains("http://"));
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", mute.local_addr().unwrap());
    let message = refusal(dais(place.path()).args(["health", &url, "--timeout", "0.2"]));
    assert!(message.contains("does not answer in time"), "{message}");
}

#[test]
fn without_an_address_this_machine_is_looked_at() {
    let place = tempfile::tempdir().unwrap();
    let (exit, object) = ask(place.path(), &["--json"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    let names: Vec<&String> = object["checks"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["cpu", "disk", "memory"]);
    assert!(object["checks"]["disk"][0]["figures"]["free_mb"].as_f64().unwrap() > 0.0);
    assert_eq!(exit == Some(0), object["state"] == "healthy");
}

#[test]
fn the_limits_of_the_configuration_hold_for_this_machine() {
    let place = tempfile::tempdir().unwrap();
    let (exit, object) =
        ask(place.path(), &["--json", "--configure", "monitoring.health.disk_free_warn_mb=1000000000"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!((exit, &object["checks"]["disk"][0]["status"]), (Some(1), &Value::from("degraded")), "{object}");
}
