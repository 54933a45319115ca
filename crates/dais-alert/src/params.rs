use serde::{Deserialize, Serialize};

/// Rules, routes and channels of alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertParams {}
