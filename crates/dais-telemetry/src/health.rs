//! Health: checks with intervals, time-outs and history, and the state that follows from them.

mod params;

pub use params::HealthParams;
