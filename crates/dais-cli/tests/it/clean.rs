//! `dais clean`, on real folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use crate::{SMALL, dais, printed, refusal, text};

/// Every file below a folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.symlink_metadata().expect("its kind").is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).expect("below it").display().to_string());
            }
        }
    }
    found.sort_unstable();
    found
}

fn write(path: &Path, days: u64) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, "content").expect("written");
    let time = SystemTime::now() - Duration::from_hours(24 * days);
    fs::File::options().write(true).open(path).expect("open").set_modified(time).expect("set back");
}

/// Standard output and standard error of a call that succeeds.
fn cleaned(folder: &Path, args: &[&str]) -> (String, String) {
    let Output { status, stdout, stderr } = dais(folder).arg("clean").args(args).output().expect("it starts");
    assert!(status.success(), "{}", text(&stderr));
    (text(&stdout), text(&stderr))
}

fn ended_process() -> u32 {
    let mut child = std::process::Command::new("true").spawn().expect("it starts");
    let process = child.id();
    child.wait().expect("it ends");
    process
}

#[test]
fn old_rotated_logs_go_and_everything_else_stays() {
    let place = tempfile::tempdir().unwrap();
    let logs = place.path().join("logs");
    for (name, days) in
        [("dais.log", 0), ("dais.log.1", 2), ("dais.log.2.gz", 40), ("dais.log.2026-01-02.gz", 90), ("other.log.1", 90)]
    {
        write(&logs.join(name), days);
    }
    let (shown, _) = cleaned(place.path(), &["--logs", "--older-than", "30d", "--dry-run"]);
    assert!(shown.contains("dais.log.2.gz") && shown.contains("40 days") && shown.contains("2 items"), "{shown}");
    assert_eq!(files(&logs).len(), 5, "nothing was removed");
    cleaned(place.path(), &["--logs", "--older-than", "30d", "--yes"]);
    assert_eq!(files(&logs), ["dais.log", "dais.log.1", "other.log.1"]);
    let (shown, _) = cleaned(place.path(), &["--logs", "--yes"]);
    assert!(shown.contains("left alone: logs/dais.log"), "{shown}");
    assert_eq!(files(&logs), ["dais.log", "other.log.1"]);
    let (shown, _) = cleaned(place.path(), &["--cache", "--runs", "--database", "--force"]);
    assert_eq!(shown, "Nothing to clean.\n");
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_removed() {
    let place = tempfile::tempdir().unwrap();
    write(&place.path().join("logs/dais.log.1"), 1);
    let output = dais(place.path()).args(["clean", "--logs"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--yes"), "{}", text(&output.stderr));
    assert_eq!(files(place.path()), ["logs/dais.log.1"]);
    assert!(refusal(dais(place.path()).arg("clean")).contains("--logs"));
}

#[test]
fn a_run_goes_without_its_ledger_and_its_ledger_after_a_backup() {
    let place = tempfile::tempdir().unwrap();
    printed(dais(place.path()).args(SMALL).args(["--seed", "3", "--out", "runs/a", "--quiet"]));
    let run = place.path().join("runs/a");
    let (shown, _) = cleaned(place.path(), &["--runs", "--yes"]);
    assert!(shown.contains("left alone: runs/a/ledger.db"), "{shown}");
    assert_eq!(files(&run), ["checkpoint", "ledger.db"]);
    printed(dais(place.path()).args(["verify", "runs/a"]));

    let refused = dais(place.path()).args(["clean", "--database", "--yes"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--force"), "{}", text(&refused.stderr));
    assert!(run.join("ledger.db").is_file());

    let (shown, told) = cleaned(place.path(), &["--database", "--force"]);
    assert!(shown.contains("ledger") && told.contains("saved and verified in backups/"), "{shown}{told}");
    assert!(!run.exists());
    let back = place.path().join("back.db");
    printed(dais(place.path()).args(["ledger", "restore", "backups", "--to"]).arg(&back));
    printed(dais(place.path()).args(["ledger", "verify"]).arg(&back));
}

#[test]
fn a_ledger_that_cannot_be_backed_up_keeps_everything() {
    let place = tempfile::tempdir().unwrap();
    write(&place.path().join("runs/a/ledger.db"), 1);
    write(&place.path().join("runs/b/summary.json"), 1);
    let output = dais(place.path()).args(["clean", "--runs", "--database", "--force"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nothing was removed"), "{}", text(&output.stderr));
    assert_eq!(files(&place.path().join("runs")), ["a/ledger.db", "b/summary.json"]);
}

#[test]
fn what_no_run_writes_and_what_a_process_is_at_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    let (dead, alive) = (ended_process(), std::process::id());
    let paths: Vec<PathBuf> = [
        "thesis/summary.json".to_owned(),
        "thesis/chapter1.tex".to_owned(),
        "nested/summary.json/notes".to_owned(),
        "notes.txt".to_owned(),
        "model/checkpoint".to_owned(),
        format!("b.unfinished-{alive}/summary.json"),
        "b/summary.json".to_owned(),
        format!("c.unfinished-{dead}/summary.json"),
        format!("d.unfinished-{dead}/ledger.db"),
        format!("e.json.unfinished-{dead}"),
        "f/summary.json".to_owned(),
    ]
    .into_iter()
    .map(|name| runs.join(name))
    .collect();
    for path in &paths {
        write(path, 50);
    }
    let (shown, _) = cleaned(place.path(), &["--runs", "--cache", "--older-than", "1d", "--yes"]);
    assert!(shown.contains("which no run writes") && shown.contains("a process is at it"), "{shown}");
    let mut stay = vec![
        format!("b.unfinished-{alive}/summary.json"),
        "b/summary.json".to_owned(),
        format!("d.unfinished-{dead}/ledger.db"),
        "model/checkpoint".to_owned(),
        "nested/summary.json/notes".to_owned(),
        "notes.txt".to_owned(),
        "thesis/chapter1.tex".to_owned(),
        "thesis/summary.json".to_owned(),
    ];
    stay.sort_unstable();
    assert_eq!(files(&runs), stay);
    assert!(!runs.join("f").exists() && !runs.join(format!("c.unfinished-{dead}")).exists());
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere() {
    use std::os::unix::fs::symlink;

    let place = tempfile::tempdir().unwrap();
    let precious = place.path().join("precious");
    write(&precious.join("summary.json"), 50);
    let runs = place.path().join("runs");
    write(&runs.join("a/report.html"), 50);
    symlink(precious.join("summary.json"), runs.join("a/summary.json")).unwrap();
    symlink(&precious, runs.join("b")).unwrap();
    symlink(&precious, runs.join(format!("c.unfinished-{}", ended_process()))).unwrap();
    let (shown, _) = cleaned(place.path(), &["--runs", "--cache", "--force"]);
    assert!(shown.contains("runs/b: it is a link"), "{shown}");
    assert_eq!(files(&precious), ["summary.json"]);
    assert_eq!(files(&runs).len(), 4, "{:?}", files(&runs));
}
