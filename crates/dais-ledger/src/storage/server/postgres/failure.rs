//! What PostgreSQL's errors mean for a log.

use std::error::Error as _;
use std::io;

use postgres::Error;
use postgres::error::{DbError, SqlState};

use super::super::session::Failure;
use crate::storage::StorageError;

/// What a statement was to do: a missing permission means something else for a reader than for a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Writing,
}

/// Sorts an error by its class.
pub(super) fn failure(error: &Error, doing: Doing) -> Failure {
    match error.as_db_error() {
        Some(answer) => answered(answer, doing),
        None => unanswered(error),
    }
}

/// The server answered with an error.
fn answered(answer: &DbError, doing: Doing) -> Failure {
    let code = answer.code();
    let detail = format!("{} (SQLSTATE {})", answer.message(), code.code());
    match code.code() {
        // Serialization failure, deadlock, lock not available, too many connections, out of memory, object in use.
        "40001" | "40P01" | "53300" | "53200" | "55006" => Failure::Transient(detail),
        // Ended by an administrator, a crash, idleness; or starting up.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Failure::Lost(detail),
        "57014" | "55P03" => Failure::Final(StorageError::Timeout { detail }),
        "53100" => Failure::Final(StorageError::Full),
        "25006" => Failure::Final(StorageError::ReadOnly),
        "42501" if doing == Doing::Writing => Failure::Final(StorageError::ReadOnly),
        "XX001" | "XX002" => Failure::corrupt(detail),
        "42P01" | "42703" | "3F000" => Failure::corrupt(format!("its tables are not there any more: {detail}")),
        other => Failure::Final(match &other[..2] {
            "08" => return Failure::Lost(detail),
            "22" | "23" | "28" | "3D" | "42" | "0A" => StorageError::Refused { detail },
            _ => StorageError::Io { detail },
        }),
    }
}

/// No answer came, or none that is understood.
fn unanswered(error: &Error) -> Failure {
    let detail = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let network = |source: &io::Error| source.kind() != io::ErrorKind::InvalidData;
    match error.source() {
        // The connection is closed, or an attempt to connect took too long.
        None => Failure::Lost(detail),
        Some(source) if source.downcast_ref::<io::Error>().is_some_and(network) => Failure::Lost(detail),
        // A handshake that fails, a login that cannot be made: it would be the same another time.
        Some(_) => Failure::Final(StorageError::Refused { detail }),
    }
}

/// Whether rows were there already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// Whether a table of that name was there already.
pub(super) fn is_duplicate_table(error: &Error) -> bool {
    error.code() == Some(&SqlState::DUPLICATE_TABLE)
}

/// Whether a column was named that is not there.
pub(super) fn is_no_such_column(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNDEFINED_COLUMN)
}
