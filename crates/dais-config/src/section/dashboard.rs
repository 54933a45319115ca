//! The page that shows a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The page that shows a run as it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DashboardParams {
    /// Whether the page is served.
    pub enable: bool,
    /// Address that the page is served on. `0.0.0.0` lets other machines in.
    pub server_address: String,
    /// Port that the page is served on, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub server_port: u16,
    /// Whether pages of other origins may read from this one.
    pub enable_cors: bool,
}

impl Default for DashboardParams {
    fn default() -> Self {
        Self { enable: false, server_address: "127.0.0.1".to_owned(), server_port: 8501, enable_cors: false }
    }
}
