//! The HTTP interface.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The HTTP interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiParams {
    /// Address that the HTTP interface listens on. `0.0.0.0` lets other machines in.
    pub host: String,
    /// Port that the HTTP interface listens on, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Whether answers of the interface tell the causes of internal errors.
    pub debug: bool,
    /// Longest time that a request may take, in seconds, 0.1 to 3600.
    #[schemars(range(min = 0.1, max = 3600.0))]
    #[schemars(extend("x-reload" = true))]
    pub request_timeout: f64,
    /// Most requests that are answered at the same time, 1 to 65536; more are turned away at once.
    #[schemars(range(min = 1, max = 65536))]
    #[schemars(extend("x-reload" = true))]
    pub max_concurrent_requests: u32,
}

impl Default for ApiParams {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8000,
            debug: false,
            request_timeout: 30.0,
            max_concurrent_requests: 100,
        }
    }
}
