//! Alerts: rules on metrics, health and events, and the channels that carry them to people.
#![forbid(unsafe_code)]

mod params;

pub use params::AlertParams;
