//! Addresses that are to be listened on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use dais_config::MonitoringParams;

use super::finding::Finding;
use crate::operations;

/// Looks at the addresses that were named, else at the one that a run would serve its metrics on.
pub(super) fn examine(named: &[SocketAddr], params: &MonitoringParams) -> Vec<Finding> {
    const SUBJECT: &str = "ports";
    if !named.is_empty() {
        return named.iter().map(|&address| free(address)).collect();
    }
    if !params.enable_prometheus {
        return vec![Finding::ok(SUBJECT, "none is listened on: `monitoring.enable_prometheus` is off")];
    }
    vec![match operations::address(params) {
        Ok(address) => free(address),
        Err(error) => Finding::problem(SUBJECT, error.to_string(), "correct it; 127.0.0.1 is there always"),
    }]
}

fn free(address: SocketAddr) -> Finding {
    let subject = format!("port {}", address.port());
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(subject, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let mend = format!(
                "if that is no dais (`dais health http://{address}` tells), end it or choose another port; \
                 `ss -ltnp 'sport = :{}'` names it",
                address.port()
            );
            Finding::warning(subject, format!("{address} is taken by another process"), mend)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let detail = format!("{address} may not be listened on: {error}");
            Finding::problem(subject, detail, "choose a port from 1024 on")
        }
        Err(error) => {
            let detail = format!("{address} cannot be listened on: {error}");
            Finding::problem(subject, detail, "choose an address that this machine has, such as 127.0.0.1")
        }
    }
}
