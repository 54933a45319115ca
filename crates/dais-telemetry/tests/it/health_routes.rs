//! `/health`, `/live` and `/ready` over real sockets.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use dais_telemetry::health::{
    CONTENT_TYPE, Check, Dependency, Finding, HealthParams, Heartbeat, Monitor, Registry, Report, Stage, State, Status,
    dependency, progress, routes,
};
use reqwest::blocking::Client;

use crate::health_monitor::wait_for;

fn params() -> HealthParams {
    HealthParams { interval_s: 0.1, failures_min: 1, recoveries_min: 1, ..HealthParams::default() }
}

fn monitor(checks: Vec<Check>) -> Arc<Monitor> {
    let registry = Registry::new(checks, 10, 0).expect("the checks stand together");
    Arc::new(Monitor::start(registry, |_| {}).expect("a thread"))
}

/// Serves until the test ends.
fn serve(monitor: &Arc<Monitor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let router = routes(Arc::clone(monitor));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("a server");
        });
    });
    address
}

fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    let answer = Client::new().get(format!("http://{address}{path}")).timeout(Duration::from_secs(20)).send();
    let answer = answer.expect("an answer");
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    (answer.status().as_u16(), kind, answer.text().expect("a body"))
}

#[test]
fn the_endpoints_tell_what_the_checks_found() {
    let found = Arc::new(AtomicU8::new(0));
    let theirs = Arc::clone(&found);
    let check = Check::new("storage", &params(), move || match theirs.load(Ordering::SeqCst) {
        0 => Finding::healthy("answers").figure("answer_ms", 1.5),
        1 => Finding::degraded("slow"),
        _ => Finding::unhealthy("gone"),
    });
    let monitor = monitor(vec![check.critical()]);
    let address = serve(&monitor);
    assert_eq!(get(address, "/ready").0, 503, "it has not begun to serve");
    monitor.enter(Stage::Serving);
    wait_for("a finding", || monitor.report().checks[0].status == Status::Healthy);
    let (code, kind, body) = get(address, "/health");
    let report: Report = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (code, kind.as_str(), report.state, report.status.as_str()),
        (200, CONTENT_TYPE, State::Healthy, "pass")
    );
    assert!((report.checks[0].figures["answer_ms"] - 1.5).abs() < 1e-9);
    assert!(report.time.is_some());
    assert_eq!([get(address, "/live").0, get(address, "/ready").0], [200, 200]);

    found.store(1, Ordering::SeqCst);
    wait_for("degraded", || monitor.report().state == State::Degraded);
    assert_eq!([get(address, "/health").0, get(address, "/ready").0], [200, 200]);

    found.store(2, Ordering::SeqCst);
    wait_for("unhealthy", || monitor.report().state == State::Unhealthy);
    let (code, _, body) = get(address, "/health");
    assert_eq!(code, 503);
    assert!(body.contains("gone"), "{body}");
    assert_eq!(
        [get(address, "/live").0, get(address, "/ready").0],
        [200, 503],
        "a dead storage is no reason to restart"
    );

    found.store(0, Ordering::SeqCst);
    wait_for("healthy again", || monitor.report().state == State::Healthy);
    monitor.enter(Stage::Stopping);
    assert_eq!([get(address, "/live").0, get(address, "/ready").0], [200, 503]);
}

#[test]
fn a_run_whose_steps_do_not_end_is_not_live() {
    let heart = Arc::new(Heartbeat::new());
    let limits = HealthParams { stall_s: 0.1, stall_factor: 1.0, ..params() };
    let monitor = monitor(vec![progress(&limits, Arc::clone(&heart))]);
    let address = serve(&monitor);
    wait_for("a finding", || monitor.report().checks[0].status == Status::Healthy);
    assert_eq!(get(address, "/live").0, 200);
    heart.begin();
    wait_for("the stall", || get(address, "/live").0 == 503);
    heart.rest();
    wait_for("the end of the run", || get(address, "/live").0 == 200);
}

#[test]
fn services_are_asked_over_tcp_and_http() {
    let served = monitor(Vec::new());
    let http = serve(&served);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let state = |address: String| {
        let named = Dependency { name: "other".into(), address, critical: false };
        (dependency(&params(), &named).unwrap().probe)()
    };
    assert_eq!(state(format!("tcp://{}", tcp.local_addr().unwrap())).state, State::Healthy);
    assert_eq!(state(format!("tcp://{gone}")).state, State::Unhealthy);
    assert_eq!(state(format!("http://{http}/live")).state, State::Healthy);
    let refused = state(format!("http://{http}/ready?token=swordfish"));
    assert_eq!(refused.state, State::Unhealthy);
    assert!(refused.detail.contains("503") && !refused.detail.contains("swordfish"), "{refused:?}");
    let silent = state(format!("http://{gone}/?token=swordfish"));
    assert!(silent.detail.contains("does not answer") && !silent.detail.contains("swordfish"), "{silent:?}");
}
