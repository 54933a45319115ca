//! Carrying out runs: folder, ledger, checkpoints, limits, going on, and what is told while a run goes on.
//!
//! A run is begun in a [`RunFolder`] with a [`RunLedger`], or taken over from one that is unfinished, and carried out by
//! [`Conduct`]. Whoever carries it out holds a [`Stopper`], which ends it from any thread, and gets every [`Event`] as it
//! happens. Nothing here prints, listens to signals or ends the process: command line, server and bindings do that, each
//! in its own way.
#![forbid(unsafe_code)]

mod checkpoint;
mod conduct;
mod error;
mod event;
mod file;
mod folder;
mod ledger;
mod limit;
mod memory;
mod note;
mod place;
mod safety;
mod stopper;

pub use checkpoint::CheckpointUnwritten;
pub use conduct::{Conduct, DURABILITY, Ended};
pub use error::ConductError;
pub use event::{Ballot, Concluded, Event, Left, Observer, Step};
pub use file::{
    CHECKPOINT, CHECKPOINT_STATE, ENDPOINT, FILES, LEDGER, LEDGER_LOCATION, REPORT, SCENARIO, SPLIT_VIEW, SUMMARY,
    folder_name, folder_of, is_in_use, unfinished, unfinished_of, write_whole,
};
pub use folder::{FolderError, RunFolder};
pub use ledger::{LedgerPlace, RunLedger, RunLedgerError};
pub use limit::Exceeded;
pub use memory::{peak_rss_mb, rss_mb};
pub use note::LedgerNote;
pub use place::{Login, Place, PlaceError, close_file, create, remove_unfinished};
pub use safety::Safety;
pub use stopper::{Asked, Stopper};
