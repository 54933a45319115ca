//! A run: how large, how long, how it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run: how large, how long, how it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationParams {
    /// Number of agents where neither the command line nor the scenario says one, 1 to 100000.
    #[schemars(range(min = 1, max = 100_000))]
    pub default_agents: u32,
    /// Number of steps where neither the command line nor the scenario says one, 1 to 10000000.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub default_steps: u32,
    /// Share of synthetic traffic that belongs to attacks where the scenario says nothing, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(extend("x-planned" = "generated traffic with a given share of attacks"))]
    pub anomaly_rate: f64,
    /// Number of agents from which on the work is spread over threads; results do not depend on it.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub use_parallel_threshold: u32,
    /// Whether a run writes checkpoints, from which `dais resume` goes on after it was ended.
    pub enable_checkpointing: bool,
    /// Steps from one checkpoint to the next, 1 to 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[schemars(extend("x-reload" = true))]
    pub checkpoint_interval: u32,
    /// Seed where the command line and the scenario say none; without any, one is drawn and shown.
    pub random_seed: Option<u64>,
    /// Whether a run ends at the first error of an agent, for debugging, in place of going on without that agent.
    #[schemars(extend("x-reload" = true))]
    pub stop_on_error: bool,
    /// Longest time that a step may take, in seconds, before the run writes a checkpoint and stops; 0 is no limit,
    /// at most 86400.
    #[schemars(range(min = 0.0, max = 86400.0))]
    #[schemars(extend("x-reload" = true))]
    pub step_time_limit_s: f64,
}

impl Default for SimulationParams {
    fn default() -> Self {
        Self {
            default_agents: 50,
            default_steps: 100,
            anomaly_rate: 0.05,
            use_parallel_threshold: 16,
            enable_checkpointing: true,
            checkpoint_interval: 50,
            random_seed: None,
            stop_on_error: false,
            step_time_limit_s: 0.0,
        }
    }
}
