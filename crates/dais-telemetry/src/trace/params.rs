use serde::{Deserialize, Serialize};

/// Where traces are sent, and how many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceParams {}
