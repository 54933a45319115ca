//! Reading a log back.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::{dais, json, printed, refusal, text};

/// An hour of a run: steps, a slow disk, and refused entries.
fn log() -> String {
    let mut lines = Vec::new();
    for second in 0..120_u32 {
        let at = format!("2026-11-21T08:{:02}:{:02}.000000Z", second / 60, second % 60);
        let time = 10 + second % 10;
        let fields = format!("phase=vote duration_ms={time} run=demo-7 step={second}");
        lines.push(format!("{at} INFO    dais_sim::world: phase done  {fields}"));
        if second % 40 == 0 {
            lines.push(format!("{at} ERROR   dais_ledger::writer: entry {second} of \"a{second}.db\" refused"));
        }
    }
    lines.push("2026-11-21T08:30:00.000000Z WARNING dais_cli: late  step=120".to_owned());
    lines.push("not a line of a log\n".to_owned());
    lines.join("\n")
}

/// The log in a folder, the first half rotated and compressed.
fn written(folder: &Path) {
    let log = log();
    let half = log.len() / 2 + log[log.len() / 2..].find('\n').expect("lines") + 1;
    fs::write(folder.join("dais.log"), &log[half..]).expect("written");
    let packed = fs::File::create(folder.join("dais.log.1.gz")).expect("created");
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
    packed.write_all(&log.as_bytes()[..half]).expect("packed");
    packed.finish().expect("finished");
}

#[test]
fn a_log_is_told_with_what_it_was_rotated_to() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let shown = printed(dais(folder.path()).args(["logs", "dais.log"]));
    let expected = "\
124 lines in 2 files, 2026-11-21 08:00:00 to 2026-11-21 08:30:00
1 line could not be read

Levels
  error       3
  warning     1
  info      120

Errors and warnings by cause
        3   error     dais_ledger::writer   entry # of \"…\" refused   2026-11-21 08:00:00 to 2026-11-21 08:01:20
        1   warning   dais_cli              late                     2026-11-21 08:30:00

Phases, ms
         count    p50    p95    max   in all
  vote     120   14.5   19.0   19.0   1740.0

Lines by minute
  2026-11-21 08:00        62   ████████████████████████████████████████  2 errors
  2026-11-21 08:01        61   ████████████████████████████████████████  1 error
  2026-11-21 08:30         1   █

Silences
  28m 1s   from 2026-11-21 08:01:59 to 2026-11-21 08:30:00
";
    assert_eq!(shown, expected);
}

#[test]
fn a_log_is_told_as_json_from_standard_input_and_from_a_time_on() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["logs", "-", "--json", "--since", "2026-11-21T08:01:00Z"];
    let found = json(dais(folder.path()).args(arguments).write_stdin(log()));
    let counts = ["lines", "earlier", "unreadable"].map(|name| found[name].as_u64());
    assert_eq!(counts, [Some(62), Some(62), Some(1)]);
    assert_eq!(found["causes"][0]["cause"], "entry # of \"…\" refused");
    assert_eq!(found["causes"][0]["first"], "2026-11-21T08:01:20Z");
    assert_eq!(found["gaps"][0]["seconds"], 1681.0);
    let late = json(dais(folder.path()).args(["logs", "-", "--json", "--since", "1s"]).write_stdin(log()));
    assert_eq!(late["lines"], 0);
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let packed = folder.path().join("dais.log.1.gz");
    let bytes = fs::read(&packed).unwrap();
    fs::write(&packed, &bytes[..bytes.len() - 20]).unwrap();
    let output = dais(folder.path()).args(["logs", "dais.log"]).output().unwrap();
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("dais.log.1.gz could not be read to its end"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(" lines in 2 files"), "{}", text(&output.stdout));
}

#[test]
fn what_is_no_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = refusal(dais(folder.path()).args(["logs", "absent.log"]));
    assert!(absent.contains("there is no log at absent.log"), "{absent}");
    fs::write(folder.path().join("other.txt"), "one\ntwo\n").unwrap();
    let other = refusal(dais(folder.path()).args(["logs", "other.txt"]));
    assert!(other.contains("2 lines and none of a log of dais"), "{other}");
    let since = refusal(dais(folder.path()).args(["logs", "other.txt", "--since", "soon"]));
    assert!(since.contains("30m, 1h or 2d"), "{since}");
}

#[test]
fn without_a_file_the_log_of_the_configuration_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let none = refusal(dais(folder.path()).arg("logs"));
    assert!(none.contains("dais logs FILE") && none.contains("logging.file"), "{none}");
    written(folder.path());
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(folder.path().join("config/local.yaml"), "logging: {file: dais.log}\n").unwrap();
    assert!(printed(dais(folder.path()).arg("logs")).starts_with("124 lines in 2 files"));
    let other = refusal(dais(folder.path()).args(["logs", "--configure", "logging.file=absent.log"]));
    assert!(other.contains("there is no log at absent.log"), "{other}");
}
