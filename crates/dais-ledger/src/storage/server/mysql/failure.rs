//! What the errors of MySQL and MariaDB mean for a log.

use std::error::Error as _;
use std::io;

use mysql::error::DriverError;
use mysql::{Error, MySqlError};

use super::super::session::Failure;
use crate::storage::StorageError;

/// What a statement was to do: a missing permission means something else for a reader than for a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Writing,
}

/// A row with such a key is there already.
pub(super) const DUPLICATE: u16 = 1062;

/// Sorts an error by its class.
pub(super) fn failure(error: &Error, doing: Doing) -> Failure {
    let detail = error.to_string();
    match error {
        Error::MySqlError(answer) => answered(answer, doing),
        Error::CodecError(codec) if codec.source().is_some_and(is_handshake) => {
            Failure::Final(StorageError::Refused { detail })
        }
        Error::IoError(source) if is_handshake(source) => Failure::Final(StorageError::Refused { detail }),
        Error::IoError(_)
        | Error::CodecError(_)
        | Error::DriverError(
            DriverError::ConnectTimeout
            | DriverError::CouldNotConnect(_)
            | DriverError::Timeout
            | DriverError::PacketOutOfSync
            | DriverError::UnexpectedPacket
            | DriverError::SetupError,
        ) => Failure::Lost(detail),
        Error::FromValueError(_) | Error::FromRowError(_) => Failure::corrupt("a column holds another type"),
        Error::DriverError(_) | Error::UrlError(_) | Error::TlsError(_) => {
            Failure::Final(StorageError::Refused { detail })
        }
    }
}

/// Whether encryption could not be agreed on, which would be the same another time.
fn is_handshake(source: &(dyn std::error::Error + 'static)) -> bool {
    source.downcast_ref::<io::Error>().is_some_and(|source| source.kind() == io::ErrorKind::InvalidData)
}

/// The server answered with an error.
fn answered(answer: &MySqlError, doing: Doing) -> Failure {
    let detail = format!("{} (error {})", answer.message, answer.code);
    match answer.code {
        // Deadlock, lock wait timeout, too many connections, out of memory.
        1213 | 1205 | 1040 | 1203 | 1037 | 1041 => Failure::Transient(detail),
        // Shutdown, aborted, killed, idle for too long.
        1053 | 1077..=1080 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => Failure::Lost(detail),
        1317 | 1969 | 3024 => Failure::Final(StorageError::Timeout { detail }),
        1021 | 1114 => Failure::Final(StorageError::Full),
        1290 | 1792 | 1836 => Failure::Final(StorageError::ReadOnly),
        1044 | 1142 | 1143 | 1227 if doing == Doing::Writing => Failure::Final(StorageError::ReadOnly),
        1034 | 1194 | 1712 => Failure::corrupt(detail),
        1054 | 1146 => Failure::corrupt(format!("its tables are not there any more: {detail}")),
        _ => Failure::Final(match answer.state.get(..2) {
            Some("08") => return Failure::Lost(detail),
            Some("22" | "23" | "28" | "42") => StorageError::Refused { detail },
            _ => StorageError::Io { detail },
        }),
    }
}
