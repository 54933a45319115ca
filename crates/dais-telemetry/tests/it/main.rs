//! Telemetry as its readers meet it: over real sockets and in real files.

mod health_monitor;
mod health_registry;
mod health_routes;
mod otlp_collector;
mod trace;
