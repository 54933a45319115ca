//! Watching a log with one agent alone.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{dais, data, printed, refusal};

const HEAD: &str = "#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts\n";

/// An ordinary connection of an office.
fn ordinary(at: u32) -> String {
    // SplitMix64, one value for each purpose.
    let draw = |purpose: u64, below: u64| {
        let mut bits = (u64::from(at) * 16 + purpose).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ bits >> 31) % below
    };
    let (client, server) = (draw(1, 16), draw(2, 8));
    let (sent, received) = (300 + draw(3, 512), 2_000 + draw(4, 8_192));
    format!(
        "{}\t10.0.0.{client}\t{}\t192.0.2.{server}\t443\ttcp\tssl\t0.{}\t{sent}\t{received}\tSF\t{}\t{}\n",
        1_700_000_000 + at,
        40_000 + at % 20_000,
        100 + draw(5, 512),
        5 + draw(6, 4),
        6 + draw(7, 8),
    )
}

/// A probe that nobody answers.
fn probe(at: u32) -> String {
    let (time, port) = (1_700_010_000.0 + f64::from(at) / 50.0, 1 + at);
    format!("{time}\t203.0.113.9\t50000\t10.0.0.3\t{port}\ttcp\t-\t-\t-\t-\tS0\t1\t0\n")
}

fn log(ordinary_flows: u32, probes: u32) -> String {
    let mut text = HEAD.to_owned();
    text.extend((0..ordinary_flows).map(ordinary));
    text.extend((0..probes).map(probe));
    text
}

const SMALL: [&str; 2] = ["--baseline-rows", "512"];

#[test]
fn a_scan_is_shown_with_its_reasons_and_counted() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("conn.log"), log(2_000, 200)).unwrap();
    let output = dais(place.path()).args(["watch", "conn.log", "--json"]).args(SMALL).output().unwrap();
    assert!(output.status.success());
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    let of_scanner = of("alert").iter().filter(|alert| alert["source"] == "203.0.113.9").count();
    // Half of them: then the budget of alerts is spent, and the scan's signature speaks for the rest.
    assert!(of_scanner >= 90, "{of_scanner} of 200 probes");
    // Until then the agent comes to know how regular contacts are here.
    let settled = |alert: &&&Value| (1_700_001_600.0..1_700_002_000.0).contains(&alert["time_s"].as_f64().unwrap());
    let false_alarms = of("alert").iter().filter(settled).count();
    assert!(false_alarms < 20, "{false_alarms} of 400 ordinary flows");
    let reasons = of("alert").last().unwrap()["reasons"].as_array().unwrap().clone();
    assert!(reasons[0]["share"].as_f64() >= reasons.last().unwrap()["share"].as_f64(), "{reasons:?}");
    assert!(of("signature").iter().any(|signature| signature["sources"].to_string().contains("203.0.113.9")));
    let [summary] = of("summary")[..] else { panic!("one summary") };
    assert_eq!((summary["flows"].as_u64(), lines.last().unwrap()["kind"].as_str()), (Some(2_200), Some("summary")));
    let text = printed(dais(place.path()).args(["watch", "conn.log"]).args(SMALL));
    assert!(
        text.contains("203.0.113.9 → 10.0.0.3:") && text.contains("tcp S0  (") && text.contains(" alike from"),
        "{text}"
    );
}

#[test]
fn an_alert_is_written_while_the_pipe_stays_open() {
    let place = tempfile::tempdir().unwrap();
    let known = place.path().join("yesterday.log");
    fs::write(&known, log(1_000, 0)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dais"))
        .args(["watch", "--baseline", known.to_str().unwrap(), "--json"])
        .args(SMALL)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut text = HEAD.to_owned();
    (0..80).for_each(|at| write!(text, "{}", probe(at)).unwrap());
    input.write_all(text.as_bytes()).unwrap();
    // The input is not closed yet: whoever waits for its end waits for ever.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["kind"], &first["source"]), (&"alert".into(), &"203.0.113.9".into()));
    drop(input);
    assert!(output.lines().last().unwrap().unwrap().contains("\"kind\":\"summary\""));
    assert!(child.wait().unwrap().success());
}

#[test]
fn captures_are_watched_and_what_is_no_log_is_refused() {
    let place = tempfile::tempdir().unwrap();
    if let Some(paths) = data(&["pcap/dns_exfiltration.pcap"]) {
        let flags = ["--baseline-rows", "64", "--json"];
        let text = printed(dais(place.path()).arg("watch").arg(&paths[0]).args(flags));
        assert!(text.contains("\"bad_rows\":0"), "{text}");
    }
    fs::write(place.path().join("table.csv"), "a,label\n1,x\n").unwrap();
    fs::write(place.path().join("short.log"), log(20, 0)).unwrap();
    let refused = |flags: &[&str]| refusal(dais(place.path()).arg("watch").args(flags));
    assert!(refused(&["table.csv", "--quiet"]).contains("table.csv"));
    assert!(refused(&["short.log", "--baseline", "short.log"]).contains("more ordinary flows are needed"));
    assert!(refused(&["short.log", "--set", "policy.threshold=0.5"]).contains("agent."));
    assert!(refused(&["missing.log"]).contains("missing.log"));
    refused(&["table.csv", "--quiet", "--configure", "logging.file=dais.log"]);
    let kept = fs::read_to_string(place.path().join("dais.log")).unwrap();
    assert!(kept.contains("ERROR") && kept.contains("table.csv: is a table"), "{kept}");
}

/// A watch of a pipe with these settings, which has been given this text, and a line of its output read.
fn watching(folder: &Path, settings: &str, text: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    fs::write(folder.join("my.yaml"), settings).expect("a file");
    fs::write(folder.join("yesterday.log"), log(1_000, 0)).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_dais"))
        .args(["watch", "--baseline", "yesterday.log", "--json", "--quiet", "--config", "my.yaml"])
        .args(SMALL)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    output.read_line(&mut String::new()).expect("an alert");
    (child, output)
}

fn probes(number: u32) -> String {
    HEAD.to_owned() + &(0..number).map(probe).collect::<String>()
}

/// What is served at a path.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody serves");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: dais\r\nConnection: close\r\n\r\n").expect("it is asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// Waits for a condition, generously.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn a_watch_serves_its_metrics_and_health_and_ends_with_its_summary_on_sigterm() {
    let place = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // An idle watch does not stall: whether steps end is nothing that rules see of it.
    let settings = format!(
        "logging: {{file: logs/dais.log}}\nmonitoring:\n  enable_prometheus: true\n  metrics_port: {}\n  alerting:\n    \
         channels: {{file: {{type: log}}}}\n    rules: [{{name: NoSteps, when: {{type: absent, metric: \
         simulation_steps_total}}}}]\n",
        address.port()
    );
    let (mut child, output) = watching(place.path(), &settings, &probes(120));
    wait_for("the flows", || get(address, "/metrics").contains("\nflows_seen_total 120"));
    let metrics = get(address, "/metrics");
    let signatures = metrics.lines().find(|line| line.starts_with("signatures_total{outcome=\"published\"}")).unwrap();
    assert!(!signatures.ends_with(" 0"), "{signatures}");
    assert!(metrics.contains("\nsimulation_agents_active 1"), "{metrics}");
    let health = get(address, "/health");
    assert!(health.contains("\"progress\"") && get(address, "/live").starts_with("HTTP/1.1 200"), "{health}");
    // The pipe stays open: only the signal can end it.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let last = output.lines().last().unwrap().unwrap();
    assert!(last.contains("\"kind\":\"summary\"") && last.contains("\"flows\":120"), "{last}");
    assert!(child.wait().unwrap().success());
    let log = fs::read_to_string(place.path().join("logs/dais.log")).unwrap();
    for said in ["the watch begins", "judges from now on", "signature", "class=", "NoSteps", "the watch ended"] {
        assert!(log.contains(said), "{said} in {log}");
    }
}

#[test]
fn changed_limits_of_health_are_taken_over_where_hot_reload_is_on() {
    for (hot, weighs) in [(true, "degraded"), (false, "healthy")] {
        let place = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = |limit: u32| {
            format!(
                "development: {{hot_reload: {hot}}}\nmonitoring:\n  enable_prometheus: true\n  metrics_port: {}\n  \
                 health: {{interval_s: 0.1, timeout_s: 10, failures_min: 1, disk_free_min_mb: 0, \
                 disk_free_warn_mb: {limit}}}\n",
                address.port()
            )
        };
        let (mut child, _output) = watching(place.path(), &settings(0), &probes(20));
        let disk = || {
            let answer = get(address, "/health");
            let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
            let report: Value = serde_json::from_str(body).expect("a report");
            report["checks"]["disk"][0]["status"].as_str().map(str::to_owned)
        };
        wait_for("the first finding", || disk().as_deref() == Some("healthy"));
        fs::write(place.path().join("my.yaml"), settings(1_000_000_000)).unwrap();
        if hot {
            wait_for("the new limit", || disk().as_deref() == Some(weighs));
        } else {
            // Longer than a change needs to be seen.
            std::thread::sleep(Duration::from_secs(1));
            assert_eq!(disk().as_deref(), Some(weighs));
        }
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}
