//! A mail server (RFC 5321) with TLS that fails three times, each time in another way, and then takes the mail.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use base64ct::{Base64, Encoding};
use dais_alert::SmtpTls;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificate::acceptor;

/// A mail as the server got it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Name and password that were given.
    pub(crate) login: Option<(String, String)>,
    pub(crate) text: String,
}

/// How a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is closed before a word is said.
    Drop,
    /// The server is not available (421) in place of its greeting.
    Unavailable,
    /// The server has an error of its own (451) when it has the whole mail.
    LocalError,
    /// The receiver does not exist (550).
    NoSuchReceiver,
}

#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    /// Troubles of connections, the next one last.
    troubles: Arc<Mutex<Vec<Trouble>>>,
    connections: Arc<Mutex<u32>>,
    tls: SmtpTls,
    acceptor: TlsAcceptor,
}

impl MailServer {
    /// Starts with the certificate in `folder`; the first connections have these troubles.
    pub(crate) fn start(folder: &Path, tls: SmtpTls, troubles: &[Trouble]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            mails: Arc::default(),
            troubles: Arc::new(Mutex::new(troubles.iter().rev().copied().collect())),
            connections: Arc::default(),
            tls,
            acceptor: acceptor(folder),
        };
        let state = server.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener of tokio");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    *state.connections.lock().expect("no test panicked") += 1;
                    let trouble = state.troubles.lock().expect("no test panicked").pop();
                    // A connection that breaks is the client's affair.
                    drop(state.serve(stream, trouble).await);
                }
            });
        });
        server
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("no test panicked").clone()
    }

    pub(crate) fn connections(&self) -> u32 {
        *self.connections.lock().expect("no test panicked")
    }

    async fn serve(&self, stream: TcpStream, trouble: Option<Trouble>) -> io::Result<()> {
        if trouble == Some(Trouble::Drop) {
            return Ok(());
        }
        match self.tls {
            SmtpTls::Implicit => {
                let stream = self.acceptor.accept(stream).await?;
                Session::new(stream, self).talk(true, trouble).await?;
            }
            SmtpTls::Starttls => {
                let mut clear = Session::new(stream, self);
                if clear.before_tls(trouble).await? {
                    let stream = self.acceptor.accept(clear.stream.into_inner()).await?;
                    Session::new(stream, self).talk(false, trouble).await?;
                }
            }
        }
        Ok(())
    }
}

struct Session<'a, S> {
    stream: BufReader<S>,
    server: &'a MailServer,
    mail: Mail,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: S, server: &'a MailServer) -> Self {
        Self { stream: BufReader::new(stream), server, mail: Mail::default() }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.get_mut().flush().await
    }

    /// The next line; `None` at the end.
    async fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end_matches("\r\n").to_owned()))
    }

    /// Whether TLS begins now. Nothing else is allowed before.
    async fn before_tls(&mut self, trouble: Option<Trouble>) -> io::Result<bool> {
        if trouble == Some(Trouble::Unavailable) {
            self.say("421 4.3.2 come back later").await?;
            return Ok(false);
        }
        self.say("220 localhost ESMTP").await?;
        while let Some(line) = self.hear().await? {
            match line.get(..4).unwrap_or(&line).to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.say("250-localhost").await?;
                    self.say("250 STARTTLS").await?;
                }
                "STAR" => {
                    self.say("220 2.0.0 go ahead").await?;
                    return Ok(true);
                }
                _ => self.say("530 5.7.0 must issue a STARTTLS command first").await?,
            }
        }
        Ok(false)
    }

    async fn talk(&mut self, greeting: bool, trouble: Option<Trouble>) -> io::Result<()> {
        if greeting {
            if trouble == Some(Trouble::Unavailable) {
                return self.say("421 4.3.2 come back later").await;
            }
            self.say("220 localhost ESMTP").await?;
        }
        while let Some(line) = self.hear().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.say("250-localhost").await?;
                    self.say("250 AUTH PLAIN").await?;
                }
                "AUTH" => self.log_in(rest).await?,
                "MAIL" => {
                    rest.clone_into(&mut self.mail.from);
                    self.say("250 2.1.0 ok").await?;
                }
                "RCPT" if trouble == Some(Trouble::NoSuchReceiver) => self.say("550 5.1.1 nobody of that name").await?,
                "RCPT" => {
                    self.mail.to.push(rest.to_owned());
                    self.say("250 2.1.5 ok").await?;
                }
                "DATA" => self.data(trouble).await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.say("250 2.0.0 ok").await?,
            }
        }
        Ok(())
    }

    async fn log_in(&mut self, words: &str) -> io::Result<()> {
        let response = words.strip_prefix("PLAIN ").expect("the only way that was offered");
        let decoded = Base64::decode_vec(response).expect("base64");
        let decoded = String::from_utf8(decoded).expect("text");
        let mut parts = decoded.split('\0').skip(1).map(str::to_owned);
        self.mail.login = parts.next().zip(parts.next());
        self.say("235 2.7.0 welcome").await
    }

    async fn data(&mut self, trouble: Option<Trouble>) -> io::Result<()> {
        self.say("354 end with a full stop").await?;
        let mut lines = Vec::new();
        while let Some(line) = self.hear().await? {
            if line == "." {
                break;
            }
            lines.push(line.strip_prefix('.').map_or_else(|| line.clone(), str::to_owned));
        }
        if trouble == Some(Trouble::LocalError) {
            return self.say("451 4.3.0 no room on my disk").await;
        }
        self.mail.text = lines.join("\n");
        self.server.mails.lock().expect("no test panicked").push(std::mem::take(&mut self.mail));
        self.say("250 2.0.0 taken").await
    }
}
