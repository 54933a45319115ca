//! Structured logs: to the console and to files that are rotated and compressed.
//!
//! Events of `tracing` become lines of text or JSON, each with the fields of the spans around it (`run`, `world`, `step`,
//! `phase`, `agent`, `request`); spans of level info lend their fields even where only errors are logged. Lines for the file pass a bounded queue to a thread that writes them, so that a slow disk
//! stalls no step; what the queue does not hold is dropped and counted. A disk that is full does not end the program either:
//! it is said once, lines are lost and counted, and later ones are written when there is room.
//!
//! ```
//! use dais_telemetry::log::{self, LogParams};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("run.log");
//! let guard = log::start(&LogParams { file: Some(file.clone()), enable_console: false, ..LogParams::default() }).unwrap();
//! let span = tracing::info_span!("step", step = 7_u32);
//! span.in_scope(|| tracing::info!(duration_ms = 12.5, "step done"));
//! drop(guard);
//! let text = std::fs::read_to_string(file).unwrap();
//! assert!(text.ends_with("step done  duration_ms=12.5 step=7\n"));
//! ```
//!
//! What is logged is the caller's care: no line is searched for secrets.

pub mod analysis;
mod file;
mod files;
mod flood;
mod layer;
mod level;
mod levels;
mod line;
mod params;
mod rotated;
mod sink;
mod start;
mod writer;

pub use files::{family, open};
pub use level::{Level, UnknownLevel};
pub use params::{Format, LogParams, Rotation};
pub use sink::{Console, LogCounts};
pub use start::{LogError, LogGuard, prepare, start, start_with};
