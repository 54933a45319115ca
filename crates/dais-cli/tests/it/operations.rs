//! Runs as their operator meets them: what they log, serve, trace and report while they go on.
#![cfg(unix)]

mod alerts;
mod listener;
mod logs;
mod metrics;
mod prometheus;
mod reload;
mod start;
mod traces;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(2);

/// A run that takes a second, with signatures in it.
const SHORT: [&str; 10] = [
    "run",
    "--agents",
    "12",
    "--steps",
    "40",
    "--seed",
    "7",
    "--set",
    "traffic.synthetic.flows_per_step=40",
    "--quiet",
];

/// The same for so long that no test sees its end.
const LONG: [&str; 12] = [
    "run",
    "--agents",
    "12",
    "--steps",
    "100000",
    "--seed",
    "7",
    "--set",
    "traffic.synthetic.flows_per_step=40",
    "--quiet",
    "--worlds",
    "collaborative",
];

/// What `found` finds, as soon as it does.
fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A run in its folder `x`, killed when it is dropped.
struct Running {
    child: Child,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    /// Starts it with these keys of the configuration.
    fn start(folder: &Path, args: &[&str], configure: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
        command.current_dir(folder).args(args).args(["--out", "x"]).env_remove("DAIS_LEDGER");
        command.args(configure.iter().flat_map(|setting| ["--configure", setting]));
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        Self { child, folder: folder.to_owned() }
    }

    /// One that goes on and serves metrics and health.
    fn serving(folder: &Path, configure: &[&str]) -> Self {
        let port = format!("monitoring.metrics_port={}", free_port());
        Self::start(folder, &LONG, &[&["monitoring.enable_prometheus=true", &port], configure].concat())
    }

    /// Its unfinished folder.
    fn staging(&self) -> Option<PathBuf> {
        let mut entries = fs::read_dir(&self.folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("x.unfinished-")))
    }

    /// Where it serves metrics and health, as `host:port`.
    fn address(&mut self) -> String {
        wait_for("endpoint", || {
            assert!(self.is_going_on(), "{}", self.said());
            let url = fs::read_to_string(self.staging()?.join("endpoint")).ok()?;
            Some(url.trim().strip_prefix("http://").expect("a URL").to_owned())
        })
    }

    fn is_going_on(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Its end.
    fn end(&mut self) -> ExitStatus {
        wait_for("end of the run", || self.child.try_wait().expect("a child"))
    }

    /// What it said on standard error, to its end.
    fn said(&mut self) -> String {
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        said
    }
}

/// What a server answers.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Asks a server for `path`, with `accept` where that is not empty.
fn get(address: &str, path: &str, accept: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{accept}\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// The value of a series in Prometheus' text, summed over its labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    let values: Vec<f64> =
        metrics.lines().filter(of_name).filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}
