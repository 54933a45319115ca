use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OTLP over HTTP, as protobuf; the usual port is 4318.
    #[default]
    Http,
    /// OTLP over gRPC; the usual port is 4317.
    Grpc,
}

/// Where traces are sent, and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceParams {
    /// Whether the life of each signature is traced.
    pub enable: bool,
    /// The collector: `http://HOST:PORT` or `https://HOST:PORT`, over HTTP with a path other than `/v1/traces` where it
    /// has one. Empty: what `OTEL_EXPORTER_OTLP_ENDPOINT` says, else the usual port on this machine.
    pub endpoint: String,
    /// How the collector is spoken to.
    pub protocol: Protocol,
    /// Headers of every request, such as an API key. Their values are secrets.
    #[schemars(extend("x-secret" = true))]
    pub headers: BTreeMap<String, Secret>,
    /// Share of signatures whose life is traced, 0 to 1. The id decides which: the same ones in every process.
    #[schemars(range(min = 0, max = 1))]
    pub sample_ratio: f64,
    /// Seconds a request may take with its repetitions, 0.1 to 300.
    #[schemars(range(min = 0.1, max = 300))]
    pub timeout_s: f64,
    /// The name under which the traces are found (`service.name`).
    pub service_name: String,
    /// Spans that may wait to be sent, 1 to 1000000; what comes when so many wait is dropped and counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue_spans_max: usize,
    /// Spans of one request at most, 1 to 100000.
    #[schemars(range(min = 1, max = 100_000))]
    pub batch_spans_max: usize,
    /// Seconds that spans wait at most for a batch to fill, 0.01 to 300.
    #[schemars(range(min = 0.01, max = 300))]
    pub batch_delay_s: f64,
    /// Signatures whose life is followed at once, 1 to 1000000; further ones are not traced, and counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub open_traces_max: usize,
}

impl Default for TraceParams {
    fn default() -> Self {
        Self {
            enable: false,
            endpoint: String::new(),
            protocol: Protocol::Http,
            headers: BTreeMap::new(),
            sample_ratio: 1.0,
            timeout_s: 10.0,
            service_name: "dais".to_owned(),
            queue_spans_max: 8192,
            batch_spans_max: 512,
            batch_delay_s: 1.0,
            open_traces_max: 4096,
        }
    }
}

impl TraceParams {
    /// What is wrong across fields or not in the schema, each with the path of the field; empty if nothing is.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if let Err(message) = self.address() {
            wrong.push(("endpoint".to_owned(), message));
        }
        if self.service_name.is_empty() {
            wrong.push(("service_name".to_owned(), "must not be empty".to_owned()));
        }
        if self.batch_spans_max > self.queue_spans_max {
            let message = format!("must be at most queue_spans_max, which is {}", self.queue_spans_max);
            wrong.push(("batch_spans_max".to_owned(), message));
        }
        for (name, value) in &self.headers {
            if let Err(message) = header(name, value) {
                wrong.push((format!("headers.{name}"), message));
            }
        }
        wrong
    }

    /// The endpoint with its path; `None` where it is left to the environment.
    pub(super) fn address(&self) -> Result<Option<String>, String> {
        if self.endpoint.is_empty() {
            return Ok(None);
        }
        let no_address = |why: &str| format!("`{}` is no address of a collector: {why}", self.endpoint);
        let mut url = reqwest::Url::parse(&self.endpoint).map_err(|error| no_address(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no_address("it begins with neither http:// nor https://"));
        }
        if self.protocol == Protocol::Http && url.path() == "/" {
            url.set_path("/v1/traces");
        }
        Ok(Some(url.into()))
    }

    /// The headers as they are sent.
    pub(super) fn header_map(&self) -> Result<HeaderMap, String> {
        self.headers.iter().map(|(name, value)| header(name, value)).collect()
    }
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), String> {
    let name: HeaderName = name.to_ascii_lowercase().parse().map_err(|_| format!("`{name}` is no name of a header"))?;
    let mut value = HeaderValue::from_str(value.reveal())
        .map_err(|_| "the value has characters that no header may have".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_gets_the_usual_path_over_http_only() {
        let of = |endpoint: &str, protocol| {
            TraceParams { endpoint: endpoint.into(), protocol, ..TraceParams::default() }.address()
        };
        assert_eq!(of("http://c:4318", Protocol::Http), Ok(Some("http://c:4318/v1/traces".into())));
        assert_eq!(of("https://c/own/path", Protocol::Http), Ok(Some("https://c/own/path".into())));
        assert_eq!(of("http://c:4317", Protocol::Grpc), Ok(Some("http://c:4317/".into())));
        assert_eq!(of("", Protocol::Grpc), Ok(None));
        assert!(of("c:4318", Protocol::Http).is_err());
    }

    #[test]
    fn everything_wrong_is_told_and_no_secret_with_it() {
        let headers = BTreeMap::from([("bad name".to_owned(), Secret::new("x")), ("key".into(), Secret::new("a\nb"))]);
        let params =
            TraceParams { endpoint: "ftp://c".into(), batch_spans_max: 9000, headers, ..TraceParams::default() };
        let wrong = params.check();
        let places: Vec<&str> = wrong.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["endpoint", "batch_spans_max", "headers.bad name", "headers.key"]);
        let shown = format!("{wrong:?} {params:?} {}", serde_json::to_string(&params).unwrap());
        assert!(!shown.contains("a\\nb"), "{shown}");
        assert_eq!(TraceParams::default().check(), []);
    }
}
