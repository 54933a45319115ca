//! Which run is watched.

use std::path::PathBuf;

use dais_ledger::{Location, StorageOptions};

/// A run that operations watch.
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) seed: u64,
    /// The folder in which its files are made.
    pub(crate) folder: PathBuf,
    /// Its ledger, where another reader can open it.
    pub(crate) ledger: Option<Location>,
    /// How its ledger is opened.
    pub(crate) options: StorageOptions,
}
