//! The crate as its users see it: real files, real threads, real sockets.
#![forbid(unsafe_code)]

mod endpoint;
mod health_monitor;
mod health_registry;
mod health_routes;
mod log;
mod otlp_collector;
mod prometheus;
mod reference;
mod trace;
