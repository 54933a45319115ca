//! Health: checks with intervals, time-outs and history, and the state that follows from them.
//!
//! A [`Check`] is a closure that finds out how one part of the system is, with an interval, a time-out and the checks
//! it depends on. A [`Registry`] is the state machine over all of them: which one is due, what its findings amount to,
//! how healthy the whole is. It takes time as an argument. A [`Monitor`] is its shell: a thread that reads the clock and
//! calls the checks, each on a thread of its own, so that one that hangs holds up nothing. [`routes`] answers
//! `/health`, `/live` and `/ready`.
//!
//! | state | when |
//! |---|---|
//! | healthy | every check is |
//! | degraded | a check is degraded, or one that is not critical is unhealthy |
//! | unhealthy | a critical check is unhealthy |
//!
//! A check that depends on an unhealthy one is skipped and counts neither for the state nor for the score, so that one
//! cause is told once. The score is 100 × Σ weight × value ÷ Σ weight over the checks that count, where healthy is
//! worth 1, degraded ½ and unhealthy 0; without any check it is 100.
//!
//! What a check shows follows its findings with hysteresis: it becomes worse after
//! [`failures_min`](HealthParams::failures_min) worse findings in a row, and better after
//! [`recoveries_min`](HealthParams::recoveries_min) better ones. The first finding counts at once.

mod check;
mod monitor;
mod params;
mod probe;
mod registry;
mod report;
mod route;
mod standing;

pub use check::{Check, Finding, Probe, State};
pub use monitor::{Monitor, Stage};
pub use params::{Dependency, HealthParams};
pub use probe::{
    AgentCounts, Heartbeat, Verified, agents, clock, cpu, dependency, disk, free_bytes, ledger, memory, progress,
    storage,
};
pub use registry::{Change, Ended, Registry, RegistryError};
pub use report::{CheckReport, Record, Report, Status};
pub use route::{CONTENT_TYPE, routes};
