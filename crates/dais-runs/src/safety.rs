//! How a run is kept safe.

use std::time::Duration;

/// When checkpoints are written, and at which limits a run stops.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Safety {
    /// Steps from one checkpoint to the next; `None`: no checkpoints.
    pub checkpoint_interval: Option<u32>,
    /// Time from one checkpoint to the next at least.
    pub checkpoint_spacing: Duration,
    /// Whether the run ends with the first failure of an agent that its scenario does not inject.
    pub stop_on_error: bool,
    /// The longest time a step may take.
    pub step_time_limit: Option<Duration>,
    /// The most memory that the process may take, in MiB.
    pub memory_limit_mb: Option<u32>,
}
