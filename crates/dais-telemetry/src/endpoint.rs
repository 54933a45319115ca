//! A small HTTP endpoint beside a run, for scrapers and probes.
//!
//! It lives on a thread of its own and is bounded in every way: connections, time, size of a request's head; one request a
//! connection. Whatever it is sent, the run goes on.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Connections served at once; others wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;
/// Longest that a connection may last.
const CONNECTION_MAX: Duration = Duration::from_secs(10);
/// Longest that the head of a request may take to come in.
const HEAD_MAX: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// Longest that requests under way are waited for at the end.
const FINISH_MAX: Duration = Duration::from_millis(500);
/// Longest that the end of the thread is waited for.
const STOP_MAX: Duration = Duration::from_millis(900);
/// Wait after the system had no room for another connection.
const REFUSED_WAIT: Duration = Duration::from_millis(50);

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Something else listens there.
    #[error("{0} is taken by another program: choose another port, or port 0 for any that is free")]
    Taken(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("no thread for the endpoint")]
    Thread(#[source] io::Error),
}

/// An HTTP server that runs until it is dropped, which takes less than a second.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    stopped: Receiver<()>,
}

impl Endpoint {
    /// Serves `routes` at `address`; with port 0 at any port that is free.
    ///
    /// # Errors
    /// An address that is taken or not ours, or a system without threads.
    pub fn serve(address: SocketAddr, routes: Router) -> Result<Self, EndpointError> {
        let refuse = |source: io::Error| {
            if source.kind() == io::ErrorKind::AddrInUse {
                EndpointError::Taken(address)
            } else {
                EndpointError::Listen { address, source }
            }
        };
        let listener = TcpListener::bind(address).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let bound = listener.local_addr().map_err(refuse)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(EndpointError::Thread)?;
        let (stop, told) = oneshot::channel();
        let (ended, stopped) = sync_channel(1);
        let run = move || {
            runtime.block_on(serve(listener, routes, told));
            // Nobody waits where the endpoint was not dropped but forgotten.
            let _ = ended.send(());
        };
        std::thread::Builder::new().name("endpoint".to_owned()).spawn(run).map_err(EndpointError::Thread)?;
        Ok(Self { address: bound, stop: Some(stop), stopped })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop = None;
        // A handler that takes longer is left behind with its thread.
        let _ = self.stopped.recv_timeout(STOP_MAX);
    }
}

/// Serves until the other end of `told` is gone.
async fn serve(listener: TcpListener, routes: Router, mut told: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let permit = Arc::clone(&open).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            _ = &mut told => break,
            (permit, accepted) = next => match (permit, accepted) {
                (Ok(permit), Ok((stream, _))) => answer(stream, &routes, &graceful, permit),
                // Too many files are open, or the caller has gone again.
                _ => tokio::time::sleep(REFUSED_WAIT).await,
            },
        }
    }
    drop(listener);
    // What is not finished by then is cut off.
    let _ = tokio::time::timeout(FINISH_MAX, graceful.shutdown()).await;
}

fn answer(stream: TcpStream, routes: &Router, graceful: &GracefulShutdown, permit: OwnedSemaphorePermit) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes.clone()));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // What goes wrong between us and a caller is the caller's to see.
        let _ = tokio::time::timeout(CONNECTION_MAX, connection).await;
        drop(permit);
    });
}
