//! Whether a connection is encrypted, and to whom.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use postgres::config::{Host, SslMode};
use postgres::{Client, Config, Error, NoTls};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::storage::StorageError;

/// How a connection is protected.
pub(super) enum Tls {
    /// Not.
    Plain,
    /// Encrypted, with the server's certificate and name checked.
    Verified(MakeRustlsConnect),
}

/// What a connection string says about it.
pub(super) struct Wish {
    /// `None`: as the host asks for.
    encrypted: Option<bool>,
    /// File of the certificates to trust instead of those of the operating system.
    roots: Option<PathBuf>,
}

impl Tls {
    /// Takes `sslmode` and `sslrootcert` out of a connection string.
    pub(super) fn of(text: &str) -> Result<(String, Wish), StorageError> {
        let mut wish = Wish { encrypted: None, roots: None };
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
        Ok((format!("{place}?{}", others.join("&")), wish))
    }

    /// Connects as wished.
    pub(super) fn connect(&self, config: &Config) -> Result<Client, Error> {
        match self {
            Self::Plain => config.connect(NoTls),
            Self::Verified(tls) => config.connect(tls.clone()),
        }
    }
}

impl Wish {
    /// Encrypts when it is wished, and when nothing is said but a host is not this machine.
    pub(super) fn for_hosts(self, config: &mut Config) -> Result<Tls, StorageError> {
        if !self.encrypted.unwrap_or_else(|| !config.get_hosts().iter().all(is_this_machine)) {
            config.ssl_mode(SslMode::Disable);
            return Ok(Tls::Plain);
        }
        config.ssl_mode(SslMode::Require);
        let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(error.to_string()))?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(Tls::Verified(MakeRustlsConnect::new(client)))
    }

    fn roots(&self) -> Result<RootCertStore, StorageError> {
        let mut roots = RootCertStore::empty();
        match &self.roots {
            Some(path) => {
                let unreadable = |detail: String| refused(format!("sslrootcert {}: {detail}", path.display()));
                let certificates =
                    CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                    roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(refused("there are no certificates to trust: name a file of them with sslrootcert".to_owned()));
        }
        Ok(roots)
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn refused(detail: String) -> StorageError {
    StorageError::Refused { detail }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    fn is_verified(url: &str) -> Result<bool, StorageError> {
        let (text, wish) = Tls::of(url)?;
        let mut config = Config::from_str(&text).unwrap();
        Ok(matches!(wish.for_hosts(&mut config)?, Tls::Verified(_)))
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_that_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        std::fs::write(&root, "no certificate").unwrap();
        for url in ["postgres://127.0.0.1/db", "postgres://localhost/db", "postgres://%2Frun/db"] {
            assert_eq!(is_verified(url), Ok(false), "{url}");
        }
        assert_eq!(is_verified("postgres://db.example/db?sslmode=disable"), Ok(false));
        let path = root.display().to_string().replace('/', "%2F");
        for url in [
            "postgres://db.example/db",
            "postgres://localhost,db.example/db",
            "postgres://localhost/db?sslmode=require",
        ] {
            let mark = if url.contains('?') { '&' } else { '?' };
            let refused = is_verified(&format!("{url}{mark}sslrootcert={path}")).unwrap_err();
            assert!(refused.to_string().contains("no certificates to trust"), "{refused}");
        }
    }

    #[test]
    fn a_mode_that_protects_from_nobody_is_refused() {
        for mode in ["allow", "prefer", "verify-ca", ""] {
            let refused = is_verified(&format!("postgres://db.example/db?sslmode={mode}")).unwrap_err();
            assert!(refused.to_string().contains("is not supported"), "{refused}");
        }
    }
}
