//! The units of `deploy/systemd`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dais;

const INSTALLED: &str = "/usr/local/bin/dais";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd")
}

fn units(kind: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).unwrap().map(|found| found.unwrap().path());
    files.filter(|path| path.extension() == Some(OsStr::new(kind))).collect()
}

#[test]
fn every_service_calls_a_command_that_exists_with_settings_that_do() {
    let settings = fs::read_to_string(folder().join("ledger-backup.env")).unwrap();
    let settings: BTreeMap<&str, &str> =
        settings.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    assert_eq!(units("service").len(), 2);
    for unit in units("service") {
        let text = fs::read_to_string(&unit).unwrap();
        let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let mut words = command.split(' ');
        assert_eq!(words.next(), Some(INSTALLED));
        let words = words.map(|word| match word.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
            Some(name) => settings[name],
            None => word,
        });
        // Whatever comes before it is read first.
        dais(Path::new(".")).args(words).arg("--help").assert().success();
        assert!(unit.with_extension("timer").is_file(), "a clock runs it");
    }
}

#[test]
fn systemd_takes_every_unit() {
    let verifier = Path::new("/usr/bin/systemd-analyze");
    if !verifier.is_file() {
        eprintln!("SKIPPED: no systemd-analyze on this machine");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for unit in units("service").into_iter().chain(units("timer")) {
        let text = fs::read_to_string(&unit).unwrap().replace(INSTALLED, env!("CARGO_BIN_EXE_dais"));
        files.push(place.path().join(unit.file_name().unwrap()));
        fs::write(files.last().unwrap(), text).unwrap();
    }
    assert_eq!(files.len(), 4);
    let output = Command::new(verifier).arg("verify").args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("dais-ledger")).collect();
    assert!(output.status.success() && about_ours.is_empty(), "{said}");
}
