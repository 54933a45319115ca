//! What a run tells its operator: logs, metrics, traces and health.
#![forbid(unsafe_code)]

pub mod endpoint;
pub mod health;
pub mod log;
pub mod metric;
pub mod trace;
