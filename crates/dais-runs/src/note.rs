//! What is written down about a run that is under way.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the ledger of an unfinished run is, without user and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerNote {
    /// In the run's folder.
    Folder,
    /// In memory, so that it is gone.
    Memory,
    /// In a file that is to be put in its place when the run is complete.
    File {
        /// Its place.
        path: PathBuf,
        /// The folder in which it is written.
        unfinished: PathBuf,
    },
    /// On a server.
    Server(String),
}

/// What has to be known to go on with a run, beside its scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The version that began the run.
    pub(crate) version: String,
    /// The folder as it will be.
    pub(crate) target: PathBuf,
    /// Whether an earlier run may be replaced.
    pub(crate) force: bool,
    /// Where the ledger is.
    pub(crate) ledger: LedgerNote,
}
