//! Addresses that are to be listened on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use super::finding::Finding;

pub(super) fn examine(addresses: &[SocketAddr]) -> Vec<Finding> {
    addresses.iter().map(|&address| free(address)).collect()
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
