//! How agents meet over the shared ledger: the parameters.

use dais_ledger::SIGNATURES_MAX;
use serde::{Deserialize, Serialize};

use crate::params::error::ScenarioError;

/// How agents meet over the shared ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeParams {
    /// Ballots open at once; offers beyond it are turned away and may come again.
    pub ballots_max: usize,
    /// Trust of all who sighted an address together, from which on it is blocked: a newcomer has 0.5, so it takes two
    /// newcomers or one agent with a good record.
    pub sighting_trust: f32,
    /// Agents that must challenge an accepted signature before a revocation ballot opens.
    pub challengers_min: usize,
    /// Sighted addresses still waiting for enough trust; the oldest make room.
    pub sighted_max: usize,
    /// Agents that watch the ledger and cosign its heads, drawn by the seed; all where there are fewer, 0 = none. At most
    /// 99, what a checkpoint has room for beside the log's own line; readers other than dais may refuse more than 15.
    pub witnesses: u32,
    /// Steps from one head that is cosigned to the next. The last head of a run always is.
    pub witness_steps: u32,
    /// Step from which on the coordinator shows half of the witnesses another history, in which whatever was accepted was
    /// rejected; absent = it is honest.
    pub two_faced_from: Option<u32>,
}

/// Witnesses beside whose cosignatures a checkpoint has room for the log's own signature.
const WITNESSES_MAX: usize = SIGNATURES_MAX - 1;

impl Default for ExchangeParams {
    fn default() -> Self {
        Self {
            ballots_max: 256,
            sighting_trust: 0.6,
            challengers_min: 2,
            sighted_max: 65_536,
            witnesses: 7,
            witness_steps: 20,
            two_faced_from: None,
        }
    }
}

impl ExchangeParams {
    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let rule = ScenarioError::require;
        rule((1..=65_536).contains(&self.ballots_max), "exchange.ballots_max", &self.ballots_max, "1 to 65,536")?;
        rule(
            (0.0..=1e6).contains(&self.sighting_trust),
            "exchange.sighting_trust",
            &self.sighting_trust,
            "0 to 1,000,000",
        )?;
        rule(self.challengers_min >= 1, "exchange.challengers_min", &self.challengers_min, "at least 1")?;
        rule(
            (1..=10_000_000).contains(&self.sighted_max),
            "exchange.sighted_max",
            &self.sighted_max,
            "1 to 10,000,000",
        )?;
        rule(self.witnesses as usize <= WITNESSES_MAX, "exchange.witnesses", &self.witnesses, "0 to 99")?;
        rule(self.witness_steps >= 1, "exchange.witness_steps", &self.witness_steps, "at least 1")
    }
}
