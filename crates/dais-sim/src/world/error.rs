//! Why a world cannot go on.

use dais_ledger::LedgerError;

use crate::exchange::error::ExchangeError;
use crate::params::error::ScenarioError;
use crate::workers::ThreadsError;
use crate::world::shard_error::ShardError;

/// Why a world cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A parameter that cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The ledger refused entries.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A shard was asked out of turn.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// The ledger holds something else than this history.
    #[error(
        "entry {index} of the ledger is not what this run records there: the ledger is of another run, or the traffic, \
         the scenario or the program is another than when it began"
    )]
    OtherHistory {
        /// Index of the first entry that differs.
        index: u64,
    },
    /// The ledger lacks entries that were recorded before the snapshot was taken.
    #[error("the ledger has {held} entries, and had {needed} when the snapshot was taken")]
    LedgerBehind {
        /// Entries it has.
        held: u64,
        /// Entries it must have.
        needed: u64,
    },
    /// The bytes of a snapshot do not decode, or are of another world.
    #[error("snapshot of a world cannot be used: {0}")]
    Snapshot(String),
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {cause}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        cause: String,
    },
}

impl From<ExchangeError> for WorldError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Ledger(error) => Self::Ledger(error),
            ExchangeError::OtherHistory { index } => Self::OtherHistory { index },
            ExchangeError::LedgerBehind { held, needed } => Self::LedgerBehind { held, needed },
            ExchangeError::Snapshot(what) => Self::Snapshot(what),
        }
    }
}

impl From<ThreadsError> for WorldError {
    fn from(ThreadsError { threads, cause }: ThreadsError) -> Self {
        Self::Threads { threads, cause }
    }
}
