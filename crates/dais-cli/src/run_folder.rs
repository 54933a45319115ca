//! The folder that a run's files go to: complete or not there at all.

use std::cell::Cell;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::run_ledger::LedgerNote;

/// Names of the files that a run writes.
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const REPORT: &str = "report.html";
pub(crate) const LEDGER: &str = dais_lab::LEDGER_FILE;
pub(crate) const LEDGER_LOCATION: &str = dais_lab::LEDGER_LOCATION_FILE;
pub(crate) const SCENARIO: &str = "scenario.yaml";
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// As [`dais_ledger::SplitView::path_beside`] names it, also where the ledger is not in the folder.
pub(crate) const SPLIT_VIEW: &str = "ledger.db.split-view";
/// The address at which the process that makes the run serves metrics and health; there while it works.
pub(crate) const ENDPOINT: &str = "endpoint";

/// Everything that may lie in the folder of a run, also while it is under way.
pub(crate) const KNOWN: [&str; 14] = [
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

/// What only lies in the folder of a run that is under way, or was when its process ended: a checkpoint and the one
/// before it, what the run is to become, and a file that the process that carries it out has locked.
pub(crate) const CHECKPOINT_STATE: &str = "state.checkpoint";
pub(crate) const CHECKPOINT_STATE_BEFORE: &str = "state.checkpoint.before";
const NOTE: &str = "unfinished.json";
const LOCK: &str = "lock";
const PASSING: [&str; 5] = [CHECKPOINT_STATE, CHECKPOINT_STATE_BEFORE, NOTE, LOCK, ENDPOINT];

/// The name with nothing in it that a path could not hold.
pub(crate) fn folder_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let words: Vec<&str> = name.split(|c| !fits(c)).filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches(['.', '-']).to_owned()
}

/// What stands between the name of a file or folder and the process that has not finished it.
const UNFINISHED: &str = ".unfinished-";

/// What an unfinished file or folder is to be, and the process that began it; `None` for any other name.
pub(crate) fn unfinished(name: &str) -> Option<(&str, u32)> {
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
pub(crate) fn unfinished_of(run: &Path) -> Vec<PathBuf> {
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
pub(crate) fn is_in_use(folder: &Path) -> Option<bool> {
    let lock = File::open(folder.join(LOCK)).ok()?;
    Some(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Writes a file, complete or not at all.
///
/// # Errors
/// No space, or no right to write.
pub(crate) fn write_whole(place: &Path, content: &str) -> anyhow::Result<()> {
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(format!("{UNFINISHED}{}", std::process::id()));
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, place));
    written.with_context(|| format!("cannot write {}", place.display()))
}

/// A folder in the making. Files are written beside their final place; [`RunFolder::commit`] moves them there in one
/// go, and without it they are removed again, so that an earlier run is only ever replaced by a complete one.
///
/// It is kept when the process ends without its doing, and when [`RunFolder::keep`] was called: then the run can be gone
/// on with.
#[derive(Debug)]
pub(crate) struct RunFolder {
    target: PathBuf,
    staging: PathBuf,
    force: bool,
    kept: Cell<bool>,
    /// Locked as long as the process lives.
    _lock: File,
}

/// What has to be known to go on with a run, beside its scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The version that began the run.
    version: String,
    /// The folder as it will be.
    target: PathBuf,
    /// Whether an earlier run may be replaced.
    force: bool,
    /// Where the ledger is.
    pub(crate) ledger: LedgerNote,
}

impl RunFolder {
    /// Checks that the folder may be written, and begins it.
    ///
    /// # Errors
    /// A folder that exists already, without `force` or where it holds something else than a run; a place that
    /// cannot be written.
    pub(crate) fn begin(target: &Path, force: bool) -> anyhow::Result<Self> {
        let shown = target.display();
        let absolute = std::path::absolute(target).with_context(|| format!("--out {shown}"))?;
        // A link to an earlier run stands for the run, not for the link.
        let target = fs::canonicalize(&absolute).unwrap_or(absolute);
        check_replaceable(&target, force)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            bail!("{shown} cannot be a run's folder: choose another with --out");
        };
        let unwritable = || format!("cannot write to {shown}: choose another folder with --out");
        fs::create_dir_all(parent).with_context(unwritable)?;
        let name = name.to_string_lossy();
        let staging = create_unused(parent, &format!("{name}{UNFINISHED}{}", std::process::id()));
        let staging = staging.with_context(unwritable)?;
        let lock = File::create(staging.join(LOCK)).with_context(unwritable)?;
        // A file system without locks lets everybody in.
        let _ = lock.try_lock();
        Ok(Self { target: target.clone(), staging, force, kept: Cell::new(false), _lock: lock })
    }

    /// Takes the unfinished folder of a run over, to go on with it: the one that `named` is, or the newest beside `named`.
    ///
    /// # Errors
    /// A run that is complete, never began, or is being carried out.
    pub(crate) fn take_over(named: &Path) -> anyhow::Result<(Self, Note)> {
        let shown = named.display();
        let mut busy = None;
        for staging in resumable(named) {
            let lock = File::options().read(true).write(true).create(true).truncate(false).open(staging.join(LOCK));
            let lock = lock.with_context(|| format!("cannot write to {}", staging.display()))?;
            if let Err(TryLockError::WouldBlock) = lock.try_lock() {
                busy.get_or_insert(staging);
                continue;
            }
            let path = staging.join(NOTE);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let note: Note = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            let (target, force) = (note.target.clone(), note.force);
            return Ok((Self { target, staging, force, kept: Cell::new(true), _lock: lock }, note));
        }
        match busy {
            Some(staging) => bail!("{shown} is being carried out at this moment, in {}", staging.display()),
            None if named.join(SUMMARY).is_file() => bail!("{shown} is complete: there is nothing to go on with"),
            None => bail!("{shown}: no unfinished run is here, nor beside it as {shown}{UNFINISHED}…"),
        }
    }

    /// Says what has to be known to go on with the run after its process ended.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub(crate) fn announce(&self, ledger: LedgerNote) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let note = Note { version, target: self.target.clone(), force: self.force, ledger };
        write_whole(&self.file(NOTE), &(serde_json::to_string_pretty(&note)? + "\n"))
    }

    /// Keeps the folder, whatever comes, so that the run can be gone on with.
    pub(crate) fn keep(&self) {
        self.kept.set(true);
    }

    /// Whether it is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.get()
    }

    /// Where a file is to be written until the run is complete.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.staging.join(name)
    }

    /// The folder as it will be.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder with the unfinished files.
    pub(crate) fn staging(&self) -> &Path {
        &self.staging
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub(crate) fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        fs::write(self.file(name), content)
            .with_context(|| format!("cannot write {name} for {}", self.target.display()))
    }

    /// Removes what only lies there while the run is under way, and what a process that was killed had half written.
    fn remove_passing(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.staging)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if PASSING.contains(&name.as_str()) || unfinished(&name).is_some() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Moves the files to their place; nothing in them may be open any more.
    ///
    /// # Errors
    /// A place that was taken meanwhile, or cannot be written.
    pub(crate) fn commit(&self) -> anyhow::Result<()> {
        check_replaceable(&self.target, self.force)?;
        self.remove_passing().with_context(|| self.staging.display().to_string())?;
        self.kept.set(false);
        let place = || format!("cannot put the finished run at {}", self.target.display());
        let mut replaced = self.staging.clone().into_os_string();
        replaced.push("-replaced");
        match fs::rename(&self.target, &replaced) {
            Ok(()) => {
                if let Err(error) = fs::rename(&self.staging, &self.target) {
                    fs::rename(&replaced, &self.target).with_context(place)?;
                    return Err(error).with_context(place);
                }
                fs::remove_dir_all(&replaced).with_context(|| format!("cannot remove {}", replaced.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::rename(&self.staging, &self.target).with_context(place)
            }
            Err(error) => Err(error).with_context(place),
        }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.kept.get() {
            // After a commit it is no longer there; otherwise the error that ended the run is the one to tell.
            let _ = fs::remove_dir_all(&self.staging);
        }
    }
}

/// Makes a folder whose name nothing has yet: another process with the same number may have left one.
fn create_unused(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let mut place = parent.join(name);
    let mut others = 1;
    loop {
        match fs::create_dir(&place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && others < 10_000 => {
                others += 1;
                place = parent.join(format!("{name}-{others}"));
            }
            made => return made.map(|()| place),
        }
    }
}

/// The unfinished folders that a run can be gone on with from, the newest first.
fn resumable(named: &Path) -> Vec<PathBuf> {
    if named.join(NOTE).is_file() {
        return vec![named.to_owned()];
    }
    let noted = |path: PathBuf| {
        let note = fs::metadata(path.join(NOTE)).ok()?;
        Some((note.modified().unwrap_or(SystemTime::UNIX_EPOCH), path))
    };
    let mut found: Vec<(SystemTime, PathBuf)> = unfinished_of(named).into_iter().filter_map(noted).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whether a run may take this place: where nothing is, an empty folder is, or an earlier run is and `force` is given.
fn check_replaceable(target: &Path, force: bool) -> anyhow::Result<()> {
    let shown = target.display();
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot write to {shown}")),
    };
    if !metadata.is_dir() {
        bail!("{shown} is a file: choose a folder with --out");
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(target).with_context(|| shown.to_string())? {
        names.push(entry.with_context(|| shown.to_string())?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    if names.is_empty() {
        return Ok(());
    }
    if !force {
        bail!("{shown} exists already: choose another folder with --out, or replace the run in it with --force");
    }
    if let Some(foreign) = names.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        bail!("{shown} holds `{foreign}`, which no run writes; --force replaces runs only: choose another --out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_run_that_is_given_up_leaves_nothing_and_the_earlier_one_stays() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("run");
        let first = RunFolder::begin(&target, false).unwrap();
        first.write(SUMMARY, "1").unwrap();
        first.commit().unwrap();
        let second = RunFolder::begin(&target, true).unwrap();
        second.write(SUMMARY, "2").unwrap();
        drop(second);
        assert_eq!(fs::read_to_string(target.join(SUMMARY)).unwrap(), "1");
        assert_eq!(names(place.path()), ["run"]);
    }

    #[test]
    fn the_proof_against_a_ledger_has_its_name_beside_it() {
        let beside = dais_ledger::SplitView::path_beside(Path::new(LEDGER));
        assert_eq!(beside, Path::new(SPLIT_VIEW));
    }

    #[test]
    fn a_forced_run_takes_the_place_of_the_earlier_one() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("run");
        for (content, name) in [("1", SUMMARY), ("2", REPORT)] {
            let folder = RunFolder::begin(&target, true).unwrap();
            folder.write(name, content).unwrap();
            folder.commit().unwrap();
        }
        assert_eq!((names(&target), names(place.path())), (vec![REPORT.to_owned()], vec!["run".to_owned()]));
    }

    #[test]
    fn the_name_of_what_is_unfinished_tells_what_it_is_to_be_and_who_makes_it() {
        assert_eq!(unfinished("a.unfinished-7"), Some(("a", 7)));
        assert_eq!(unfinished("a.unfinished-7-2"), Some(("a", 7)));
        assert_eq!(unfinished("a.unfinished-1.unfinished-23-replaced"), Some(("a.unfinished-1", 23)));
        for other in ["a", "a.unfinished-", "a.unfinished-x", ".unfinished-7", "a.unfinished-7-kept"] {
            assert_eq!(unfinished(other), None, "{other}");
        }
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::begin(&place.path().join("run"), false).unwrap();
        assert_eq!(unfinished_of(&place.path().join("run")).len(), 1);
        assert!(unfinished_of(&place.path().join("ru")).is_empty());
        drop(folder);
    }

    #[test]
    fn what_is_no_run_is_never_replaced() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("thesis");
        fs::create_dir(&target).unwrap();
        fs::write(target.join(SUMMARY), "").unwrap();
        fs::write(target.join("chapter1.tex"), "").unwrap();
        let refused = |force| RunFolder::begin(&target, force).unwrap_err().to_string();
        assert!(refused(false).contains("--force"));
        assert!(refused(true).contains("chapter1.tex"));
        assert_eq!(names(&target), ["chapter1.tex", SUMMARY]);
    }
}
