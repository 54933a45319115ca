//! A server on this machine that keeps what is posted to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// What was posted, request by request.
#[derive(Clone, Debug, Default)]
pub(super) struct Posted(Arc<Mutex<Vec<Bytes>>>);

impl Posted {
    pub(super) fn all(&self) -> Vec<Bytes> {
        self.0.lock().expect("no test panicked here").clone()
    }
}

/// Listens until the test ends.
pub(super) fn listen() -> (SocketAddr, Posted) {
    let posted = Posted::default();
    let kept = posted.clone();
    let keep = move |body: Bytes| async move { kept.0.lock().expect("no test panicked here").push(body) };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, Router::new().fallback(keep)).await.expect("a server");
        });
    });
    (address, posted)
}
