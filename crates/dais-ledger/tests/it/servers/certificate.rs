//! Certificates of servers.

use std::path::Path;
use std::process::Command;

use super::process::run;

/// Makes `cert.pem`, a certificate for this machine that is its own root, and `key.pem`.
pub(super) fn certify(folder: &Path) {
    let mut request = Command::new("openssl");
    request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    request.args(["-subj", "/CN=dais", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
    request.args(["-addext", "basicConstraints=CA:FALSE", "-out"]).arg(folder.join("cert.pem"));
    run(request.arg("-keyout").arg(folder.join("key.pem")));
    // The folder is a test's own, and its server another user.
    run(Command::new("chmod").arg("644").arg(folder.join("key.pem")));
}
