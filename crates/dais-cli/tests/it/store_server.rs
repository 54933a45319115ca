//! An object store for tests: a process of its own that speaks the protocol of S3 and keeps its buckets in a folder.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assert_cmd::Command as Dais;
use tempfile::TempDir;

const FOLDER: &str = "DAIS_TEST_STORE_FOLDER";
const LISTENING: &str = "listening on ";
pub(crate) const KEY_ID: &str = "AKIDTESTTESTTEST";
pub(crate) const SECRET: &str = "a-secret-that-nobody-may-read";

/// A store with the bucket `bucket` that ends with this value.
pub(crate) struct Store {
    process: Child,
    /// It may speak again, and ends when nobody listens.
    _output: BufReader<ChildStdout>,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Store {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bucket")).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "store_server::serve", "--ignored", "--nocapture"]).env(FOLDER, folder.path());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map(Result::unwrap);
        let port = lines.find_map(|line| line.strip_prefix(LISTENING)?.parse().ok());
        Self { process, _output: output, folder, port: port.expect("the store says where it listens") }
    }

    /// The binary with the settings of this store.
    pub(crate) fn dais(&self, folder: &Path) -> Dais {
        dais_at(folder, self.port)
    }

    /// Where the object with this address lies.
    pub(crate) fn file(&self, url: &str) -> PathBuf {
        self.folder.path().join(url.strip_prefix("s3://").unwrap())
    }

    /// The objects under a prefix of the bucket.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let found = fs::read_dir(self.folder.path().join("bucket").join(prefix)).into_iter().flatten();
        let mut names: Vec<String> = found.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The binary with the settings of a store that listens on a port of this machine.
pub(crate) fn dais_at(folder: &Path, port: u16) -> Dais {
    let mut command = crate::dais(folder);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "us-east-1");
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")).env("AWS_ALLOW_HTTP", "true");
    command
}

/// Leads to a port, until so many bytes were sent there: then every connection ends, and new ones are refused.
pub(crate) fn breaking_proxy(to: u16, bytes_max: u64) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            if sent.load(Ordering::SeqCst) > bytes_max {
                break;
            }
            let client = client.unwrap();
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut answers, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Both);
            });
            let sent = Arc::clone(&sent);
            std::thread::spawn(move || forward(client, server, &sent, bytes_max));
        }
    });
    port
}

fn forward(mut from: TcpStream, mut to: TcpStream, sent: &AtomicU64, bytes_max: u64) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if sent.fetch_add(read as u64, Ordering::SeqCst) + read as u64 > bytes_max {
            break;
        }
        if std::io::Write::write_all(&mut to, &buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// The store's own process, until its standard input is closed.
#[test]
#[ignore = "a process that other tests start"]
fn serve() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let mut service = s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    service.set_auth(s3s::auth::SimpleAuth::from_single(KEY_ID, SECRET));
    let service = service.build();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("\n{LISTENING}{}", listener.local_addr().unwrap().port());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
                let _ = http.serve_connection(hyper_util::rt::TokioIo::new(socket), service).await;
            });
        }
    });
}
