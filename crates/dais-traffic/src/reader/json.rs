//! What the two JSON formats have in common: values by name, and blame where a line does not fit.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::error::{Flaw, quoted};
use super::value;

/// A time as seconds or as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Time<'a> {
    Seconds(f64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl Time<'_> {
    pub(crate) fn seconds(&self, column: &str) -> Result<f64, Flaw> {
        match self {
            Self::Seconds(seconds) => value::seconds(column, seconds.to_string().as_bytes()),
            Self::Text(text) => value::timestamp(column, text.as_bytes()),
        }
    }
}

/// What a field must be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Time,
    Text,
    Port,
    Count,
    Seconds,
}

impl Kind {
    fn expected(self) -> &'static str {
        match self {
            Self::Time => "a time",
            Self::Text => "text",
            Self::Port => "a port from 0 to 65535",
            Self::Count => "a whole number of at least 0",
            Self::Seconds => "a number of at least 0",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Time => value.is_number() || value.is_string(),
            Self::Text => value.is_string(),
            Self::Port => value.as_u64().is_some_and(|port| u16::try_from(port).is_ok()),
            Self::Count => value.as_u64().is_some(),
            Self::Seconds => value.as_f64().is_some_and(|seconds| seconds >= 0.0),
        }
    }
}

/// Why a line could not be deserialised: the first field (a path such as `/flow/start`) that is missing though
/// required or that does not fit, or what the JSON parser says. Only broken lines pay for this.
pub(crate) fn blame(line: &[u8], fields: &[(&str, Kind, bool)], error: &serde_json::Error) -> Flaw {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        let what = error.to_string();
        return Flaw::row("a JSON object on one line", format!("{} ({what})", quoted(line)));
    };
    for &(path, kind, required) in fields {
        let column = path.trim_start_matches('/').replace('/', ".");
        match value.pointer(path) {
            None if required => return Flaw::field(&column, kind.expected(), b""),
            Some(found) if !kind.fits(found) && (required || !found.is_null()) => {
                return Flaw::field(&column, kind.expected(), found.to_string().as_bytes());
            }
            _ => {}
        }
    }
    Flaw::row("a flow", error.to_string())
}
