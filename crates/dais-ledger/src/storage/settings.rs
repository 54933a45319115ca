//! How a storage is opened, beyond where it is.

use std::time::Duration;

use super::Durability;

/// How a storage is opened; each kind of storage takes what concerns it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageOptions {
    /// Of SQLite files.
    pub durability: Durability,
    /// Of logs on servers.
    pub server: ServerSettings,
}

/// How long a log on a server waits, and how often it tries again.
///
/// What passes by itself (server restarting, connection lost, deadlock, too many connections) is tried again
/// `retry_attempts` times. Before each time it waits: first between one and two times `retry_delay`, then twice as long
/// each time, up to [`ServerSettings::RETRY_DELAY_MAX`]. With the defaults that is 20 to 40 seconds in all, besides the
/// time that connecting takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// How long one attempt to connect may take. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long one statement may take before the server ends it; also how long sent bytes may stay unanswered by the
    /// network before the connection counts as lost. Zero: no limit. Default: 60 s.
    pub statement_timeout: Duration,
    /// How often it is tried again after the first time. Zero: never. Default: 10.
    pub retry_attempts: u32,
    /// The shortest wait before the first new attempt. Default: 100 ms.
    pub retry_delay: Duration,
    /// Age at which a connection is replaced before its next use, so that servers and proxies that end old connections
    /// do not interrupt. Zero: never. Default: 30 min.
    pub recycle: Duration,
}

impl ServerSettings {
    /// The longest wait before a new attempt, without its random part: 5 s.
    pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_mins(1),
            retry_attempts: 10,
            retry_delay: Duration::from_millis(100),
            recycle: Duration::from_mins(30),
        }
    }
}
