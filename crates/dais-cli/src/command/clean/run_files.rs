//! Folders of runs, and what was not finished beside them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::alive::is_alive;
use super::item::{Found, Kind, Survey};
use crate::args::clean::CleanArgs;
use dais_runs::{CHECKPOINT, FILES, LEDGER, LEDGER_LOCATION, REPORT, SCENARIO, SPLIT_VIEW, SUMMARY};

/// The ledger with the files that belong to it while it is open.
const LEDGER_FILES: [&str; 3] = [LEDGER, "ledger.db-wal", "ledger.db-shm"];

/// What is needed to verify a ledger, and stays as long as it does.
const PROOFS: [&str; 2] = [CHECKPOINT, SPLIT_VIEW];

/// Files of which a folder must hold one to count as a run: other names may stand for anything.
const MARKS: [&str; 5] = [SUMMARY, REPORT, SCENARIO, LEDGER, LEDGER_LOCATION];

pub(super) fn look(args: &CleanArgs, survey: &mut Survey) -> anyhow::Result<()> {
    let entries = match fs::read_dir(&args.runs_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| args.runs_dir.display().to_string()),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        match dais_runs::unfinished(name) {
            Some((_, process)) if args.cache => unfinished(&path, process, metadata.is_dir(), args, survey),
            None if metadata.is_dir() => run(&path, args, survey),
            None if metadata.is_symlink() && args.runs => {
                survey.leave(&path, "it is a link, and links are not followed");
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a process did not finish; it goes when that is gone.
fn unfinished(path: &Path, process: u32, is_folder: bool, args: &CleanArgs, survey: &mut Survey) {
    if dais_runs::is_in_use(path).unwrap_or_else(|| is_alive(process)) {
        survey.leave(path, "a process is at it");
        return;
    }
    if !is_folder {
        // A link that has such a name is not one of ours.
        if let Some(file) = Found::at(path).filter(|file| survey.is_old(file.modified)) {
            survey.add(Kind::Leftover, path, &[&file], None);
        }
        return;
    }
    let files = match recognised(path) {
        Ok(files) => files,
        Err(foreign) => return survey.leave(path, foreign),
    };
    if !is_old(&files, survey) {
        return;
    }
    let (ledger, rest): (Vec<&Found>, Vec<&Found>) =
        files.iter().partition(|file| LEDGER_FILES.contains(&file.name.as_str()));
    if !ledger.is_empty() && !args.database {
        survey.leave(path, "it holds the ledger of a run that was broken off: `dais resume` goes on with it, --database --force removes it too");
        return;
    }
    add_ledger(path, &ledger, survey);
    survey.add(Kind::Leftover, path, &rest, Some(path));
}

fn run(path: &Path, args: &CleanArgs, survey: &mut Survey) {
    if !(args.runs || args.database) {
        return;
    }
    let files = match recognised(path) {
        Ok(files) => files,
        Err(foreign) => return survey.leave(path, foreign),
    };
    if !is_old(&files, survey) {
        return;
    }
    if !files.iter().any(|file| MARKS.contains(&file.name.as_str())) {
        survey.leave(path, "nothing in it tells that it is a run");
        return;
    }
    if dais_runs::unfinished_of(path).iter().any(|other| is_under_way(other)) {
        survey.leave(path, "a process is about to replace it");
        return;
    }
    let (ledger, rest): (Vec<&Found>, Vec<&Found>) =
        files.iter().partition(|file| LEDGER_FILES.contains(&file.name.as_str()));
    if args.database {
        // Proofs without a ledger and without a run are of no use.
        let bare = !args.runs && rest.iter().all(|file| PROOFS.contains(&file.name.as_str()));
        let with_proofs: Vec<&Found> = ledger.iter().chain(rest.iter().filter(|_| bare)).copied().collect();
        add_ledger(path, &with_proofs, survey);
    }
    if args.runs {
        let stays = |file: &&Found| !ledger.is_empty() && !args.database && PROOFS.contains(&file.name.as_str());
        let rest: Vec<&Found> = rest.into_iter().filter(|file| !stays(file)).collect();
        survey.add(Kind::Run, path, &rest, Some(path));
        if !ledger.is_empty() && !args.database {
            survey.leave(&path.join(LEDGER), "ledgers go with --database --force, after a backup");
        }
    }
}

/// Whether a process is at work in an unfinished folder.
fn is_under_way(path: &Path) -> bool {
    let maker = || dais_runs::unfinished(path.file_name()?.to_str()?).map(|(_, process)| process);
    dais_runs::is_in_use(path).unwrap_or_else(|| maker().is_some_and(is_alive))
}

fn add_ledger(folder: &Path, files: &[&Found], survey: &mut Survey) {
    if files.iter().any(|file| file.name == LEDGER) {
        survey.add(Kind::Ledger, &folder.join(LEDGER), files, Some(folder));
    }
}

/// Whether there is something, and the newest of it is old enough.
fn is_old(files: &[Found], survey: &Survey) -> bool {
    files.iter().map(|file| file.modified).max().is_some_and(|newest| survey.is_old(newest))
}

/// The files of a run's folder; the reason to leave it alone where something else is in it.
fn recognised(folder: &Path) -> Result<Vec<Found>, String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let target = dais_runs::unfinished(&shown).map_or(shown.as_str(), |(target, _)| target);
        let known = FILES.contains(&target).then(|| Found::at(&path)).flatten();
        files.push(known.ok_or_else(|| format!("it holds `{shown}`, which no run writes"))?);
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
