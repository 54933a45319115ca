//! The rules of a run: all parameters that decide its history.

use dais_protocol::{PolicyParams, TrustParams};
use serde::{Deserialize, Serialize};

use crate::params::adversary::AdversaryGroup;
use crate::params::agent::AgentParams;
use crate::params::error::ScenarioError;
use crate::params::exchange::ExchangeParams;

/// How agents observe, vote, trust and lie: all that decides a history besides the traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// What every agent does.
    pub agent: AgentParams,
    /// How ballots are decided.
    pub policy: PolicyParams,
    /// How trust is earned.
    pub trust: TrustParams,
    /// How agents meet over the ledger.
    pub exchange: ExchangeParams,
    /// Agents that lie.
    pub adversaries: Vec<AdversaryGroup>,
    /// Chance that an agent's step fails, 0 to 1; to study recovery.
    pub failure_rate: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            agent: AgentParams::default(),
            policy: PolicyParams::default(),
            trust: TrustParams::default(),
            exchange: ExchangeParams::default(),
            adversaries: Vec::new(),
            failure_rate: 0.0,
        }
    }
}

impl Rules {
    /// These rules with all times as steps of `step_s` seconds, or of a minute where flows carry no times.
    #[must_use]
    pub fn settled(mut self, step_s: Option<f64>) -> Self {
        self.agent.settle(step_s);
        self.policy.settle(step_s);
        self
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.agent.check()?;
        self.policy.check()?;
        self.trust.check()?;
        self.exchange.check()?;
        AdversaryGroup::check_all(&self.adversaries)?;
        let rule = ScenarioError::require;
        rule((0.0..=1.0).contains(&self.failure_rate), "failure_rate", &self.failure_rate, "0 to 1")
    }
}
