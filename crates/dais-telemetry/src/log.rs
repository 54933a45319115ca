//! Structured logs: to the console and to files that are rotated and compressed.

mod params;

pub use params::LogParams;
