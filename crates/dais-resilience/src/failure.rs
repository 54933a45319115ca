use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of failure it is, and so what makes sense next.
///
/// | class | example | again? |
/// |---|---|---|
/// | `transient` | connection reset | yes |
/// | `overload` | 429, queue full | yes, after the wait that was asked for |
/// | `timeout` | no answer in time | yes |
/// | `permanent` | permission denied, no such channel | no: an operator has to act |
/// | `invalid` | input that breaks a rule | no: other input is needed |
/// | `internal` | broken invariant | no: a defect to report |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Passes by itself.
    Transient,
    /// Stays until somebody acts.
    Permanent,
    /// Too much was asked for at once.
    Overload,
    /// No answer in time.
    Timeout,
    /// What was asked for is wrong.
    Invalid,
    /// The program is wrong.
    Internal,
}

impl FailureClass {
    /// Whether the same thing may succeed when it is done again.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Transient | Self::Overload | Self::Timeout)
    }

    /// The name as it is written in logs and as the label `class` of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Overload => "overload",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How much a failure matters to who runs the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a line in the log.
    Warning,
    /// Something asked for was not done.
    Error,
    /// The run or its record is in danger.
    Critical,
}

/// An error with its class, its severity and where it happened.
///
/// ```
/// use dais_resilience::{Failure, FailureClass};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let failure = Failure::classify_io(&refused).with("address", "db.example:5432");
/// assert_eq!(failure.class, FailureClass::Transient);
/// assert!(failure.is_retryable());
/// assert_eq!(failure.to_string(), "connection refused (address: db.example:5432)");
/// ```
#[derive(Debug)]
pub struct Failure {
    /// What makes sense next.
    pub class: FailureClass,
    /// How much it matters.
    pub severity: Severity,
    /// What went wrong, in lower case.
    pub message: String,
    /// Names and values that tell where it happened, in the order in which they were added.
    pub context: Vec<(&'static str, String)>,
    /// How long the other side asked to be left alone.
    pub retry_after: Option<Duration>,
    /// What caused it.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of `class` with severity [`Severity::Error`]; an internal one is critical.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        let severity = if class == FailureClass::Internal { Severity::Critical } else { Severity::Error };
        Self { class, severity, message: message.into(), context: Vec::new(), retry_after: None, source: None }
    }

    /// The class of an error of the operating system.
    pub fn classify_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "kinds are added with every release of the standard library"
        )]
        let class = match error.kind() {
            Kind::TimedOut => FailureClass::Timeout,
            Kind::WouldBlock | Kind::ResourceBusy | Kind::QuotaExceeded => FailureClass::Overload,
            Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::NotConnected
            | Kind::BrokenPipe
            | Kind::UnexpectedEof
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown => FailureClass::Transient,
            Kind::InvalidInput | Kind::InvalidData | Kind::InvalidFilename => FailureClass::Invalid,
            _ => FailureClass::Permanent,
        };
        let severity = if matches!(error.kind(), Kind::StorageFull | Kind::ReadOnlyFilesystem) {
            Severity::Critical
        } else {
            Severity::Error
        };
        Self { severity, ..Self::new(class, error.to_string()) }
    }

    /// The class of an answer over HTTP, or `None` where `status` is no failure (below 400).
    pub fn classify_http(status: u16, retry_after: Option<Duration>) -> Option<Self> {
        let class = match status {
            0..400 => return None,
            408 | 504 => FailureClass::Timeout,
            429 | 503 => FailureClass::Overload,
            400 | 413 | 422 => FailureClass::Invalid,
            500..=599 => FailureClass::Transient,
            _ => FailureClass::Permanent,
        };
        Some(Self { retry_after, ..Self::new(class, format!("answered {status}")) })
    }

    /// Adds where it happened.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, value.to_string()));
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same thing may succeed when it is done again.
    pub fn is_retryable(&self) -> bool {
        self.class.is_retryable()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for (at, (key, value)) in self.context.iter().enumerate() {
            write!(formatter, "{}{key}: {value}", if at == 0 { " (" } else { ", " })?;
        }
        formatter.write_str(if self.context.is_empty() { "" } else { ")" })
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_an_answer_decides_whether_it_is_asked_again() {
        let class = |status| Failure::classify_http(status, None).map(|failure| failure.class);
        assert_eq!(class(204), None);
        assert_eq!(class(500), Some(FailureClass::Transient));
        assert_eq!(class(429), Some(FailureClass::Overload));
        assert_eq!(class(504), Some(FailureClass::Timeout));
        assert!(class(404).is_some_and(|class| !class.is_retryable()));
        assert!(class(400).is_some_and(|class| !class.is_retryable()));
    }

    #[test]
    fn a_full_disk_is_critical_and_nothing_to_retry() {
        let failure = Failure::classify_io(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((failure.class, failure.severity), (FailureClass::Permanent, Severity::Critical));
        assert!(!failure.is_retryable());
    }

    #[test]
    fn the_cause_and_the_place_are_kept() {
        let failure = Failure::new(FailureClass::Timeout, "no answer").with("host", "a").with("port", 25);
        let failure = failure.caused_by("reset");
        assert_eq!(failure.to_string(), "no answer (host: a, port: 25)");
        assert_eq!(failure.source().map(ToString::to_string).as_deref(), Some("reset"));
    }
}
