//! Why a run cannot be carried out.

use std::io;
use std::path::PathBuf;

use dais_lab::{LoadError, ReportError, RunError, ScenarioFileError};

use crate::checkpoint::CheckpointUnwritten;
use crate::folder::FolderError;
use crate::ledger::RunLedgerError;

/// A run that cannot be carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    /// Its traffic cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It cannot begin or go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] RunLedgerError),
    /// A checkpoint cannot be written.
    #[error(transparent)]
    Unwritten(#[from] CheckpointUnwritten),
    /// A checkpoint cannot be read.
    #[error("{}", .path.display())]
    Unread {
        /// The checkpoint.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The scenario of an unfinished run cannot be read.
    #[error(transparent)]
    Scenario(#[from] ScenarioFileError),
    /// The scenario of an unfinished run was altered: it has no seed.
    #[error("{}: it has no `seed`, which the run wrote", .path.display())]
    Seedless {
        /// The scenario.
        path: PathBuf,
    },
    /// The report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The summary has no JSON form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
