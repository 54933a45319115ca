//! The files of a run, finished or not, by their names.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The figures of a run.
pub const SUMMARY: &str = "summary.json";
/// The report of a run.
pub const REPORT: &str = "report.html";
/// The ledger of a run, where it is kept in the run's folder.
pub const LEDGER: &str = dais_lab::LEDGER_FILE;
/// Where the ledger of a run is, where it is kept elsewhere.
pub const LEDGER_LOCATION: &str = dais_lab::LEDGER_LOCATION_FILE;
/// The scenario of a run, complete.
pub const SCENARIO: &str = "scenario.yaml";
/// The last head with its witnesses' cosignatures.
pub const CHECKPOINT: &str = "checkpoint";
/// As [`dais_ledger::SplitView::path_beside`] names it, also where the ledger is not in the folder.
pub const SPLIT_VIEW: &str = "ledger.db.split-view";
/// The address at which the process that makes the run serves metrics and health; there while it works.
pub const ENDPOINT: &str = "endpoint";
/// A state that the run can be gone on with from; there while it is unfinished.
pub const CHECKPOINT_STATE: &str = "state.checkpoint";
/// The state before it.
pub(crate) const CHECKPOINT_STATE_BEFORE: &str = "state.checkpoint.before";
/// What has to be known to go on with an unfinished run.
pub(crate) const NOTE: &str = "unfinished.json";
/// A file that the process at work has locked.
pub(crate) const LOCK: &str = "lock";

/// Everything that may lie in the folder of a run, also while it is under way.
pub const FILES: [&str; 14] = [
    SUMMARY,
    REPORT,
    LEDGER,
    LEDGER_LOCATION,
    SCENARIO,
    CHECKPOINT,
    SPLIT_VIEW,
    ENDPOINT,
    "ledger.db-wal",
    "ledger.db-shm",
    CHECKPOINT_STATE,
    CHECKPOINT_STATE_BEFORE,
    NOTE,
    LOCK,
];

/// What only lies in the folder of a run that is under way, or was when its process ended.
pub(crate) const PASSING: [&str; 5] = [CHECKPOINT_STATE, CHECKPOINT_STATE_BEFORE, NOTE, LOCK, ENDPOINT];

/// What stands between the name of a file or folder and the process that has not finished it.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// The name with nothing in it that a path could not hold.
#[must_use]
pub fn folder_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let words: Vec<&str> = name.split(|c| !fits(c)).filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches(['.', '-']).to_owned()
}

/// The folder that a file is in, or will be in: `.` where its path names none.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What an unfinished file or folder is to be, and the process that began it; `None` for any other name.
#[must_use]
pub fn unfinished(name: &str) -> Option<(&str, u32)> {
    let (target, process) = name.rsplit_once(UNFINISHED)?;
    let process = process.strip_suffix("-replaced").unwrap_or(process);
    // A second one of the same process number has a number of its own.
    let process = match process.split_once('-') {
        Some((process, number)) => number.parse::<u32>().ok().map(|_| process)?,
        None => process,
    };
    Some((target, process.parse().ok().filter(|_| !target.is_empty())?))
}

/// The folders in which the run that is to lie at `run` is made, or was when its process ended.
#[must_use]
pub fn unfinished_of(run: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(run).unwrap_or_else(|_| run.to_owned());
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let of_run = |entry: &fs::DirEntry| {
        let file_name = entry.file_name();
        unfinished(&file_name.to_string_lossy()).is_some_and(|(target, _)| *target == *name.to_string_lossy())
    };
    let mut paths: Vec<PathBuf> = entries.flatten().filter(of_run).map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

/// Whether a process is at work in an unfinished folder; `None` where that cannot be told from the folder.
#[must_use]
pub fn is_in_use(folder: &Path) -> Option<bool> {
    let lock = File::open(folder.join(LOCK)).ok()?;
    Some(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Writes a file, complete or not at all.
///
/// # Errors
/// No space, or no right to write.
pub fn write_whole(place: &Path, content: &str) -> io::Result<()> {
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(format!("{UNFINISHED}{}", std::process::id()));
    fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_against_a_ledger_has_its_name_beside_it() {
        let beside = dais_ledger::SplitView::path_beside(Path::new(LEDGER));
        assert_eq!(beside, Path::new(SPLIT_VIEW));
    }

    #[test]
    fn the_name_of_what_is_unfinished_tells_what_it_is_to_be_and_who_makes_it() {
        assert_eq!(unfinished("a.unfinished-7"), Some(("a", 7)));
        assert_eq!(unfinished("a.unfinished-7-2"), Some(("a", 7)));
        assert_eq!(unfinished("a.unfinished-1.unfinished-23-replaced"), Some(("a.unfinished-1", 23)));
        for other in ["a", "a.unfinished-", "a.unfinished-x", ".unfinished-7", "a.unfinished-7-kept"] {
            assert_eq!(unfinished(other), None, "{other}");
        }
    }

    #[test]
    fn a_file_without_a_folder_is_in_the_present_one() {
        for (file, folder) in [("a", "."), ("a/b", "a"), ("/a", "/")] {
            assert_eq!(folder_of(Path::new(file)), Path::new(folder));
        }
    }
}
