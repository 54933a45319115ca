//! Many machines at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// Work spread over many machines with Ray.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RayParams {
    /// Whether runs are spread over a Ray cluster.
    pub enable: bool,
    /// Address of the cluster: `auto` finds it, `local` starts one, else `host:port`.
    pub address: Option<String>,
    /// Processors that a local cluster takes, 1 to 65536. Without a value all of them.
    #[schemars(range(min = 1, max = 65536))]
    pub num_cpus: Option<u32>,
    /// Graphics processors that a local cluster takes, 0 to 1024.
    #[schemars(range(min = 0, max = 1024))]
    pub num_gpus: Option<u32>,
    /// Memory for objects that workers share, in bytes, from 78643200, the least that Ray takes.
    #[schemars(range(min = 78_643_200))]
    pub object_store_memory: Option<u64>,
    /// Whether the dashboard of Ray is started.
    pub include_dashboard: bool,
    /// Address that the dashboard of Ray listens on.
    pub dashboard_host: String,
    /// Port that the dashboard of Ray listens on, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub dashboard_port: u16,
    /// Password of the cluster.
    pub redis_password: Option<Secret>,
}

impl Default for RayParams {
    fn default() -> Self {
        Self {
            enable: false,
            address: None,
            num_cpus: None,
            num_gpus: None,
            object_store_memory: None,
            include_dashboard: false,
            dashboard_host: "127.0.0.1".to_owned(),
            dashboard_port: 8265,
            redis_password: None,
        }
    }
}
