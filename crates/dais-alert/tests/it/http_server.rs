//! An HTTP server that fails three times, each time in another way, and then does its work.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificate::acceptor;

/// What was asked and how it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) answer: u16,
}

#[derive(Clone, Debug)]
pub(crate) struct HttpServer {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    /// How often a connection was reset.
    resets: Arc<Mutex<u32>>,
    answers: Arc<Vec<u16>>,
}

impl HttpServer {
    /// Answers the first requests with these states, all others with 202; resets the third connection.
    pub(crate) fn start(answers: &[u16], reset: Option<u32>) -> Self {
        let resets = Arc::default();
        let counted = Arc::clone(&resets);
        Self::run("http://127.0.0.1", answers, resets, move |listener| Resetting {
            listener,
            nth: 0,
            reset,
            resets: counted,
        })
    }

    /// Speaks TLS with the certificate in `folder`.
    pub(crate) fn start_tls(folder: &Path) -> Self {
        let acceptor = acceptor(folder);
        Self::run("https://localhost", &[], Arc::default(), |listener| Encrypted { listener, acceptor })
    }

    fn run<L>(
        host: &str,
        answers: &[u16],
        resets: Arc<Mutex<u32>>,
        wrap: impl FnOnce(TcpListener) -> L + Send + 'static,
    ) -> Self
    where
        L: Listener<Addr = SocketAddr>,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = format!("{host}:{}", listener.local_addr().expect("an address").port());
        let server = Self { address, seen: Arc::default(), resets, answers: Arc::new(answers.to_vec()) };
        let state = server.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener of tokio");
                let router = Router::new().fallback(answer).with_state(state);
                axum::serve(wrap(listener), router).await.expect("the server runs");
            });
        });
        server
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panicked").clone()
    }

    /// The only request that was answered with success.
    pub(crate) fn taken(&self) -> Request {
        let taken: Vec<_> = self.seen().into_iter().filter(|request| request.answer == 202).collect();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.into_iter().next().expect("one request")
    }

    pub(crate) fn resets(&self) -> u32 {
        *self.resets.lock().expect("no test panicked")
    }
}

async fn answer(State(server): State<HttpServer>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let mut seen = server.seen.lock().expect("no test panicked");
    let answer = server.answers.get(seen.len()).copied().unwrap_or(202);
    seen.push(Request { path: uri.path().to_owned(), headers, body, answer });
    let status = StatusCode::from_u16(answer).expect("a status of HTTP");
    // One request for each connection, so that connections can be counted.
    let close = [(header::CONNECTION, "close")];
    if answer == 429 {
        return (status, close, [(header::RETRY_AFTER, "1")], "slow down").into_response();
    }
    (status, close, "said").into_response()
}

/// A listener that resets one of the connections (RST) in place of serving it.
struct Resetting {
    listener: TcpListener,
    nth: u32,
    reset: Option<u32>,
    resets: Arc<Mutex<u32>>,
}

impl Listener for Resetting {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.expect("a connection");
            self.nth += 1;
            if self.reset != Some(self.nth) {
                return (stream, address);
            }
            stream.set_zero_linger().expect("a socket that can be reset");
            *self.resets.lock().expect("no test panicked") += 1;
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A listener that turns connections to TLS; those that fail at it are dropped.
struct Encrypted {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<TcpStream>, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.expect("a connection");
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
