//! The checkpoints of a run: written every so many steps, each complete or not there at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use dais_lab::Run;

use crate::file::{CHECKPOINT_STATE, CHECKPOINT_STATE_BEFORE, UNFINISHED};
use crate::safety::Safety;

/// A checkpoint that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the checkpoint {} (disk full?)", .path.display())]
pub struct CheckpointUnwritten {
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Where checkpoints are written, and how many steps ago the last one was.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    since: u32,
    last: Instant,
}

impl Checkpoints {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), since: 0, last: Instant::now() }
    }

    /// Counts a step, and writes a checkpoint when the last one is long enough ago; returns whether it did.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub(crate) fn after_step(&mut self, run: &Run, safety: &Safety) -> Result<bool, CheckpointUnwritten> {
        self.since += 1;
        let enough = safety.checkpoint_interval.is_some_and(|interval| self.since >= interval);
        let due = enough && self.last.elapsed() >= safety.checkpoint_spacing;
        if due {
            self.write(run)?;
        }
        Ok(due)
    }

    /// Writes a checkpoint. The one before it is kept, for the case that this one cannot be read.
    ///
    /// # Errors
    /// No space, or no right to write.
    pub(crate) fn write(&mut self, run: &Run) -> Result<(), CheckpointUnwritten> {
        (self.since, self.last) = (0, Instant::now());
        let path = self.folder.join(CHECKPOINT_STATE);
        self.try_write(run, &path).map_err(|source| CheckpointUnwritten { path, source })
    }

    fn try_write(&self, run: &Run, place: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut unfinished = place.as_os_str().to_owned();
        unfinished.push(format!("{UNFINISHED}{}", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
        run.checkpoint(&mut out)?;
        out.flush()?;
        out.get_ref().sync_data()?;
        if place.exists() {
            fs::rename(place, self.folder.join(CHECKPOINT_STATE_BEFORE))?;
        }
        fs::rename(&unfinished, place)?;
        Ok(sync_folder(&self.folder)?)
    }

    /// What can be tried to go on from, the newest first.
    pub(crate) fn candidates(&self) -> Vec<PathBuf> {
        let places = [CHECKPOINT_STATE, CHECKPOINT_STATE_BEFORE].map(|name| self.folder.join(name));
        places.into_iter().filter(|place| place.is_file()).collect()
    }
}

/// Makes sure that a renamed file is found under its new name after a loss of power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
