use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warning,
    /// What failed.
    Error,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When a new log file is begun, besides at its largest size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// At no time.
    Never,
    /// At each full hour.
    Hourly,
    /// At midnight.
    Daily,
}

/// What is logged, and where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogParams {
    /// How much is logged.
    #[schemars(extend("x-reload" = true))]
    pub level: Level,
    /// Levels of single modules, such as `dais_sim: debug`.
    #[schemars(extend("x-reload" = true))]
    pub modules: BTreeMap<String, Level>,
    /// How a line is written.
    pub format: Format,
    /// Whether lines go to standard error.
    pub enable_console: bool,
    /// File that lines go to. Without a value there is none.
    pub file: Option<PathBuf>,
    /// Size at which a new file is begun, in bytes, from 1024.
    #[schemars(range(min = 1024))]
    pub max_bytes: u64,
    /// When a new file is begun, besides at its largest size.
    pub rotate: Rotation,
    /// Files that are kept beside the one that is written, 0 to 10000.
    #[schemars(range(min = 0, max = 10000))]
    pub backup_count: u32,
    /// Whether older files are compressed with gzip.
    pub compress: bool,
    /// Days for which older files are kept, 0 to 36500; 0 is for ever.
    #[schemars(range(min = 0, max = 36500))]
    pub retention_days: u32,
    /// Lines of one place in the code that are written in a second, 0 to 1000000; 0 is all of them.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reload" = true))]
    pub flood_per_second: u32,
}

impl Default for LogParams {
    fn default() -> Self {
        Self {
            level: Level::Info,
            modules: BTreeMap::new(),
            format: Format::Text,
            enable_console: true,
            file: None,
            max_bytes: 10_485_760,
            rotate: Rotation::Never,
            backup_count: 5,
            compress: true,
            retention_days: 30,
            flood_per_second: 100,
        }
    }
}
