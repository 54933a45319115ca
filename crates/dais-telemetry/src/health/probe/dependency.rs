use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::{Url, redirect};

use crate::health::{Check, Dependency, Finding, HealthParams};

/// How a dependency is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::health) enum Address {
    /// Host and port to connect to.
    Tcp(String),
    /// What is asked with GET.
    Http(Url),
}

impl Address {
    pub(in crate::health) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("`{text}` is no address: {error}"))?;
        match (url.scheme(), url.host_str(), url.port()) {
            ("tcp", Some(host), Some(port)) if !host.is_empty() => Ok(Self::Tcp(format!("{host}:{port}"))),
            ("tcp", ..) => Err(format!("`{text}` needs a host and a port: tcp://HOST:PORT")),
            ("http" | "https", Some(_), _) => Ok(Self::Http(url)),
            (scheme, ..) => Err(format!("`{scheme}` is not one of tcp, http, https")),
        }
    }
}

/// Checks a service that is reached over the network.
///
/// # Errors
/// An address that is none.
pub fn dependency(params: &HealthParams, dependency: &Dependency) -> Result<Check, String> {
    let address = Address::parse(&dependency.address)?;
    let timeout = Duration::try_from_secs_f64(params.timeout_s).unwrap_or(Duration::from_secs(5));
    let check = Check::new(dependency.name.clone(), params, move || {
        let asked = Instant::now();
        let reached = match &address {
            Address::Tcp(place) => connect(place, timeout),
            Address::Http(url) => get(url, timeout),
        };
        let took_ms = asked.elapsed().as_secs_f64() * 1e3;
        match reached {
            Ok(answer) => Finding::healthy(format!("{answer} in {took_ms:.1} ms")).figure("answer_ms", took_ms),
            Err(message) => Finding::unhealthy(message),
        }
    });
    Ok(if dependency.critical { check.critical() } else { check })
}

fn connect(place: &str, timeout: Duration) -> Result<String, String> {
    let addresses = place.to_socket_addrs().map_err(|error| format!("cannot find {place}: {error}"))?;
    let mut failed = format!("{place} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok("connected".to_owned()),
            Err(error) => failed = format!("cannot connect to {place}: {error}"),
        }
    }
    Err(failed)
}

fn get(url: &Url, timeout: Duration) -> Result<String, String> {
    let shown = || format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    let client = Client::builder().timeout(timeout).redirect(redirect::Policy::none()).build();
    let asked = client.and_then(|client| client.get(url.clone()).send());
    let answer = asked.map_err(|error| format!("{} does not answer: {}", shown(), cause(&error)))?;
    let status = answer.status();
    if status.as_u16() < 400 { Ok(format!("answers {status}")) } else { Err(format!("{} answers {status}", shown())) }
}

/// The innermost cause, which names no address: a query may hold a secret.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    if inner.is::<reqwest::Error>() { "the request could not be made".to_owned() } else { inner.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_how_a_service_is_reached() {
        assert_eq!(Address::parse("tcp://db.example:5432"), Ok(Address::Tcp("db.example:5432".into())));
        assert!(matches!(Address::parse("https://api.example/health"), Ok(Address::Http(_))));
        for wrong in ["db.example:5432", "tcp://db.example", "tcp://:80", "ftp://h:1", "", "http://"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
