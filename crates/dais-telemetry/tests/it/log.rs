//! Logs in real files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dais_telemetry::log::analysis::Analysis;
use dais_telemetry::log::{Console, Format, Level, LogGuard, LogParams, prepare};
use serde_json::Value;
use tracing::{Dispatch, debug, error, error_span, info, info_span, trace, warn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// A console that a test can read.
#[derive(Clone, Debug, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panics while it writes").clone()).expect("lines are text")
    }

    fn console(&self) -> Console {
        let own = self.clone();
        Console { writer: BoxMakeWriter::new(move || own.clone()), colours: false }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while it writes").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn json(file: &Path) -> LogParams {
    LogParams { file: Some(file.to_owned()), format: Format::Json, enable_console: false, ..LogParams::default() }
}

fn started(params: &LogParams) -> (Dispatch, LogGuard) {
    prepare(params, Screen::default().console()).expect("the parameters are sound")
}

fn objects(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("the log is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

/// Texts of the log and of all files it was rotated to.
fn whole(file: &Path) -> String {
    let folder = file.parent().expect("logs are in a folder");
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let mut file = fs::File::open(&path).expect("a log can be read");
        if path.extension().is_some_and(|ending| ending == "gz") {
            flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("sound gzip");
        } else {
            file.read_to_string(&mut text).expect("text");
        }
    }
    text
}

#[test]
fn lines_of_many_threads_all_arrive_through_rotation_and_compression() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let params = LogParams { max_bytes: 200_000, backup_count: 1000, flood_per_second: 0, ..json(&file) };
    let (dispatch, guard) = started(&params);
    std::thread::scope(|scope| {
        for thread in 0..8_u32 {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || (0..3000_u32).for_each(|n| info!(thread, n, "a line")));
            });
        }
    });
    assert!(guard.flush());
    let counts = guard.counts();
    drop((dispatch, guard));
    assert_eq!((counts.written, counts.dropped, counts.failed), (24_000, 0, 0));
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    for line in whole(&file).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *seen.entry(line["thread"].as_u64().unwrap()).or_default() += 1;
    }
    assert_eq!(seen, (0..8).map(|thread| (thread, 3000)).collect());
    assert!(fs::read_dir(folder.path()).unwrap().count() > 10, "it was rotated");
}

#[test]
fn a_line_carries_the_fields_of_the_spans_around_it_and_its_own_stand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let (dispatch, guard) = started(&json(&file));
    tracing::dispatcher::with_default(&dispatch, || {
        let run = info_span!("run", run = "baseline-7", world = "isolated", step = tracing::field::Empty).entered();
        run.record("step", 3_u32);
        let _agent = error_span!("agent", agent = 12_u32, phase = "observe").entered();
        warn!(phase = "vote", duration_ms = 1.5, error = %io::Error::other("no room"), "late");
    });
    drop(guard);
    let lines = objects(&file);
    assert_eq!(lines.len(), 1);
    let line = lines[0].as_object().unwrap();
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.len() == "2026-11-21T23:10:05.123456Z".len() && time.ends_with('Z'), "{time}");
    let expected = serde_json::json!({
        "timestamp": time, "level": "warning", "target": "it::log", "message": "late", "phase": "vote",
        "duration_ms": 1.5, "error": "no room", "agent": 12, "run": "baseline-7", "world": "isolated", "step": 3,
    });
    assert_eq!(lines[0], expected);
}

#[test]
fn an_error_tells_its_step_even_where_only_errors_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let (dispatch, guard) = started(&LogParams { level: Level::Error, ..json(&file) });
    tracing::dispatcher::with_default(&dispatch, || {
        let _step = info_span!("step", step = 3_u32).entered();
        let _detail = tracing::debug_span!("detail", detail = 1_u32).entered();
        info!("unwanted");
        error!("wanted");
    });
    drop(guard);
    let lines = objects(&file);
    assert_eq!((lines.len(), lines[0]["step"].as_u64()), (1, Some(3)));
    assert!(lines[0].get("detail").is_none());
}

#[test]
fn levels_change_while_the_program_runs_and_a_module_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let mut params = json(&file);
    let (dispatch, guard) = started(&params);
    let all = || {
        trace!("trace");
        debug!("debug");
        info!(target: "dais_ledger::writer", "ledger");
        error!("error");
    };
    tracing::dispatcher::with_default(&dispatch, || {
        all();
        params.level = Level::Error;
        params.modules = BTreeMap::from([("it".to_owned(), Level::Trace)]);
        guard.set_levels(&params).unwrap();
        all();
        params.modules = BTreeMap::from([("no module".to_owned(), Level::Trace)]);
        assert!(guard.set_levels(&params).unwrap_err().to_string().contains("modules.no module"));
        all();
    });
    drop(guard);
    let lines = objects(&file);
    let said: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(said, ["ledger", "error", "trace", "debug", "error", "trace", "debug", "error"]);
}

#[test]
fn fields_of_a_line_that_nobody_wants_are_not_computed() {
    let folder = tempfile::tempdir().unwrap();
    let computed = AtomicU32::new(0);
    let value = || computed.fetch_add(1, Ordering::Relaxed);
    let (dispatch, guard) = started(&json(&folder.path().join("run.log")));
    tracing::dispatcher::with_default(&dispatch, || {
        debug!(value = value(), "unwanted");
        assert_eq!(computed.load(Ordering::Relaxed), 0);
        info!(value = value(), "wanted");
        assert_eq!(computed.load(Ordering::Relaxed), 1);
    });
    drop(guard);
}

#[test]
fn a_flood_is_thinned_and_says_how_much_was_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let (dispatch, guard) = started(&LogParams { flood_per_second: 10, ..json(&file) });
    tracing::dispatcher::with_default(&dispatch, || {
        (0..50_000_u32).for_each(|n| error!(n, "disk {n} is gone"));
        info!("another place");
    });
    drop(guard);
    let lines = objects(&file);
    let left_out: u64 = lines.iter().filter_map(|line| line["left_out"].as_u64()).sum();
    let errors = lines.iter().filter(|line| line["n"].is_u64()).count() as u64;
    assert_eq!(errors + left_out, 50_000, "every line is logged or counted");
    assert!((10..50_000).contains(&errors), "{errors}");
    let example = lines.iter().find(|line| line["left_out"].is_u64()).unwrap();
    let message = example["message"].as_str().unwrap();
    assert!(message.starts_with("… ") && message.contains("more like this left out: disk "), "{message}");
    assert_eq!(example["level"], "error");
    assert!(lines.iter().any(|line| line["message"] == "another place"));
}

#[test]
fn the_console_shows_text_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let screen = Screen::default();
    let (dispatch, guard) = prepare(&LogParams { enable_console: true, ..json(&file) }, screen.console()).unwrap();
    tracing::dispatcher::with_default(&dispatch, || warn!(step = 4, "slow step"));
    drop(guard);
    assert!(screen.text().ends_with(" WARNING it::log: slow step  step=4\n"), "{}", screen.text());
    assert_eq!(objects(&file).len(), 1);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let refused = prepare(&json(folder.path()), Screen::default().console()).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("cannot be opened") && text.contains(&folder.path().display().to_string()), "{text}");
    let params = LogParams { max_bytes: 1, ..LogParams::default() };
    let refused = prepare(&params, Screen::default().console()).unwrap_err();
    assert_eq!(refused.to_string(), "log setting `max_bytes`: 1 is less than 4096 bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_nothing_and_is_said_once() {
    let screen = Screen::default();
    let params = LogParams { enable_console: true, level: Level::Info, ..json(Path::new("/dev/full")) };
    let (dispatch, guard) = prepare(&params, screen.console()).unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..100_u32 {
            info!(n, "a line");
            assert!(guard.flush());
        }
    });
    assert_eq!((guard.counts().written, guard.counts().failed), (0, 100));
    drop(guard);
    let text = screen.text();
    assert_eq!(text.matches("lines are lost").count(), 1, "{text}");
    assert!(text.contains("No space left on device"), "{text}");
    assert!(text.ends_with("0 log lines dropped in a flood, 100 not written\n"), "{text}");
    assert_eq!(text.matches("a line").count(), 100);
}

#[cfg(unix)]
#[test]
fn a_file_that_takes_no_lines_stalls_nobody_and_what_is_dropped_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Somebody holds the pipe open and never reads.
    let reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let screen = Screen::default();
    let (dispatch, guard) = prepare(&LogParams { flood_per_second: 0, ..json(&pipe) }, screen.console()).unwrap();
    tracing::dispatcher::with_default(&dispatch, || (0..100_000_u32).for_each(|n| info!(n, "a line")));
    assert!(guard.counts().dropped > 0);
    drop((dispatch, guard, reader));
}

#[test]
fn a_log_is_read_back_with_all_it_was_rotated_to_and_past_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.log");
    let params =
        LogParams { max_bytes: 4096, backup_count: 100, flood_per_second: 0, format: Format::Text, ..json(&file) };
    let (dispatch, guard) = started(&params);
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..500_u32 {
            info!(phase = "observe", duration_ms = f64::from(n), "phase done");
        }
        error!(error = %io::Error::other("disk 7 is full"), "append failed");
    });
    drop(guard);
    let files = dais_telemetry::log::family(&file).unwrap();
    assert!(files.len() > 5 && *files.last().unwrap() == file, "{files:?}");
    let mut analysis = Analysis::default();
    for path in &files {
        analysis.read(dais_telemetry::log::open(path).unwrap()).unwrap();
    }
    let report = analysis.report();
    assert_eq!((report.lines, report.unreadable, report.phases[0].count), (501, 0, 500));
    assert_eq!(report.phases[0].p50_ms.to_bits(), 249.5_f64.to_bits());
    assert_eq!(report.causes[0].cause, "append failed: disk # is full");

    let packed = &files[1];
    let bytes = fs::read(packed).unwrap();
    fs::write(packed, &bytes[..bytes.len() / 2]).unwrap();
    let mut analysis = Analysis::default();
    let refused: Vec<_> =
        files.iter().filter(|path| analysis.read(dais_telemetry::log::open(path).unwrap()).is_err()).collect();
    assert_eq!(refused, [packed]);
    assert!((400..501).contains(&analysis.report().lines), "{}", analysis.report().lines);
}

#[test]
fn files_that_other_programs_rotated_come_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let line = |day: u32| format!("2026-11-{day:02}T00:00:00Z INFO    a: day {day}\n");
    let names = ["a.log", "a.log.1", "a.log.2", "a.log.10", "a.log.2026-11-01", "a.log.old", "b.log"];
    for (name, day) in names.iter().zip([9, 8, 7, 2, 1, 1, 1]) {
        fs::write(folder.path().join(name), line(day)).unwrap();
    }
    let found = dais_telemetry::log::family(&folder.path().join("a.log")).unwrap();
    let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(found, ["a.log.2026-11-01", "a.log.10", "a.log.2", "a.log.1", "a.log"]);
    assert!(dais_telemetry::log::family(&folder.path().join("c.log")).is_err());
}
