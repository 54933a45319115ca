//! How much of the machine is used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of the machine is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PerformanceParams {
    /// Whether what is read from ledgers is kept in memory.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub enable_caching: bool,
    /// Memory for what is read from ledgers, in megabytes, 1 to 1048576.
    #[schemars(range(min = 1, max = 1_048_576))]
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub cache_size_mb: u32,
    /// Worker threads, 1 to 4096. Without a value one for each core; results do not depend on it.
    #[schemars(range(min = 1, max = 4096))]
    pub max_workers: Option<u32>,
    /// Memory of the process in megabytes beyond which a run writes a checkpoint and stops; 0 is no limit.
    #[schemars(range(min = 0, max = 67_108_864))]
    #[schemars(extend("x-reload" = true))]
    pub memory_limit_mb: u32,
}

impl Default for PerformanceParams {
    fn default() -> Self {
        Self { enable_caching: true, cache_size_mb: 32, max_workers: None, memory_limit_mb: 0 }
    }
}
