use serde::{Deserialize, Serialize};

/// What is logged, and where to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogParams {}
