//! Folders for unfinished files, of which none outlives its process for long.

use std::fs::{self, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::BackupError;
use super::file::File;

const NAME: &str = ".dais-unfinished-";
/// Locked for as long as the folder is in use; the system unlocks it when the process ends in any way.
const LOCK: &str = "lock";

/// The folders of this process. They are needed by whoever ends it on a signal, on which nothing is dropped.
static LIVING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes the unfinished files of all backups and restores that this process is at, for one that ends on a signal.
///
/// None can begin, go on or report an error afterwards: the caller must end the process.
pub fn remove_unfinished() {
    let living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    for folder in living.iter() {
        // The process ends now, whether or not this succeeds.
        let _ = fs::remove_dir_all(folder);
    }
    // Whoever has lost its files waits for the end instead of reporting that they are gone.
    std::mem::forget(living);
}

/// A folder for unfinished files, removed with all that is in it.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    lock: Option<File>,
}

impl Scratch {
    /// Makes one inside of `folder`, after those were removed there whose processes are gone.
    pub(super) fn inside(folder: &Path) -> Result<Self, BackupError> {
        remove_stale(folder);
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        for number in 0_u32..=u32::MAX {
            let path = folder.join(format!("{NAME}{process}-{number}"));
            match private(&mut fs::DirBuilder::new()).create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(BackupError::at(&path)(source)),
            }
            match hold(&path.join(LOCK)) {
                Ok(Held::Yes(lock)) => {
                    living.push(path.clone());
                    return Ok(Self { path, lock });
                }
                Ok(Held::Lost) => {}
                Err(source) => return Err(BackupError::at(&path)(source)),
            }
        }
        Err(BackupError::at(folder)(ErrorKind::AlreadyExists.into()))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        living.retain(|path| *path != self.path);
        // An open file cannot be removed everywhere.
        drop(self.lock.take());
        // Whatever ended the work is the error to tell.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether a new folder is this process's own.
enum Held {
    /// It is; without a lock where the file system knows none, and then nobody takes it for stale.
    Yes(Option<File>),
    /// Another process took it for stale before it was locked.
    Lost,
}

fn hold(path: &Path) -> io::Result<Held> {
    let file = match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Held::Lost),
        opened => opened?,
    };
    match file.try_lock() {
        // A lock on a file that was removed meanwhile protects nothing.
        Ok(()) if path.exists() => Ok(Held::Yes(Some(file))),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(Held::Lost),
        Err(TryLockError::Error(_)) => Ok(Held::Yes(None)),
    }
}

/// Removes what killed processes have left in a folder. What cannot be removed stays for the next time.
fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(NAME);
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = remove_if_stale(&path);
        }
    }
}

fn remove_if_stale(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new().write(true).open(path.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => fs::remove_dir_all(path),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(error),
        },
        // Killed before it could lock, or about to: an empty folder is no loss to anybody, and the other tries again.
        Err(error) if error.kind() == ErrorKind::NotFound => fs::remove_dir(path),
        Err(error) => Err(error),
    }
}

/// Others on the machine have no business in unfinished, decrypted files.
#[cfg(unix)]
fn private(builder: &mut fs::DirBuilder) -> &mut fs::DirBuilder {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700)
}

#[cfg(not(unix))]
fn private(builder: &mut fs::DirBuilder) -> &mut fs::DirBuilder {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays_and_what_was_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mine = Scratch::inside(folder.path()).unwrap();
        fs::write(mine.file("ledger.db"), "half").unwrap();
        let make = |name: &str, files: &[&str]| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            for file in files {
                fs::write(path.join(file), "left").unwrap();
            }
            path
        };
        let dead = make(".dais-unfinished-1-0", &["lock", "ledger.db"]);
        let empty = make(".dais-unfinished-1-1", &[]);
        let unlocked = make(".dais-unfinished-1-2", &["ledger.db"]);
        let other = make("backups", &["lock"]);
        let second = Scratch::inside(folder.path()).unwrap();
        assert!(!dead.exists() && !empty.exists());
        assert!(unlocked.exists() && other.exists() && mine.file("ledger.db").exists());
        drop((mine, second));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_whose_lock_another_holds_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        assert!(matches!(hold(&lock).unwrap(), Held::Yes(Some(_))));
        assert!(hold(&lock).is_err(), "it is there already");
        assert!(matches!(hold(&folder.path().join("gone/lock")).unwrap(), Held::Lost));
    }
}
