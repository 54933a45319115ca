use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Level;

/// What is logged, and where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogParams {
    /// Least level that is logged; `modules` may say otherwise for parts of the program.
    #[schemars(extend("x-reload" = true))]
    pub level: Level,
    /// Least level by module: everything whose target begins with the key, such as `dais_ledger` or
    /// `dais_sim::coordinator`. The longest key that fits counts.
    #[schemars(extend("x-reload" = true))]
    pub modules: BTreeMap<String, Level>,
    /// How lines are written to the file; the console always shows text.
    pub format: Format,
    /// Whether lines are also written to standard error.
    pub enable_console: bool,
    /// File that lines are appended to; absent = none. Folders that are missing are made. A file is rotated by renaming it
    /// to `FILE.` and the time of its end, such as `dais.log.20261121T231005.123456Z`.
    pub file: Option<PathBuf>,
    /// Bytes from which on the file is rotated, at least 4,096. A line is never cut in two, so that a file may be smaller by
    /// a line, and larger only where a single line is.
    #[schemars(range(min = 4096))]
    pub max_bytes: u64,
    /// Whether the file is also rotated at the begin of each hour or day (UTC), if anything was written to it before.
    pub rotate: Rotation,
    /// Rotated files that are kept; the oldest are removed beyond it. With 0 a file that is full is thrown away.
    #[schemars(range(max = 100_000))]
    pub backup_count: u32,
    /// Whether rotated files are compressed (gzip).
    pub compress: bool,
    /// Days after which rotated files are removed, however few there are; 0 = never.
    #[schemars(range(max = 36_500))]
    pub retention_days: u32,
    /// Lines a second that one place in the code may log; what is more is left out, and a line says how many were. At least
    /// one line of every second is always logged; 0 = no limit.
    pub flood_per_second: u32,
}

/// Least size at which a file may be rotated, in bytes: less would make a file of every few lines.
pub(crate) const MAX_BYTES_MIN: u64 = 4096;

impl Default for LogParams {
    fn default() -> Self {
        Self {
            level: Level::Info,
            modules: BTreeMap::new(),
            format: Format::Text,
            enable_console: true,
            file: None,
            max_bytes: 10 * 1024 * 1024,
            rotate: Rotation::Never,
            backup_count: 5,
            compress: true,
            retention_days: 30,
            flood_per_second: 1000,
        }
    }
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Time, level, target, message, then fields as `name=value`.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How often a file is rotated, whatever its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// By size only.
    #[default]
    Never,
    /// At every full hour (UTC).
    Hourly,
    /// At midnight (UTC).
    Daily,
}

impl LogParams {
    /// What is wrong: the path of a field within this struct, and why. Empty where all is fine.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.max_bytes < MAX_BYTES_MIN {
            wrong.push(("max_bytes".to_owned(), format!("{} is less than {MAX_BYTES_MIN} bytes", self.max_bytes)));
        }
        if self.file.as_ref().is_some_and(|file| file.file_name().is_none()) {
            wrong.push(("file".to_owned(), "this is no path of a file".to_owned()));
        }
        for module in self.modules.keys() {
            let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
            if module.is_empty() || !module.chars().all(sound) {
                let why = format!("`{module}` is no module: a path such as `dais_ledger::writer` is meant");
                wrong.push((format!("modules.{module}"), why));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_cannot_say_is_checked_here() {
        assert_eq!(LogParams::default().check(), []);
        let wrong = LogParams {
            max_bytes: 10,
            file: Some("..".into()),
            modules: BTreeMap::from([("dais ledger".to_owned(), Level::Debug)]),
            ..LogParams::default()
        };
        let places: Vec<_> = wrong.check().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["max_bytes", "file", "modules.dais ledger"]);
    }

    #[test]
    fn params_are_read_as_written() {
        let text = r#"{"level": "WARN", "modules": {"dais_ledger": "Debug"}, "rotate": "daily", "format": "json"}"#;
        let params: LogParams = serde_json::from_str(text).unwrap();
        assert_eq!((params.level, params.modules["dais_ledger"]), (Level::Warning, Level::Debug));
        assert_eq!((params.rotate, params.format), (Rotation::Daily, Format::Json));
        let again = serde_json::from_str(&serde_json::to_string(&params).unwrap()).unwrap();
        assert_eq!(params, again);
        assert!(serde_json::from_str::<LogParams>(r#"{"levle": "info"}"#).is_err());
    }
}
