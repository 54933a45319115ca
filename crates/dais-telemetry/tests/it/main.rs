//! The crate as its users see it: real files, real threads, real sockets.
#![forbid(unsafe_code)]
mod endpoint;
mod log;
mod prometheus;
mod reference;
//! Telemetry as its readers meet it: over real sockets and in real files.
mod health_monitor;
mod health_registry;
mod health_routes;
mod otlp_collector;
mod trace;
