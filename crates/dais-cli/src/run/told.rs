//! Errors of runs with the flags that lead out of them.

use anyhow::anyhow;
use dais_ledger::{Location, System};
use dais_runs::{ConductError, Exceeded, FolderError, LedgerPlace, PlaceError, RunLedgerError};

use crate::place;

/// Why a run cannot be carried out, in words for the command line.
pub(crate) fn told(error: ConductError) -> anyhow::Error {
    match error {
        ConductError::Folder(error) => of_folder(error),
        ConductError::Ledger(error) => of_ledger(error),
        ConductError::Load(_)
        | ConductError::Run(_)
        | ConductError::Unwritten(_)
        | ConductError::Unread { .. }
        | ConductError::Scenario(_)
        | ConductError::Seedless { .. }
        | ConductError::Report(_)
        | ConductError::Json(_) => error.into(),
    }
}

/// Why a folder cannot be a run's.
pub(crate) fn of_folder(error: FolderError) -> anyhow::Error {
    match &error {
        FolderError::Taken { .. } => {
            anyhow!("{error}: choose another folder with --out, or replace the run in it with --force")
        }
        FolderError::IsFile { .. } => anyhow!("{error}: choose a folder with --out"),
        FolderError::Nameless { .. } => anyhow!("{error}: choose another with --out"),
        FolderError::Foreign { .. } => anyhow!("{error}; --force replaces runs only: choose another --out"),
        FolderError::Unwritable { .. } => {
            let shown = format!("{error}: choose another folder with --out");
            anyhow::Error::from(error).context(shown)
        }
        FolderError::FileUnwritten { .. }
        | FolderError::Unreadable { .. }
        | FolderError::Note { .. }
        | FolderError::Uncommitted { .. }
        | FolderError::InUse { .. }
        | FolderError::Complete { .. }
        | FolderError::NothingUnfinished { .. } => error.into(),
    }
}

/// Why a ledger cannot be a run's.
pub(crate) fn of_ledger(error: RunLedgerError) -> anyhow::Error {
    match error {
        RunLedgerError::Place(error) => place::told(error),
        RunLedgerError::Folder(error) => of_folder(error),
        RunLedgerError::FileTaken { .. } => anyhow!("{error}: choose another file with --ledger"),
        RunLedgerError::InFolder { .. } => anyhow!("{error}: leave out --ledger, or name another place"),
        RunLedgerError::Gone => error.into(),
        RunLedgerError::Unwritable { place, source } => {
            let source = match source.downcast::<PlaceError>() {
                Ok(error) => place::told(*error),
                Err(source) => anyhow::Error::from_boxed(source),
            };
            source.context(unwritable(&place))
        }
    }
}

/// What a ledger that cannot be written means for the run.
fn unwritable(place: &LedgerPlace) -> String {
    match place {
        LedgerPlace::File(path) => format!("cannot write the ledger {} (disk full?)", path.display()),
        LedgerPlace::Memory => "cannot keep the ledger in memory".to_owned(),
        LedgerPlace::Server(location) => {
            let another = match location {
                Location::Server(url) if url.system() == System::Mysql => "database",
                Location::Server(_) | Location::Sqlite(_) | Location::Memory => "`schema=`",
            };
            format!(
                "cannot write the ledger {location} (what is there stays there: run again with another {another}; \
                 --ledger-retry-attempts and --ledger-retry-delay say how long to wait for a server)"
            )
        }
    }
}

/// What was exceeded, with the flag that sets the limit.
pub(crate) fn exceeded(exceeded: &Exceeded) -> String {
    let flag = match exceeded {
        Exceeded::Time(_) => "--step-time-limit",
        Exceeded::Memory { .. } => "--memory-limit",
    };
    format!("{exceeded} ({flag})")
}
