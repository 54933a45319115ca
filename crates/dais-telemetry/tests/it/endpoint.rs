//! The endpoint over real sockets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use dais_telemetry::endpoint::{Endpoint, EndpointError};
use dais_telemetry::metric::{RunMetrics, StepFigures, catalogue, routes, routes_at};
use proptest::prelude::*;

/// Any free port of this machine.
pub(crate) const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn served(metrics: &RunMetrics) -> Endpoint {
    Endpoint::serve(ANYWHERE, routes(metrics.clone())).expect("a port is free")
}

/// What comes back for `request`, sent as it is.
fn answer(to: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).expect("the endpoint listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
    // The other side may have seen enough before all is sent.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get_metrics(to: SocketAddr, accept: &str) -> String {
    answer(to, format!("GET /metrics HTTP/1.1\r\nHost: dais\r\nAccept: {accept}\r\n\r\n").as_bytes())
}

#[test]
fn metrics_are_shown_in_the_format_that_is_asked_for() {
    let metrics = RunMetrics::default();
    let endpoint = served(&metrics);
    metrics.step(&StepFigures { step: 7, duration: Duration::from_millis(20), ..StepFigures::default() });
    let text = get_metrics(endpoint.address(), "text/plain");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{text}");
    assert!(text.contains("\nsimulation_step_duration_seconds_count 1\n"), "{text}");
    let open = get_metrics(endpoint.address(), "application/openmetrics-text; version=1.0.0, */*;q=0.1");
    assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{open}");
    assert!(open.ends_with("# EOF\n"), "{open}");
}

#[test]
fn every_name_of_the_original_is_there_from_the_start() {
    let metrics = RunMetrics::default();
    let folder = tempfile::tempdir().unwrap();
    let mut resources = dais_telemetry::metric::Resources::new(folder.path()).unwrap();
    metrics.resources(&resources.read());
    let flows = dais_telemetry::metric::FlowFigures { seen: 10, alerted: 1, ..Default::default() };
    metrics.step(&StepFigures { flows, ..StepFigures::default() });
    let names: Vec<String> = metrics.snapshot().into_iter().map(|series| series.name).collect();
    for name in [
        "simulation_step_duration_seconds_count",
        "simulation_agents_active",
        "database_connection_pool_size",
        "ray_tasks_pending",
        "system_memory_usage_mb",
        "anomaly_detection_rate",
    ] {
        assert!(names.iter().any(|own| own == name), "{name} in {names:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_that_says_the_way_out() {
    let endpoint = served(&RunMetrics::default());
    let refused = Endpoint::serve(endpoint.address(), Router::new()).unwrap_err();
    assert!(matches!(refused, EndpointError::Taken(address) if address == endpoint.address()));
    assert!(refused.to_string().contains("choose another port"), "{refused}");
}

#[test]
fn a_dropped_endpoint_listens_no_more_even_with_callers_under_way() {
    let endpoint = served(&RunMetrics::default());
    let address = endpoint.address();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET /metrics HTT").unwrap();
    drop(endpoint);
    // The port is free again: nothing holds it.
    Endpoint::serve(address, Router::new()).unwrap();
}

#[test]
fn a_handler_that_panics_takes_nothing_else_with_it() {
    async fn panics() -> &'static str {
        std::panic::resume_unwind(Box::new("a broken handler"))
    }
    let metrics = RunMetrics::default();
    let broken = Router::new().route("/broken", get(panics));
    let endpoint = Endpoint::serve(ANYWHERE, routes(metrics).merge(broken)).unwrap();
    assert_eq!(answer(endpoint.address(), b"GET /broken HTTP/1.1\r\nHost: dais\r\n\r\n"), "");
    assert!(get_metrics(endpoint.address(), "*/*").starts_with("HTTP/1.1 200"));
}

#[test]
fn metrics_may_be_shown_elsewhere_but_not_anywhere() {
    let metrics = RunMetrics::default();
    let endpoint = Endpoint::serve(ANYWHERE, routes_at("/own/figures", metrics.clone()).unwrap()).unwrap();
    let found = answer(endpoint.address(), b"GET /own/figures HTTP/1.1\r\nHost: dais\r\n\r\n");
    assert!(found.starts_with("HTTP/1.1 200"), "{found}");
    assert!(get_metrics(endpoint.address(), "*/*").starts_with("HTTP/1.1 404"));
    for bad in ["", "/", "metrics", "/{all}", "/a b", "/*"] {
        assert!(routes_at(bad, metrics.clone()).is_err(), "{bad}");
    }
}

#[test]
fn a_head_without_end_is_refused() {
    let endpoint = served(&RunMetrics::default());
    let head = format!("GET /metrics HTTP/1.1\r\nHost: dais\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    assert!(!answer(endpoint.address(), head.as_bytes()).starts_with("HTTP/1.1 200"));
    let many = format!("GET /metrics HTTP/1.1\r\nHost: dais\r\n{}\r\n", "X: y\r\n".repeat(200));
    assert!(!answer(endpoint.address(), many.as_bytes()).starts_with("HTTP/1.1 200"));
    assert!(get_metrics(endpoint.address(), "*/*").starts_with("HTTP/1.1 200"));
}

#[test]
fn idle_callers_beyond_the_bound_do_not_lock_others_out_for_good() {
    let endpoint = served(&RunMetrics::default());
    let idle: Vec<TcpStream> = (0..70).map(|_| TcpStream::connect(endpoint.address()).unwrap()).collect();
    // Answered when the first of the idle ones are cut off.
    assert!(get_metrics(endpoint.address(), "*/*").starts_with("HTTP/1.1 200"));
    drop(idle);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rubbish_is_answered_or_refused_and_the_endpoint_lives_on(rubbish in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let endpoint = served(&RunMetrics::default());
        answer(endpoint.address(), &rubbish);
        prop_assert!(get_metrics(endpoint.address(), "*/*").starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn counts_of_many_threads_add_up() {
    let metrics = RunMetrics::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let counter = metrics.counter(&catalogue::VOTES, "confirm");
            let times = metrics.histogram(&catalogue::LEDGER_APPEND, "");
            scope.spawn(move || {
                for _ in 0..10_000 {
                    counter.add(1);
                    times.observe(0.003);
                }
            });
        }
    });
    let value = |name: &str| -> f64 {
        metrics.snapshot().iter().filter(|series| series.name == name).map(|series| series.value).sum()
    };
    assert_eq!(value("votes_total") as u64, 40_000);
    assert_eq!(value("ledger_append_duration_seconds_count") as u64, 40_000);
    let statistics = metrics.statistics("ledger_append_duration_seconds").unwrap();
    assert_eq!((statistics.count, statistics.p99.to_bits()), (1024, 0.003_f64.to_bits()));
}
