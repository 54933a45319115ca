//! `dais doctor`.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::{dais, text};

/// The findings by subject, and the exit code.
fn examine(folder: &Path, args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    let mut args = args.to_vec();
    if !args.contains(&"--listen") {
        args.extend(["--listen", &free]);
    }
    told(folder, &args)
}

/// The same, of exactly these arguments.
fn told(folder: &Path, args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = dais(folder).args(["doctor", "--json"]).args(args).output().expect("it starts");
    let object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(object["ok"].as_bool(), Some(output.status.success()), "{object}");
    (output.status.code(), object["findings"].as_array().expect("a list").clone())
}

fn finding<'a>(findings: &'a [Value], subject: &str) -> &'a Value {
    findings.iter().find(|finding| finding["subject"] == subject).expect("the finding")
}

#[test]
fn a_sound_installation_has_no_problems_and_nothing_is_left_behind() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("runs")).unwrap();
    let (_, findings) = examine(place.path(), &["--logs", "logs"]);
    for subject in ["program", "processor", "configuration", "runs", "logs", "ledger", "disk", "memory", "clock"] {
        let verdict = &finding(&findings, subject)["verdict"];
        assert!(verdict == "ok" || verdict == "warning" || subject == "disk" || subject == "memory", "{findings:?}");
    }
    assert_eq!(finding(&findings, "runs")["detail"], "runs can be written");
    assert_eq!(finding(&findings, "logs")["detail"], "logs is not there yet and can be made");
    assert_eq!(std::fs::read_dir(place.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn what_will_not_work_is_a_problem_with_the_way_to_mend_it() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("runs"), "a file").unwrap();
    let (code, findings) = examine(place.path(), &["--ledger", "postgres://", "--listen", "192.0.2.1:9090"]);
    assert_eq!(code, Some(1));
    for subject in ["runs", "ledger", "port 9090"] {
        let finding = finding(&findings, subject);
        assert_eq!(finding["verdict"], "problem", "{finding}");
        assert!(finding["mend"].as_str().unwrap().len() > 10, "{finding}");
    }
}

#[test]
fn a_port_that_is_taken_is_a_warning() {
    let place = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (_, findings) = examine(place.path(), &["--listen", &address.to_string()]);
    let finding = finding(&findings, &format!("port {}", address.port()));
    assert_eq!(finding["verdict"], "warning");
    assert!(finding["mend"].as_str().unwrap().contains("dais health"), "{finding}");
}

#[test]
fn in_text_each_finding_is_a_line_and_its_mending_the_next() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("logs"), "a file").unwrap();
    let output = dais(place.path()).args(["doctor", "--logs", "logs"]).output().unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let place = lines.iter().position(|line| line.contains("problem") && line.contains("logs")).unwrap();
    assert!(lines[place + 1].trim_start().starts_with('→'), "{shown}");
    assert!(lines.last().unwrap().contains("1 problem"), "{shown}");
}

#[test]
fn every_problem_of_the_configuration_is_a_finding_with_its_place() {
    let place = tempfile::tempdir().unwrap();
    let wrong = "simulation:\n  anomaly_rate: 1.5\n  defualt_agents: 50\n";
    std::fs::write(place.path().join("wrong.yaml"), wrong).unwrap();
    let (code, findings) = told(place.path(), &["--config", "wrong.yaml"]);
    assert_eq!(code, Some(1));
    let of_file: Vec<&Value> = findings.iter().filter(|finding| finding["subject"] == "configuration").collect();
    let [rate, unknown] = of_file[..] else { panic!("{of_file:?}") };
    assert!(rate["detail"].as_str().unwrap().starts_with("wrong.yaml:2:17: "), "{rate}");
    assert!(unknown["detail"].as_str().unwrap().starts_with("wrong.yaml:3:3: "), "{unknown}");
    assert_eq!(unknown["mend"], "did you mean `simulation.default_agents`?");
}

#[test]
fn a_retired_key_is_a_warning_with_what_to_do_in_its_place() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("old.yaml"), "logging:\n  enable_remote: true\n").unwrap();
    let (_, findings) = told(place.path(), &["--config", "old.yaml"]);
    let warned = findings.iter().find(|one| one["subject"] == "configuration" && one["verdict"] == "warning");
    let warned = warned.unwrap();
    assert!(warned["detail"].as_str().unwrap().contains("logging.enable_remote"), "{warned}");
    assert!(warned["mend"].as_str().unwrap().len() > 10, "{warned}");
}

#[test]
fn what_the_configuration_names_is_looked_at() {
    let place = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = format!(
        "monitoring: {{enable_prometheus: true, metrics_port: {port}}}\nlogging: {{file: of_log/dais.log}}\n\
         database: {{path: of_ledger/ledger.db}}\n"
    );
    std::fs::write(place.path().join("my.yaml"), settings).unwrap();
    std::fs::write(place.path().join("of_log"), "a file").unwrap();
    std::fs::write(place.path().join("of_ledger"), "a file").unwrap();
    let (code, findings) = told(place.path(), &["--config", "my.yaml"]);
    assert_eq!(code, Some(1));
    for subject in ["logs", "ledger"] {
        assert_eq!(finding(&findings, subject)["verdict"], "problem", "{findings:?}");
    }
    assert_eq!(finding(&findings, &format!("port {port}"))["verdict"], "warning");
}
