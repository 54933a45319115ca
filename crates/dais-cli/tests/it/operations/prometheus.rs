//! A real Prometheus that scrapes a run, with the rules and the dashboard of `deploy`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{Running, get, wait_for};

/// What a run does not tell: it reads nothing of its own ledger through caches.
const NOT_TOLD: [&str; 1] = ["cache_hits_total"];

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// Whether Prometheus is installed. In CI it must be; elsewhere it is said loudly that a test is skipped.
pub(super) fn is_there() -> bool {
    let there = |program: &str| {
        let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let all = ["prometheus", "promtool"].into_iter().all(there);
    assert!(all || std::env::var_os("CI").is_none(), "Prometheus must be there in CI: install Debian's prometheus");
    if !all {
        eprintln!("SKIPPED: prometheus or promtool cannot be run; install Debian's prometheus");
    }
    all
}

/// A Prometheus of one's own.
struct Prometheus {
    child: Child,
    address: String,
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
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = fs::read_to_string(deploy("prometheus/prometheus.yml")).expect("the configuration is there");
        let config = config.replace("localhost:9090\"", &format!("{target}\"")).replace(": 15s", ": 1s");
        assert!(config.contains(target), "{config}");
        fs::create_dir(folder.path().join("rules")).expect("a folder");
        fs::copy(deploy("prometheus/rules/dais.yml"), folder.path().join("rules/dais.yml")).expect("copied");
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
        let address = said.by_ref().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()));
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address: address.expect("Prometheus says where it listens"), _folder: folder }
    }

    /// What its API answers; nothing while it is not ready.
    fn ask(&self, path: &str) -> Value {
        serde_json::from_str(&get(&self.address, &format!("/api/v1/{path}"), "").body).unwrap_or_default()
    }

    fn has_data(&self, expression: &str) -> bool {
        let answer = self.ask(&format!("query?query={}", utf8_percent_encode(expression, NON_ALPHANUMERIC)));
        assert_ne!(answer["status"], "error", "{expression}: {answer}");
        answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty())
    }
}

/// Every expression of the dashboard, with the variables as Grafana would set them.
fn expressions() -> Vec<String> {
    let text = fs::read_to_string(deploy("grafana/dashboards/dais.json")).expect("the dashboard is there");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let variables = [("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*")];
    let set = |text: &str| variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    targets.map(|target| set(target["expr"].as_str().expect("an expression"))).collect()
}

#[test]
fn a_real_prometheus_scrapes_a_run_and_the_dashboard_has_data_of_it() {
    if !is_there() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut run = Running::serving(place.path(), &["monitoring.enable_detailed_metrics=true", "logging.file=dais.log"]);
    let prometheus = Prometheus::start(&run.address());
    let all = expressions();
    let is_told = |expression: &String| !NOT_TOLD.iter().any(|name| expression.contains(name));
    let mut missing: Vec<String> = all.iter().filter(|expression| is_told(expression)).cloned().collect();
    assert_eq!(missing.len() + NOT_TOLD.len(), all.len());
    assert!(missing.len() > 40, "{}", missing.len());
    let began = std::time::Instant::now();
    while !missing.is_empty() {
        assert!(run.is_going_on(), "{}", run.said());
        assert!(began.elapsed() < super::PATIENCE, "no data for {missing:#?}\n{}", prometheus.ask("targets"));
        std::thread::sleep(std::time::Duration::from_millis(500));
        missing.retain(|expression| !prometheus.has_data(expression));
    }
    assert_eq!(prometheus.ask("targets")["data"]["activeTargets"][0]["health"], "up");
    let rules = wait_for("evaluated rules", || {
        let rules = prometheus.ask("rules");
        let groups = rules["data"]["groups"].as_array()?.clone();
        let all: Vec<Value> = groups.iter().filter_map(|group| group["rules"].as_array()).flatten().cloned().collect();
        all.iter().all(|rule| rule["health"] == "ok").then_some(all)
    });
    let firing: Vec<&Value> = rules.iter().filter(|rule| rule["state"] == "firing").collect();
    assert!(rules.len() > 10 && firing.is_empty(), "a run that is well alerts nobody: {firing:#?}");
}
