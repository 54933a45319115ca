//! What the two JSON formats have in common: values by name, and blame where a line does not fit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{Flaw, quoted};
use super::value;

/// A time as seconds or as text.
#[derive(Debug)]
pub(crate) enum Time<'a> {
    Seconds(f64),
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Time<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl<'de> Visitor<'de> for TimeVisitor {
    type Value = Time<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Self::Value, E> {
        Ok(Time::Seconds(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Self::Value, E> {
        Ok(Time::Seconds(seconds as f64))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
        Ok(Time::Seconds(seconds as f64))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Time::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Time::Text(text.to_owned().into()))
    }
}

/// What a line holds. Text is checked once for the whole line; where a part that nobody asks for is no text, the rest is
/// read all the same.
pub(crate) fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(line) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(line),
    }
}

impl Time<'_> {
    pub(crate) fn seconds(&self, column: &str) -> Result<f64, Flaw> {
        match self {
            Self::Seconds(seconds) => value::known_seconds(column, *seconds),
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
