use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dais_resilience::{Failure, FailureClass};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, RequestBuilder, Response, Url, redirect};

use super::permanent;

/// How much of an answer is read, to show it when it refuses.
const ANSWER_BYTES_MAX: usize = 300;

/// A client that trusts the system's certificates and those in `ca_file`, and follows nobody elsewhere: a message goes
/// where it was meant to go or nowhere.
pub(super) fn client(timeout: Duration, ca_file: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("dais/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = ca_file {
        let wrong = |what: String| permanent(what).with("ca_file", path.display());
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("holds no certificate (PEM)".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| permanent(error.to_string()))
}

/// What is wrong with the address in `field`; the address itself is not shown.
pub(super) fn wrong_url(field: &str, url: &str) -> Vec<(String, String)> {
    let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if url.is_empty() || Url::parse(url).is_ok_and(|url| is_http(&url)) {
        return Vec::new();
    }
    vec![(field.to_owned(), "is no address that begins with https:// or http://".to_owned())]
}

/// Sends a request, once. Says what was answered.
pub(super) async fn send(request: RequestBuilder) -> Result<String, Failure> {
    let response = request.send().await.map_err(classify)?;
    let status = response.status();
    let retry_after = retry_after(response.headers(), SystemTime::now());
    if status.is_redirection() {
        return Err(permanent(format!("answered {status} and wants the message elsewhere")));
    }
    match Failure::classify_http(status.as_u16(), retry_after) {
        None => Ok(format!("answered {status}")),
        Some(failure) => Err(failure.with("answer", beginning(response).await)),
    }
}

async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(ANSWER_BYTES_MAX);
    String::from_utf8_lossy(&bytes).trim().escape_debug().to_string()
}

fn classify(error: reqwest::Error) -> Failure {
    let class = if error.is_timeout() {
        FailureClass::Timeout
    } else if error.is_builder() {
        FailureClass::Invalid
    } else {
        FailureClass::Transient
    };
    // The address may be a secret; the causes do not name it.
    let error = error.without_url();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        message = format!("{message}: {deeper}");
        cause = deeper.source();
    }
    Failure::new(class, message)
}

/// How long the other side asks to be left alone: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_that_is_asked_for_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let asked = |value: &str| {
            let headers = [(RETRY_AFTER, value.parse().expect("a header value"))].into_iter().collect();
            retry_after(&headers, now)
        };
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:27:30 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
    }

    #[test]
    fn what_is_no_address_is_named_without_showing_it() {
        for wrong in ["hooks.slack.com/services/T0", "ftp://example.org/T0", "https://", "T0"] {
            let said = wrong_url("url", wrong);
            assert!(said.len() == 1 && !said[0].1.contains("T0"), "{wrong}");
        }
        assert!(wrong_url("url", "https://example.org/T0").is_empty());
    }
}
