use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing::level_filters::LevelFilter;

/// How much an event matters.
///
/// Read in any case; `warn` stands for `warning`, and `critical` and `fatal`, which other programs have above `error`, for
/// `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What only matters to whoever wrote the code.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What works, but not as it should.
    Warning,
    /// What did not work.
    Error,
}

/// The levels from the least to the most that matters.
pub(crate) const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warning, Level::Error];

impl Level {
    /// Its name as it is written in logs and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    pub(crate) fn filter(self) -> LevelFilter {
        match self {
            Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warning => LevelFilter::WARN,
            Self::Error => LevelFilter::ERROR,
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::TRACE => Self::Trace,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::INFO => Self::Info,
            tracing::Level::WARN => Self::Warning,
            tracing::Level::ERROR => Self::Error,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.name())
    }
}

/// A word that is no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no level: trace, debug, info, warning or error")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        match word.to_ascii_lowercase().as_str() {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warning" | "warn" => Ok(Self::Warning),
            "error" | "critical" | "fatal" => Ok(Self::Error),
            _ => Err(UnknownLevel(word.to_owned())),
        }
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    /// The names as they are written. What is read besides them stands in `x-any-case` and `x-aliases`, for readers that
    /// check a value before it is deserialised.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "How much an event matters.",
            "enum": LEVELS.map(Level::name),
            "x-any-case": true,
            "x-aliases": {"warn": "warning", "critical": "error", "fatal": "error"},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_in_any_case_and_by_the_names_of_other_programs() {
        let read = |word: &str| serde_json::from_value::<Level>(word.into()).ok();
        assert_eq!(read("DEBUG"), Some(Level::Debug));
        assert_eq!(read("warn"), Some(Level::Warning));
        assert_eq!(read("Warning"), Some(Level::Warning));
        assert_eq!(read("CRITICAL"), Some(Level::Error));
        assert_eq!(read("loud"), None);
        let refused = "loud".parse::<Level>().unwrap_err();
        assert_eq!(refused.to_string(), "`loud` is no level: trace, debug, info, warning or error");
        for level in LEVELS {
            assert_eq!(read(level.name()), Some(level));
        }
    }
}
