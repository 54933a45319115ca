//! Why the exchange cannot go on.

use dais_ledger::LedgerError;

/// Why the exchange, its ledger or the witnesses of it cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The ledger refused entries.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger holds something else than this history from this entry on.
    #[error("entry {index} of the ledger is not what this run records there")]
    OtherHistory { index: u64 },
    /// The ledger lacks entries that were recorded before the snapshot was taken.
    #[error("the ledger has {held} entries, and had {needed} when the snapshot was taken")]
    LedgerBehind { held: u64, needed: u64 },
    /// The state of a snapshot is of something else.
    #[error("{0}")]
    Snapshot(String),
}
