//! What an agent heeds; without a value that of the scenario holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent heeds. A key without a value leaves it to the scenario, which can say much more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgentParams {
    /// Alert level: flows whose p-value is at most this are detected, above 0 and below 1.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alert_p: Option<f64>,
    /// Steps from one fit of an agent's model to the next, 1 to 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub retrain_every: Option<u32>,
}
