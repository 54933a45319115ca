use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Makes `cert.pem`, a certificate for `localhost` that is its own root, and `key.pem`.
pub(crate) fn certify(folder: &Path) {
    let mut request = Command::new("openssl");
    request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    request.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    request.args(["-addext", "basicConstraints=CA:FALSE"]);
    request.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(folder);
    let made = request.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("openssl is installed");
    assert!(made.success(), "openssl makes a certificate");
}

/// What turns connections to TLS with the certificate in `folder`.
pub(crate) fn acceptor(folder: &Path) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits the certificate");
    TlsAcceptor::from(Arc::new(config))
}
