//! The folder that a run's files go to: complete or not there at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Names of the files that a run writes.
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const REPORT: &str = "report.html";
pub(crate) const LEDGER: &str = dais_lab::LEDGER_FILE;
pub(crate) const LEDGER_LOCATION: &str = dais_lab::LEDGER_LOCATION_FILE;
pub(crate) const SCENARIO: &str = "scenario.yaml";
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// As [`dais_ledger::SplitView::path_beside`] names it, also where the ledger is not in the folder.
pub(crate) const SPLIT_VIEW: &str = "ledger.db.split-view";

/// Everything that may lie in the folder of a run, with the files that belong to an open ledger.
const KNOWN: [&str; 9] =
    [SUMMARY, REPORT, LEDGER, LEDGER_LOCATION, SCENARIO, CHECKPOINT, SPLIT_VIEW, "ledger.db-wal", "ledger.db-shm"];

/// The name with nothing in it that a path could not hold.
pub(crate) fn folder_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let words: Vec<&str> = name.split(|c| !fits(c)).filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches(['.', '-']).to_owned()
}

/// Writes a file, complete or not at all.
///
/// # Errors
/// No space, or no right to write.
pub(crate) fn write_whole(place: &Path, content: &str) -> anyhow::Result<()> {
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(format!(".unfinished-{}", std::process::id()));
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, place));
    written.with_context(|| format!("cannot write {}", place.display()))
}

/// A folder in the making. Files are written beside their final place; [`RunFolder::commit`] moves them there in one
/// go, and without it they are removed again, so that an earlier run is only ever replaced by a complete one.
#[derive(Debug)]
pub(crate) struct RunFolder {
    target: PathBuf,
    staging: PathBuf,
    force: bool,
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
        let staging = parent.join(format!("{name}.unfinished-{}", std::process::id()));
        fs::create_dir(&staging).with_context(unwritable)?;
        Ok(Self { target: target.clone(), staging, force })
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

    /// Moves the files to their place; nothing in them may be open any more.
    ///
    /// # Errors
    /// A place that was taken meanwhile, or cannot be written.
    pub(crate) fn commit(self) -> anyhow::Result<()> {
        check_replaceable(&self.target, self.force)?;
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
        // After a commit it is no longer there; otherwise the error that ended the run is the one to tell.
        let _ = fs::remove_dir_all(&self.staging);
    }
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
