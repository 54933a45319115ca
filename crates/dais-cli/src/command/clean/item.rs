//! What may be removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Log,
    /// What a process that is gone did not finish.
    Leftover,
    Run,
    Ledger,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Leftover => "leftover",
            Self::Run => "run",
            Self::Ledger => "ledger",
        }
    }
}

/// Something to remove: files that were recognised one by one.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// As it is shown.
    pub(super) path: PathBuf,
    pub(super) files: Vec<PathBuf>,
    /// Removed too, when it is empty then.
    pub(super) folder: Option<PathBuf>,
    pub(super) bytes: u64,
    /// When the newest of it was written.
    pub(super) modified: SystemTime,
}

/// A regular file, which is no link to one.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

impl Found {
    /// The regular file at a path; `None` for anything else, and for what cannot be looked at.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        let name = path.file_name()?.to_str()?.to_owned();
        Some(Self { name, path: path.to_owned(), bytes: metadata.len(), modified: metadata.modified().ok()? })
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Survey {
    /// What goes.
    pub(super) items: Vec<Item>,
    /// What stays though it was asked for, and why.
    pub(super) left: Vec<(PathBuf, String)>,
    /// Only what was last written before.
    before: Option<SystemTime>,
}

impl Survey {
    pub(super) fn new(before: Option<SystemTime>) -> Self {
        Self { items: Vec::new(), left: Vec::new(), before }
    }

    /// Whether something last written at this time is old enough.
    pub(super) fn is_old(&self, modified: SystemTime) -> bool {
        self.before.is_none_or(|before| modified <= before)
    }

    pub(super) fn add(&mut self, kind: Kind, path: &Path, files: &[&Found], folder: Option<&Path>) {
        let Some(modified) = files.iter().map(|file| file.modified).max() else { return };
        self.items.push(Item {
            kind,
            path: path.to_owned(),
            files: files.iter().map(|file| file.path.clone()).collect(),
            folder: folder.map(Path::to_owned),
            bytes: files.iter().map(|file| file.bytes).sum(),
            modified,
        });
    }

    pub(super) fn leave(&mut self, path: &Path, why: impl Into<String>) {
        self.left.push((path.to_owned(), why.into()));
    }
}
