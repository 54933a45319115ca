//! What a connection string says about encryption.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::storage::StorageError;

/// `sslmode` and `sslrootcert` of a connection string.
pub(super) struct TlsWish {
    /// `None`: nothing is said.
    encrypted: Option<bool>,
    /// File of the certificates to trust instead of the usual ones.
    pub(super) roots: Option<PathBuf>,
}

impl TlsWish {
    /// Takes the settings of encryption out of a connection string.
    pub(super) fn of(text: &str) -> Result<(String, Self), StorageError> {
        let mut wish = Self { encrypted: None, roots: None };
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut others = Vec::new();
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            match setting.split_once('=') {
                Some(("sslmode", "disable")) => wish.encrypted = Some(false),
                Some(("sslmode", "require" | "verify-full")) => wish.encrypted = Some(true),
                Some(("sslmode", other)) => {
                    return Err(refused(format!(
                        "sslmode={other} is not supported: disable, or require and verify-full, which both check the \
                         server's certificate and name"
                    )));
                }
                Some(("sslrootcert", path)) => {
                    let path = percent_decode_str(path).decode_utf8();
                    let path = path.map_err(|_| refused("sslrootcert is not UTF-8".to_owned()))?;
                    wish.roots = Some(PathBuf::from(path.as_ref()));
                }
                _ => others.push(setting),
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        Ok((format!("{place}{mark}{}", others.join("&")), wish))
    }

    /// Whether to encrypt: as is wished, and otherwise what leaves this machine.
    pub(super) fn is_encrypted(&self, stays_here: impl FnOnce() -> bool) -> bool {
        self.encrypted.unwrap_or_else(|| !stays_here())
    }
}

/// Whether a host is this machine, by its name or address.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

pub(super) fn refused(detail: String) -> StorageError {
    StorageError::Refused { detail }
}
