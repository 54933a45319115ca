//! Parameters of the alarm budget.

use serde::{Deserialize, Serialize};

use crate::params::error::ScenarioError;

/// How alarms are kept at the asked rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetParams {
    /// How far the logarithm of the p-values' scale moves with one alarm; 0 to 1, 0 = never.
    pub gain: f32,
    /// Most that p-values are scaled up; 1 to 1,000. Whoever floods a site to numb it comes no further.
    pub scale_max: f32,
}

impl Default for BudgetParams {
    fn default() -> Self {
        Self { gain: 0.01, scale_max: 20.0 }
    }
}

impl BudgetParams {
    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let rule = ScenarioError::require;
        rule((0.0..=1.0).contains(&self.gain), "agent.budget.gain", &self.gain, "0 to 1")?;
        let scale_max = self.scale_max;
        rule((1.0..=1_000.0).contains(&scale_max), "agent.budget.scale_max", &scale_max, "1 to 1,000")
    }
}
