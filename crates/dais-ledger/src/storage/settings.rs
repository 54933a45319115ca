//! How a storage is opened, beyond where it is.

use std::time::Duration;

use crate::cache::CacheSettings;

/// What it means that a batch was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The batch is on the disk: it survives a loss of power. Each batch waits for the disk once.
    Full,
    /// The batch is with the operating system: it survives the end of the process, however sudden. A loss of power may
    /// take the last batches; the file then holds the log as of an earlier sealed head, never something in between.
    #[default]
    Normal,
}

/// How a storage is opened; each kind of storage takes what concerns it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageOptions {
    /// Of SQLite files.
    pub durability: Durability,
    /// Of logs on servers.
    pub server: ServerSettings,
    /// Of readers that share a log, see [`crate::ReaderPool`].
    pub pool: PoolSettings,
}

/// How many readers a [`crate::ReaderPool`] has, and how long who wants one waits.
///
/// Up to `size + overflow` readers are in use at a time. A reader is one connection to the file or server, and a quarter
/// of a byte of memory for each entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Most readers that are kept open while nobody uses them. Default: 5.
    pub size: usize,
    /// Readers that may be opened beyond `size` while all are in use; they are closed when they come back and are not
    /// wanted. Default: 10. With zero readers in all, there is one.
    pub overflow: usize,
    /// How long to wait for a reader when all are in use; opening and catching up come on top. Zero: not at all.
    /// Default: 30 s.
    pub timeout: Duration,
    /// Age at which a reader is closed instead of used again. Zero: never. Default: 1 h. On a server the connection of
    /// a reader is also replaced at the age in [`ServerSettings::recycle`].
    pub recycle: Duration,
    /// What all readers of the pool keep together of what they read. Default: 16 MiB and 16 MiB.
    pub cache: CacheSettings,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            size: 5,
            overflow: 10,
            timeout: Duration::from_secs(30),
            recycle: Duration::from_hours(1),
            cache: CacheSettings::default(),
        }
    }
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
