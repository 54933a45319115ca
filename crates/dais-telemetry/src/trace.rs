//! Traces: the life of each signature, sent over OTLP.

mod params;

pub use params::TraceParams;
