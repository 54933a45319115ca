//! Whether a connection is encrypted, and to whom.

use std::sync::Arc;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, Error, NoTls};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::tls::{TlsWish, is_loopback, refused};
use crate::storage::StorageError;

/// How a connection is protected.
pub(super) enum Tls {
    /// Not.
    Plain,
    /// Encrypted, with the server's certificate and name checked.
    Verified(MakeRustlsConnect),
}

impl Tls {
    /// What is wished for the hosts of a connection string.
    pub(super) fn new(wish: &TlsWish, config: &mut Config) -> Result<Self, StorageError> {
        if !wish.is_encrypted(|| config.get_hosts().iter().all(is_this_machine)) {
            config.ssl_mode(SslMode::Disable);
            return Ok(Self::Plain);
        }
        config.ssl_mode(SslMode::Require);
        let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(error.to_string()))?
            .with_root_certificates(trusted(wish)?)
            .with_no_client_auth();
        Ok(Self::Verified(MakeRustlsConnect::new(client)))
    }

    /// Connects as wished.
    pub(super) fn connect(&self, config: &Config) -> Result<Client, Error> {
        match self {
            Self::Plain => config.connect(NoTls),
            Self::Verified(tls) => config.connect(tls.clone()),
        }
    }
}

/// The certificates to trust: those that are named, or those of the operating system.
fn trusted(wish: &TlsWish) -> Result<RootCertStore, StorageError> {
    let mut roots = RootCertStore::empty();
    match &wish.roots {
        Some(path) => {
            let unreadable = |detail: String| refused(format!("sslrootcert {}: {detail}", path.display()));
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
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

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => is_loopback(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    fn is_verified(url: &str) -> Result<bool, StorageError> {
        let (text, wish) = TlsWish::of(url)?;
        let mut config = Config::from_str(&text).unwrap();
        Ok(matches!(Tls::new(&wish, &mut config)?, Tls::Verified(_)))
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
