use serde::{Deserialize, Serialize};

/// Limits from which on a part of the system counts as degraded or unhealthy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthParams {}
