//! `deploy/prometheus` and the Grafana dashboard against a real Prometheus that scrapes a real endpoint.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dais_telemetry::endpoint::Endpoint;
use dais_telemetry::log::LogCounts;
use dais_telemetry::metric::{
    ExchangeFigures, Exposition, FlowFigures, Kind, Resources, RunMetrics, StepFigures, catalogue, routes,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::endpoint::ANYWHERE;

/// Longest that anything is waited for: a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
/// Names of the original that promtool's style guide does not like.
const DISLIKED: [&str; 1] = ["system_memory_usage_mb"];

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// Whether Prometheus is installed. In CI it must be; elsewhere it is said loudly that a test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_prometheus() -> bool {
    let missing = |program: &&str| {
        let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !quiet.is_ok_and(|status| status.success())
    };
    let Some(program) = ["prometheus", "promtool"].into_iter().find(|program| missing(program)) else { return true };
    assert!(std::env::var_os("CI").is_none(), "{program} cannot be run; install Debian's prometheus");
    eprintln!("SKIPPED: {program} cannot be run; install Debian's prometheus");
    false
}

fn promtool(arguments: &[&str], input: &str) -> (Output, String) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("promtool reads its input");
    let output = child.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    (output, said)
}

/// A step in which everything happened; `n` counts them.
fn eventful(metrics: &RunMetrics, n: u64) {
    let ms = Duration::from_millis;
    metrics.step(&StepFigures {
        step: n,
        duration: ms(20),
        phases: Some([ms(9), ms(1), ms(6), ms(4)]),
        agents: Some([0, 0, 0, 0, 48, 1, 1, 0]),
        flows: FlowFigures {
            seen: 1000,
            alerted: 20,
            matched: 5,
            blocked: 3,
            attacks: 30,
            attacks_found: 25,
            benign: 970,
            false_alarms: 7,
        },
        exchange: ExchangeFigures {
            published: 3,
            accepted: 1,
            rejected: 1,
            confirmations: 10,
            refutations: 4,
            abstentions: 2,
            refused_votes: 1,
            messages: 60,
            message_bytes: 9000,
            ..ExchangeFigures::default()
        },
        signatures_in_force: 12,
        consensus_steps: vec![2, 3],
        consensus_times: vec![ms(40), ms(60)],
        trust: (0..50).map(|agent| f64::from(agent) / 50.0).collect(),
    });
    metrics.ledger_append(20, 8000, 20 * n, ms(3));
    metrics.storage_error("transient");
    metrics.cache("entries", 90 * n, 10 * n);
    metrics.cache("nodes", 50 * n, n);
    metrics.connections(4);
    metrics.log_lines(LogCounts { written: 10 * n, dropped: 0, failed: 0 });
}

fn filled() -> RunMetrics {
    let metrics = RunMetrics::default();
    let mut resources = Resources::new(Path::new(".")).expect("the system can be asked");
    metrics.resources(&resources.read());
    eventful(&metrics, 1);
    metrics
}

#[test]
fn the_rules_are_sound_and_pass_their_own_tests() {
    if !has_prometheus() {
        return;
    }
    let config = deploy("prometheus/prometheus.yml");
    let (output, said) = promtool(&["check", "config", config.to_str().unwrap()], "");
    assert!(output.status.success() && said.contains("1 rule files found"), "{said}");
    let tests = deploy("prometheus/tests/dais.yml");
    let (output, said) = promtool(&["test", "rules", tests.to_str().unwrap()], "");
    assert!(output.status.success(), "{said}");
}

#[test]
fn every_alert_is_seen_firing_and_says_what_to_do() {
    let rules = fs::read_to_string(deploy("prometheus/rules/dais.yml")).unwrap();
    let tests = fs::read_to_string(deploy("prometheus/tests/dais.yml")).unwrap();
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in &alerts {
        assert!(
            tests.contains(&format!("alertname=\"{alert}\"")) || tests.contains(&format!("alertname: {alert}")),
            "{alert}"
        );
    }
    let said = |key: &str| rules.matches(&format!("          {key}: ")).count();
    assert_eq!([said("summary"), said("description"), said("runbook")], [alerts.len(); 3]);
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_but_a_name_of_the_original() {
    if !has_prometheus() {
        return;
    }
    let text = Exposition::Prometheus.write(filled().registry());
    let (output, said) = promtool(&["check", "metrics"], &text);
    let complaints: Vec<&str> =
        said.lines().filter(|line| !DISLIKED.iter().any(|name| line.starts_with(name))).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    // 3 is what it says where only style is at fault.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
}

/// A Prometheus of one's own.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prometheus {
    /// Starts one with the configuration of `deploy`, which scrapes `target`, and does so every second.
    fn start(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = fs::read_to_string(deploy("prometheus/prometheus.yml")).expect("the configuration is there");
        let config = config.replace("localhost:9090\"", &format!("{target}\"")).replace(": 15s", ": 1s");
        assert!(config.contains(&target.to_string()), "{config}");
        let rules = fs::read_to_string(deploy("prometheus/rules/dais.yml")).expect("the rules are there");
        fs::create_dir(folder.path().join("rules")).expect("a folder");
        fs::write(folder.path().join("rules/dais.yml"), rules).expect("written");
        fs::write(folder.path().join("prometheus.yml"), config).expect("written");
        let mut child = Command::new("prometheus")
            .args(["--config.file", "prometheus.yml", "--storage.tsdb.path", "data"])
            .args(["--web.listen-address", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Prometheus starts");
        let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let mark = "msg=\"Listening on\" address=";
        let address = said.by_ref().find_map(|line| Some(line.split_once(mark)?.1.trim().parse().expect("an address")));
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address: address.expect("Prometheus says where it listens"), _folder: folder }
    }

    /// What its API answers.
    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).expect("Prometheus listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        let request = format!("GET /api/v1/{path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("Prometheus reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("Prometheus answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// The series that `expression` gives; it must be sound.
    fn query(&self, expression: &str) -> Vec<Value> {
        let answer = self.get(&format!("query?query={}", utf8_percent_encode(expression, NON_ALPHANUMERIC)));
        // Until it is ready it answers with words.
        assert_ne!(answer["status"], "error", "{expression}: {answer}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }
}

/// Every expression of the dashboard, with the variables as Grafana would set them.
fn dashboard_expressions() -> Vec<String> {
    let text = fs::read_to_string(deploy("grafana/dashboards/dais.json")).expect("the dashboard is there");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let variables = [("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*")];
    targets
        .map(|target| {
            let expression = target["expr"].as_str().expect("an expression").to_owned();
            variables.iter().fold(expression, |text, (name, value)| text.replace(name, value))
        })
        .collect()
}

#[test]
fn a_real_prometheus_scrapes_a_run_and_every_expression_of_the_dashboard_returns_data() {
    if !has_prometheus() {
        return;
    }
    let metrics = filled();
    let endpoint = Endpoint::serve(ANYWHERE, routes(metrics.clone())).unwrap();
    let prometheus = Prometheus::start(endpoint.address());
    let expressions = dashboard_expressions();
    assert!(expressions.len() > 40, "{}", expressions.len());
    let deadline = Instant::now() + PATIENCE;
    let mut missing = expressions.clone();
    let mut steps = 1;
    while !missing.is_empty() {
        assert!(Instant::now() < deadline, "no data for {missing:#?}\ntargets: {}", prometheus.get("targets"));
        steps += 1;
        eventful(&metrics, steps);
        std::thread::sleep(Duration::from_millis(200));
        missing.retain(|expression| prometheus.query(expression).is_empty());
    }

    // What is scraped is what the catalogue says.
    for family in catalogue::CATALOGUE {
        let name = match family.kind {
            Kind::Histogram(_) => format!("{}_bucket", family.name),
            Kind::Counter | Kind::Reading | Kind::Gauge => family.name.to_owned(),
        };
        assert!(!prometheus.query(&name).is_empty(), "{name}");
    }
    let targets = prometheus.get("targets");
    assert_eq!(targets["data"]["activeTargets"][0]["health"], "up", "{targets}");
    let is_evaluated = |rules: &Value| {
        let groups = rules["data"]["groups"].as_array().expect("groups");
        let mut all = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        all.all(|rule| rule["health"] == "ok")
    };
    loop {
        let rules = prometheus.get("rules");
        if is_evaluated(&rules) {
            break;
        }
        assert!(Instant::now() < deadline, "{rules}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_panels_of_the_dashboard_lie_beside_one_another() {
    let text = fs::read_to_string(deploy("grafana/dashboards/dais.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{panel}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{panel}");
        }
    }
}
