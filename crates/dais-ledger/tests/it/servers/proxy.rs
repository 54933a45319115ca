//! A way to a server that loses what it is told to lose.

#![expect(clippy::disallowed_methods, reason = "connections are carried while the test goes on")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// What is lost, once, together with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lose {
    /// The next `COMMIT`, on its way to the server.
    Commit = 1,
    /// The answer to the next `COMMIT`: the server has made it.
    Answer = 2,
}

pub(super) struct Proxy {
    pub(super) port: u16,
    plan: Arc<AtomicU8>,
}

impl Proxy {
    pub(super) fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let plan = Arc::clone(&shared);
                thread::spawn(move || forward(&client, &server, &plan));
            }
        });
        Self { port, plan }
    }

    pub(super) fn lose(&self, what: Lose) {
        self.plan.store(what as u8, Ordering::SeqCst);
    }

    /// Whether what was to be lost was lost.
    pub(super) fn has_lost(&self) -> bool {
        self.plan.load(Ordering::SeqCst) == 0
    }
}

/// Carries bytes both ways until the plan or one of the two ends it.
fn forward(client: &TcpStream, server: &TcpStream, plan: &AtomicU8) {
    thread::scope(|scope| {
        scope.spawn(|| carry(server, client, |_| true));
        carry(client, server, |bytes| {
            let commits = bytes.windows(6).any(|word| word == b"COMMIT");
            let lost = if commits { plan.swap(0, Ordering::SeqCst) } else { 0 };
            if lost == Lose::Answer as u8 {
                // Nothing goes back any more; the server ends what it was asked before it sees the end.
                let _ = client.shutdown(Shutdown::Both);
                let _ = (&*server).write_all(bytes);
            }
            lost == 0
        });
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Write);
    });
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, wanted: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !wanted(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
