use std::path::Path;
use std::process::{Command, Stdio};

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
