//! Folders and files: is what must be read readable, and what must be written writable?

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use dais_ledger::Location;

use super::finding::Finding;
use crate::doctor_args::DoctorArgs;
use crate::place;

pub(super) fn examine(args: &DoctorArgs) -> Vec<Finding> {
    vec![
        config(&args.config),
        writable("runs", &args.runs, "--out"),
        writable("logs", &args.logs, "another folder of logs"),
        ledger(args.ledger.as_deref()),
    ]
}

fn config(folder: &Path) -> Finding {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Ok(entries) => {
            let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
            let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_yaml).collect();
            files.sort_unstable();
            let unreadable = files.iter().find_map(|path| fs::File::open(path).err().map(|error| (path, error)));
            match unreadable {
                Some((path, error)) => {
                    let detail = format!("{} cannot be read: {error}", path.display());
                    Finding::problem("configuration", detail, format!("chmod u+r {}", path.display()))
                }
                None => Finding::ok("configuration", format!("{shown}: {} files can be read", files.len())),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok("configuration", format!("no folder {shown}: what is built in applies"))
        }
        Err(error) => {
            let detail = format!("{shown} cannot be read: {error}");
            Finding::problem("configuration", detail, format!("chmod u+rx {shown}, or name another with --config"))
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
        Ok(Location::Sqlite(file)) if file.is_file() => match OpenOptions::new().read(true).write(true).open(&file) {
            Ok(_) => writable(SUBJECT, file.parent().unwrap_or(Path::new("/")), "another place with --ledger"),
            Err(error) => {
                let detail = format!("{} cannot be written: {error}", file.display());
                Finding::problem(SUBJECT, detail, format!("chmod u+rw {}", file.display()))
            }
        },
        Ok(Location::Sqlite(file)) => {
            let folder = std::path::absolute(&file).unwrap_or(file);
            writable(SUBJECT, folder.parent().unwrap_or(Path::new("/")), "another place with --ledger")
        }
        Ok(location) => {
            let shown = place::shown_location(&location);
            Finding::ok(SUBJECT, format!("{shown}: `dais ledger stats` tells whether it can be reached"))
        }
        Err(error) => Finding::problem(SUBJECT, format!("{error:#}"), "correct --ledger or DAIS_LEDGER"),
    }
}
