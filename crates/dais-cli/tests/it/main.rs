//! The binary `dais` as its users meet it.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests, which fail by panicking and say what they skip")]

mod alert;
mod bad_input;
mod clean;
mod config;
mod determinism;
mod doctor;
mod eval;
mod explain;
mod flows;
mod found;
mod health;
mod ledger;
mod ledger_backup;
mod ledger_export;
mod ledger_proof;
mod ledger_signal;
#[cfg(feature = "s3")]
mod ledger_store;
mod logs;
mod operations;
mod place;
mod resume;
mod run;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod servers;
mod signal;
#[cfg(feature = "s3")]
mod store_server;
mod sweep;
#[cfg(target_os = "linux")]
mod systemd;
mod verify;
mod watch;
mod witness;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// The binary, in a folder of its own.
fn dais(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.current_dir(folder).env_remove("NO_COLOR").env_remove("DAIS_LEDGER");
    command
}

/// The smallest run that has campaigns in it.
const SMALL: [&str; 7] = ["run", "--agents", "8", "--steps", "10", "--set", "traffic.synthetic.flows_per_step=30"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// What a successful call printed on standard output.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The one JSON object that a successful call printed.
fn json(command: &mut Command) -> Value {
    serde_json::from_str(&printed(command)).expect("one JSON object and nothing else")
}

/// The message of a call that must be refused as wrong usage or input.
fn refusal(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let message = text(&stderr);
    assert_eq!(status.code(), Some(2), "{message}");
    assert!(!message.contains("panicked") && !message.contains("RUST_BACKTRACE"), "{message}");
    assert!(message.starts_with("error: "), "{message}");
    assert_eq!(text(&stdout), "", "nothing but the message");
    message
}

/// Real data of the development set; `None`, said loudly, where it is not there and need not be.
fn data(names: &[&str]) -> Option<Vec<PathBuf>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("DAIS_DATA").map_or_else(beside, PathBuf::from);
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    if paths.iter().all(|path| path.is_file()) {
        return Some(paths);
    }
    assert!(std::env::var_os("CI").is_none(), "the data sets must be there in CI: {}", folder.display());
    eprintln!("SKIPPED: no data sets at {}; DAIS_DATA says where they are", folder.display());
    None
}

/// A labelled table with ordinary traffic and three attack families, deterministic.
fn table() -> String {
    let mut rows = String::from("seconds,bytes,service,label\n");
    for row in 0_u32..900 {
        let noise = row.wrapping_mul(2_654_435_761) >> 16 & 0xff;
        let (seconds, bytes, service, label) = match row % 9 {
            6 => (90 + noise % 5, 20 + noise, "ssh", "guess"),
            7 => (0, 0, "http", "scan"),
            8 => (1, 90_000 + noise, "dns", "tunnel"),
            at => (1 + noise % 9, 300 + noise * at, ["http", "dns", "smtp"][at as usize % 3], "normal"),
        };
        writeln!(rows, "{seconds}.{:02},{bytes},{service},{label}", noise % 100).unwrap();
    }
    rows
}
