//! Backups in a bucket of S3 or of a store that speaks its protocol.

use std::error::Error as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{ClientConfigKey, HttpError};
use object_store::{BackoffConfig, Error, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::fault::StoreFault;
use super::{Object, Store};
use crate::backup::{BackupError, file};

const SCHEME: &str = "s3://";
/// Bytes that are held of an object, and sent or asked for in one request.
const PART_BYTES: u64 = 8 << 20;
/// Most parts of an object, a limit of the protocol.
const PARTS_MAX: u64 = 10_000;
/// A request that has not ended by then is given up.
const REQUEST_TIMEOUT: &str = "120 seconds";
const CONNECT_TIMEOUT: &str = "10 seconds";
/// How often a request that failed for a reason that may pass is sent again.
const RETRIES: usize = 4;
/// After so long, no request is sent again.
const RETRY_TIME: Duration = Duration::from_secs(150);
/// Longest text of a store that is told.
const DETAIL_CHARS_MAX: usize = 400;
/// Where machines of AWS ask for their credentials.
const MACHINE_CREDENTIALS: &str = "169.254.";

/// A prefix of a bucket.
pub(super) struct Bucket {
    store: AmazonS3,
    /// Drives the requests, one at a time, on the thread that asks.
    runtime: Runtime,
    /// Without the name of an object.
    url: String,
    prefix: object_store::path::Path,
    /// What must not be told.
    secrets: Vec<String>,
}

impl Bucket {
    /// The place at a URL `s3://BUCKET/PREFIX`; nothing is sent.
    pub(super) fn new(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, BackupError> {
        let place = url.strip_prefix(SCHEME).unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        if !is_name(bucket) {
            // The address may hold a key that somebody put into it.
            return Err(refused(
                "s3://…",
                "expected s3://BUCKET or s3://BUCKET/PREFIX; keys belong in the environment",
            ));
        }
        let prefix = object_store::path::Path::parse(prefix).map_err(|error| refused(url, &error.to_string()))?;
        let settings: Vec<(AmazonS3ConfigKey, String)> = settings
            .into_iter()
            .filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty())
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
            .collect();
        check_encryption(url, &settings)?;
        let secret = |key: &AmazonS3ConfigKey| {
            matches!(
                key,
                AmazonS3ConfigKey::AccessKeyId | AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token
            )
        };
        let secrets = settings.iter().filter(|(key, _)| secret(key)).map(|(_, value)| value.clone()).collect();
        let timeouts = [
            (AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT.to_owned()),
            (AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT.to_owned()),
        ];
        let mut builder = AmazonS3Builder::new().with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(10),
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: RETRY_TIME,
        });
        for (key, value) in timeouts.into_iter().chain(settings) {
            builder = builder.with_config(key, value);
        }
        let store = builder.with_bucket_name(bucket).build().map_err(|error| refused(url, &error.to_string()))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(BackupError::at(Path::new(url)))?;
        Ok(Self { store, runtime, url: url.to_owned(), prefix, secrets })
    }

    fn key(&self, name: &str) -> object_store::path::Path {
        self.prefix.clone().join(name)
    }

    /// Waits for an answer.
    fn ask<T>(&self, name: &str, request: impl Future<Output = Result<T, Error>>) -> Result<T, BackupError> {
        self.runtime.block_on(request).map_err(|error| self.failed(name, &error))
    }

    /// Length of an object, `None` when there is none.
    fn length(&self, name: &str) -> Result<Option<u64>, BackupError> {
        match self.ask(name, self.store.head(&self.key(name))) {
            Ok(found) => Ok(Some(found.size)),
            Err(BackupError::Store { fault: StoreFault::NoObject, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put_in_parts(
        &self,
        input: &mut impl Read,
        length: u64,
        name: &str,
        watch: &mut dyn FnMut(u64),
    ) -> Result<(), BackupError> {
        let part_bytes = PART_BYTES.max(length.div_ceil(PARTS_MAX));
        let mut upload = self.ask(name, self.store.put_multipart(&self.key(name)))?;
        let mut send = || {
            let mut sent = 0;
            loop {
                let part = read_part(input, part_bytes).map_err(BackupError::at(&self.address(name)))?;
                if part.is_empty() {
                    break;
                }
                sent += part.len() as u64;
                self.ask(name, upload.put_part(PutPayload::from(part)))?;
                watch(sent);
            }
            self.ask(name, upload.complete())
        };
        let sent = send();
        if sent.is_err() {
            // Parts that cannot be removed are seen by nobody; the error that stopped them is the one to tell.
            let _ = self.ask(name, upload.abort());
        }
        sent.map(|_| ())
    }

    fn failed(&self, name: &str, error: &Error) -> BackupError {
        BackupError::Store { path: self.address(name), fault: self.fault(error) }
    }

    /// What an error means to who runs this.
    fn fault(&self, error: &Error) -> StoreFault {
        let text = self.without_secrets(&error.to_string());
        let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
        let (mut cause, mut unanswered) = (error.source(), false);
        while let Some(found) = cause {
            unanswered |= found.is::<HttpError>();
            cause = found.source();
        }
        let status = between(&text, "status code: ", ":").unwrap_or_default();
        if text.contains(MACHINE_CREDENTIALS) {
            StoreFault::NoCredentials
        } else if code == "NoSuchBucket" {
            StoreFault::NoBucket
        } else if status.starts_with("401") || status.starts_with("403") {
            StoreFault::Denied { code: if code.is_empty() { status } else { code }.to_owned() }
        } else if matches!(error, Error::NotFound { .. }) {
            StoreFault::NoObject
        } else if unanswered || status.starts_with('5') {
            StoreFault::Unreachable { detail: brief(&text) }
        } else {
            StoreFault::Refused { detail: brief(&text) }
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

impl Store for Bucket {
    fn address(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.url.clone().into() } else { format!("{}/{name}", self.url).into() }
    }

    fn folder(&self) -> Option<&Path> {
        None
    }

    fn prepare(&self) -> Result<(), BackupError> {
        // Whether the bucket is there and may be used is better known before the ledger was copied and packed.
        self.list().map(|_| ())
    }

    fn put(&self, finished: &Path, name: &str, watch: &mut dyn FnMut(u64)) -> Result<(), BackupError> {
        if self.length(name)?.is_some() {
            return Err(BackupError::Exists { path: self.address(name) });
        }
        let length = fs::metadata(finished).map_err(BackupError::at(finished))?.len();
        let mut input = file::open(finished)?;
        if length > PART_BYTES {
            return self.put_in_parts(&mut input, length, name, watch);
        }
        let whole = read_part(&mut input, PART_BYTES).map_err(BackupError::at(finished))?;
        self.ask(name, self.store.put(&self.key(name), PutPayload::from(whole)))?;
        watch(length);
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Box<dyn Read + '_>, BackupError> {
        let missing = || BackupError::Store { path: self.address(name), fault: StoreFault::NoObject };
        let length = self.length(name)?.ok_or_else(missing)?;
        Ok(Box::new(Reader { bucket: self, name: name.to_owned(), length, asked: 0, part: io::Cursor::default() }))
    }

    fn list(&self) -> Result<Option<Vec<Object>>, BackupError> {
        let found = self.ask("", self.store.list_with_delimiter(Some(&self.prefix)))?;
        let object = |found: object_store::ObjectMeta| {
            Some(Object { name: found.location.filename()?.to_owned(), bytes: found.size })
        };
        Ok(Some(found.objects.into_iter().filter_map(object).collect()))
    }

    fn delete(&self, name: &str) -> Result<(), BackupError> {
        match self.ask(name, self.store.delete(&self.key(name))) {
            Err(BackupError::Store { fault: StoreFault::NoObject, .. }) => Ok(()),
            deleted => deleted,
        }
    }
}

/// An object, asked for part by part.
struct Reader<'a> {
    bucket: &'a Bucket,
    name: String,
    length: u64,
    /// Bytes that were asked for.
    asked: u64,
    part: io::Cursor<Vec<u8>>,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 || buffer.is_empty() || self.asked == self.length {
            return Ok(read);
        }
        let end = self.length.min(self.asked + PART_BYTES);
        let key = self.bucket.key(&self.name);
        let request = self.bucket.store.get_range(&key, self.asked..end);
        let part = self.bucket.runtime.block_on(request);
        let part = part.map_err(|error| io::Error::other(self.bucket.fault(&error)))?;
        self.asked = end;
        self.part = io::Cursor::new(part.into());
        self.part.read(buffer)
    }
}

/// The next bytes, at most so many; fewer at the end only.
fn read_part(input: &mut impl Read, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    input.take(bytes_max).read_to_end(&mut part)?;
    Ok(part)
}

/// A store that is spoken to in the clear must be meant to be.
fn check_encryption(url: &str, settings: &[(AmazonS3ConfigKey, String)]) -> Result<(), BackupError> {
    let clear = |(key, value): &(AmazonS3ConfigKey, String)| {
        matches!(key, AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint) && value.starts_with("http://")
    };
    let allowed = |(key, value): &(AmazonS3ConfigKey, String)| {
        matches!(key, AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp))
            && matches!(&**value, "true" | "1" | "yes" | "on")
    };
    if settings.iter().any(clear) && !settings.iter().any(allowed) {
        return Err(refused(
            url,
            "AWS_ENDPOINT_URL begins with http://, which is not encrypted: AWS_ALLOW_HTTP=true allows it",
        ));
    }
    Ok(())
}

fn refused(url: &str, detail: &str) -> BackupError {
    BackupError::Store { path: url.into(), fault: StoreFault::Settings { detail: detail.to_owned() } }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// One line, cut.
fn brief(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(DETAIL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")];

    #[test]
    fn an_address_has_a_bucket_and_perhaps_a_prefix() {
        for (url, key) in [("s3://b", "x.json"), ("s3://b.c-d/e", "e/x.json")] {
            let bucket = Bucket::new(url, settings(&KEYS)).unwrap();
            assert_eq!(bucket.key("x.json").to_string(), key);
            assert_eq!(bucket.address("x.json"), PathBuf::from(format!("{url}/x.json")));
        }
        for url in ["s3://", "s3:///p", "b/p", "s3://id:secret@b/p"] {
            let error = Bucket::new(url, settings(&KEYS)).err().unwrap().to_string();
            assert!(!error.contains("id:secret"), "{error}");
        }
    }

    #[test]
    fn a_store_without_encryption_must_be_allowed() {
        let open = |more: &[(&str, &str)]| Bucket::new("s3://b", settings(&[&KEYS[..], more].concat())).err();
        let clear = ("AWS_ENDPOINT_URL", "http://localhost:9000");
        assert!(open(&[clear]).unwrap().to_string().contains("AWS_ALLOW_HTTP=true"));
        assert!(open(&[clear, ("AWS_ALLOW_HTTP", "false")]).is_some());
        assert!(open(&[clear, ("AWS_ALLOW_HTTP", "true")]).is_none());
        assert!(
            open(&[("AWS_ENDPOINT_URL", "https://localhost:9000"), ("OTHER", "x"), ("AWS_UNKNOWN", "x")]).is_none()
        );
    }

    #[test]
    fn errors_are_sorted_by_what_can_be_done_and_hold_no_secret() {
        let bucket = Bucket::new("s3://b/p", settings(&KEYS)).unwrap();
        let generic = |text: &str| bucket.fault(&Error::Generic { store: "S3", source: text.to_owned().into() });
        assert_eq!(generic("404: <Error><Code>NoSuchBucket</Code></Error>"), StoreFault::NoBucket);
        assert_eq!(generic("PUT http://169.254.169.254/latest/api/token"), StoreFault::NoCredentials);
        assert!(matches!(generic("status code: 503 Slow Down: "), StoreFault::Unreachable { .. }));
        let told = generic("an-id signed\n with a-secret").to_string();
        assert_eq!(told, "the store refuses: Generic S3 error: … signed with …");
        let denied = |code: &str| StoreFault::Denied { code: code.to_owned() };
        assert_eq!(generic("status code: 403 Forbidden: <Code>RequestExpired</Code>"), denied("RequestExpired"));
        assert_eq!(generic("status code: 401 Unauthorized: "), denied("401 Unauthorized"));
        let missing = bucket.fault(&Error::NotFound { path: "p/x".to_owned(), source: "404".into() });
        assert_eq!(missing, StoreFault::NoObject);
    }
}
