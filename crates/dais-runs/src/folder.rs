//! The folder that a run's files go to: complete or not there at all.

use std::cell::Cell;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::file::{FILES, LOCK, NOTE, PASSING, SUMMARY, UNFINISHED, unfinished, unfinished_of, write_whole};
use crate::note::{LedgerNote, Note};

/// A folder that a run cannot be made in, or gone on with from.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A run or something else is there, and may not be replaced.
    #[error("{} exists already", .path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A file is where the folder is to be.
    #[error("{} is a file", .path.display())]
    IsFile {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds something that is no part of a run, so that it is not replaced.
    #[error("{} holds `{name}`, which no run writes", .path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        name: String,
    },
    /// The path has no last part that could be the folder's name.
    #[error("{} cannot be a run's folder", .path.display())]
    Nameless {
        /// The path.
        path: PathBuf,
    },
    /// The place cannot be written.
    #[error("cannot write to {}", .path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the run cannot be written.
    #[error("cannot write {name} for {}", .path.display())]
    FileUnwritten {
        /// The folder as it will be.
        path: PathBuf,
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file of an unfinished run cannot be read or removed.
    #[error("{}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The note of an unfinished run is none.
    #[error("{}", .path.display())]
    Note {
        /// The note.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The finished run cannot be put in its place.
    #[error("cannot put the finished run at {}", .path.display())]
    Uncommitted {
        /// Its place.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process carries the run out.
    #[error("{} is being carried out at this moment, in {}", .path.display(), .staging.display())]
    InUse {
        /// The run as it was named.
        path: PathBuf,
        /// The folder it is made in.
        staging: PathBuf,
    },
    /// The run is complete.
    #[error("{} is complete: there is nothing to go on with", .path.display())]
    Complete {
        /// Its folder.
        path: PathBuf,
    },
    /// No run was begun there.
    #[error("{path}: no unfinished run is here, nor beside it as {path}{UNFINISHED}…", path = .path.display())]
    NothingUnfinished {
        /// The run as it was named.
        path: PathBuf,
    },
}

/// A folder in the making. Files are written beside their final place; [`RunFolder::commit`] moves them there in one
/// go, and without it they are removed again, so that an earlier run is only ever replaced by a complete one.
///
/// It is kept when the process ends without its doing, and when [`RunFolder::keep`] was called: then the run can be gone
/// on with.
#[derive(Debug)]
pub struct RunFolder {
    target: PathBuf,
    staging: PathBuf,
    force: bool,
    kept: Cell<bool>,
    /// Locked as long as the process lives.
    _lock: File,
}

impl RunFolder {
    /// Checks that the folder may be written, and begins it.
    ///
    /// # Errors
    /// A folder that exists already, without `force` or where it holds something else than a run; a place that
    /// cannot be written.
    pub fn begin(target: &Path, force: bool) -> Result<Self, FolderError> {
        let named = target;
        let unwritable = |source| FolderError::Unwritable { path: named.to_owned(), source };
        let absolute = std::path::absolute(named).map_err(unwritable)?;
        // A link to an earlier run stands for the run, not for the link.
        let target = fs::canonicalize(&absolute).unwrap_or(absolute);
        check_replaceable(&target, force)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(FolderError::Nameless { path: named.to_owned() });
        };
        fs::create_dir_all(parent).map_err(unwritable)?;
        let name = name.to_string_lossy();
        let staging = create_unused(parent, &format!("{name}{UNFINISHED}{}", std::process::id()));
        let staging = staging.map_err(unwritable)?;
        let lock = File::create(staging.join(LOCK)).map_err(unwritable)?;
        // A file system without locks lets everybody in.
        let _ = lock.try_lock();
        Ok(Self { target: target.clone(), staging, force, kept: Cell::new(false), _lock: lock })
    }

    /// Takes the unfinished folder of a run over, to go on with it: the one that `named` is, or the newest beside `named`.
    ///
    /// # Errors
    /// A run that is complete, never began, or is being carried out.
    pub fn take_over(named: &Path) -> Result<(Self, LedgerNote), FolderError> {
        let mut busy = None;
        for staging in resumable(named) {
            let lock = File::options().read(true).write(true).create(true).truncate(false).open(staging.join(LOCK));
            let lock = lock.map_err(|source| FolderError::Unwritable { path: staging.clone(), source })?;
            if let Err(TryLockError::WouldBlock) = lock.try_lock() {
                busy.get_or_insert(staging);
                continue;
            }
            let path = staging.join(NOTE);
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            let note: Note = serde_json::from_str(&text).map_err(|source| FolderError::Note { path, source })?;
            let Note { target, force, ledger, .. } = note;
            return Ok((Self { target, staging, force, kept: Cell::new(true), _lock: lock }, ledger));
        }
        let path = named.to_owned();
        Err(match busy {
            Some(staging) => FolderError::InUse { path, staging },
            None if named.join(SUMMARY).is_file() => FolderError::Complete { path },
            None => FolderError::NothingUnfinished { path },
        })
    }

    /// Says what has to be known to go on with the run after its process ended.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub fn announce(&self, ledger: LedgerNote) -> Result<(), FolderError> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let note = Note { version, target: self.target.clone(), force: self.force, ledger };
        let text = serde_json::to_string_pretty(&note)
            .map_err(|source| FolderError::Note { path: self.file(NOTE), source })?;
        let (path, name) = (self.target.clone(), NOTE.to_owned());
        write_whole(&self.file(NOTE), &(text + "\n")).map_err(|source| FolderError::FileUnwritten {
            path,
            name,
            source,
        })
    }

    /// Keeps the folder, whatever comes, so that the run can be gone on with.
    pub fn keep(&self) {
        self.kept.set(true);
    }

    /// Whether it is kept.
    pub fn is_kept(&self) -> bool {
        self.kept.get()
    }

    /// Where a file is to be written until the run is complete.
    pub fn file(&self, name: &str) -> PathBuf {
        self.staging.join(name)
    }

    /// The folder as it will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder with the unfinished files.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub fn write(&self, name: &str, content: &str) -> Result<(), FolderError> {
        let unwritten =
            |source| FolderError::FileUnwritten { path: self.target.clone(), name: name.to_owned(), source };
        fs::write(self.file(name), content).map_err(unwritten)
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
    pub fn commit(&self) -> Result<(), FolderError> {
        check_replaceable(&self.target, self.force)?;
        self.remove_passing().map_err(unreadable(&self.staging))?;
        self.kept.set(false);
        let uncommitted = |source| FolderError::Uncommitted { path: self.target.clone(), source };
        let mut replaced = self.staging.clone().into_os_string();
        replaced.push("-replaced");
        let replaced = PathBuf::from(replaced);
        match fs::rename(&self.target, &replaced) {
            Ok(()) => {
                if let Err(error) = fs::rename(&self.staging, &self.target) {
                    fs::rename(&replaced, &self.target).map_err(uncommitted)?;
                    return Err(uncommitted(error));
                }
                fs::remove_dir_all(&replaced).map_err(unreadable(&replaced))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::rename(&self.staging, &self.target).map_err(uncommitted)
            }
            Err(error) => Err(uncommitted(error)),
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
fn check_replaceable(target: &Path, force: bool) -> Result<(), FolderError> {
    let path = || target.to_owned();
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FolderError::Unwritable { path: path(), source }),
    };
    if !metadata.is_dir() {
        return Err(FolderError::IsFile { path: path() });
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(target).map_err(unreadable(target))? {
        names.push(entry.map_err(unreadable(target))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    if names.is_empty() {
        return Ok(());
    }
    if !force {
        return Err(FolderError::Taken { path: path() });
    }
    match names.into_iter().find(|name| !FILES.contains(&name.as_str())) {
        Some(name) => Err(FolderError::Foreign { path: path(), name }),
        None => Ok(()),
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> FolderError + '_ {
    |source| FolderError::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::REPORT;

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
    fn an_unfinished_folder_is_found_by_the_run_it_is_to_be() {
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
        let refused = |force| RunFolder::begin(&target, force).unwrap_err();
        assert!(matches!(refused(false), FolderError::Taken { .. }));
        assert!(matches!(refused(true), FolderError::Foreign { name, .. } if name == "chapter1.tex"));
        assert_eq!(names(&target), ["chapter1.tex", SUMMARY]);
    }
}
