//! Folders and files: is what must be read readable, and what must be written writable?

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use dais_config::Config;
use dais_ledger::Location;
use dais_runs::folder_of;

use super::finding::Finding;
use crate::args::doctor::DoctorArgs;
use crate::place;
use crate::run::setting;

pub(super) fn examine(args: &DoctorArgs, config: &Config) -> Vec<Finding> {
    let mut findings = vec![writable("runs", &args.runs, "another folder with --out"), logs(args, config)];
    let alerting = &config.monitoring.alerting;
    if alerting.is_active() {
        let mut folders = vec![folder_of(&alerting.silence_file), folder_of(&alerting.delivery.dead_letter_file)];
        folders.dedup();
        findings.extend(folders.iter().map(|folder| writable("alerts", folder, "another in `monitoring.alerting`")));
    }
    // Each run has a schema of its own there, which is named when it begins.
    let ledger = args.ledger.clone().or_else(|| setting::ledger(config, "name"));
    findings.push(self::ledger(ledger.as_deref()));
    findings
}

fn logs(args: &DoctorArgs, config: &Config) -> Finding {
    const SUBJECT: &str = "logs";
    match (&args.logs, &config.logging.file) {
        (Some(folder), _) => writable(SUBJECT, folder, "another folder"),
        (None, Some(file)) if file.is_file() => file_writable(SUBJECT, file, "another file with `logging.file`"),
        (None, Some(file)) => writable(SUBJECT, folder_of(file), "another file with `logging.file`"),
        (None, None) => Finding::ok(SUBJECT, "not kept in a file: `logging.file` is not set"),
    }
}

/// A file that is there, and beside which others are made.
fn file_writable(subject: &str, file: &Path, other: &str) -> Finding {
    match OpenOptions::new().append(true).open(file) {
        Ok(_) => writable(subject, folder_of(file), other),
        Err(error) => {
            let detail = format!("{} cannot be written: {error}", file.display());
            Finding::problem(subject, detail, format!("chmod u+rw {}, or choose {other}", file.display()))
        }
    }
}

/// A file is really written: permissions alone do not tell of read-only file systems and quotas.
fn writable(subject: &str, folder: &Path, other: &str) -> Finding {
    let shown = folder.display();
    let (place, made) = match nearest(folder) {
        Ok(place) => place,
        Err(error) => {
            let detail = format!("{shown} cannot be looked at: {error}");
            return Finding::problem(subject, detail, format!("check the path, or choose {other}"));
        }
    };
    match try_file(&place) {
        Ok(()) if made => Finding::ok(subject, format!("{shown} is not there yet and can be made")),
        Ok(()) => Finding::ok(subject, format!("{shown} can be written")),
        Err(error) => {
            let detail = format!("{} cannot be written: {error}", place.display());
            Finding::problem(subject, detail, format!("chmod u+rwx {}, or choose {other}", place.display()))
        }
    }
}

/// The folder, or the nearest one above it that exists, and whether it is such a one.
fn nearest(folder: &Path) -> io::Result<(PathBuf, bool)> {
    let absolute = std::path::absolute(folder)?;
    for (above, place) in absolute.ancestors().enumerate() {
        match fs::metadata(place) {
            Ok(metadata) if metadata.is_dir() => return Ok((place.to_owned(), above > 0)),
            Ok(_) => return Err(io::Error::other(format!("{} is a file", place.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn try_file(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".dais-doctor-{}", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|file| file.sync_all());
    match fs::remove_file(&path) {
        Err(error) if written.is_ok() => Err(error),
        _ => written,
    }
}

fn ledger(named: Option<&str>) -> Finding {
    const SUBJECT: &str = "ledger";
    let Some(named) = named else { return Finding::ok(SUBJECT, "kept in the folder of each run") };
    match place::location(named) {
        Ok(Location::Sqlite(file)) if file.is_file() => file_writable(SUBJECT, &file, "another place with --ledger"),
        Ok(Location::Sqlite(file)) => writable(SUBJECT, folder_of(&file), "another place with --ledger"),
        Ok(location) => {
            let shown = place::shown_location(&location);
            Finding::ok(SUBJECT, format!("{shown}: `dais ledger stats` tells whether it can be reached"))
        }
        Err(error) => Finding::problem(SUBJECT, format!("{error:#}"), "correct --ledger or DAIS_LEDGER"),
    }
}
