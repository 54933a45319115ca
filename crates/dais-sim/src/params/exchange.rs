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
    /// Trust of all who sighted an address together, from which on it may be blocked: a newcomer has 0.5.
    pub sighting_trust: f32,
    /// Agents that must have sighted an address before it is blocked, at least 1: nobody blocks an address alone, but at
    /// its own site.
    pub sighters_min: usize,
    /// Share of the agents that must have sighted an address, 0 to 1: it takes more than that, so fewer liars can block
    /// nothing.
    pub sighters_share: f32,
    /// Steps that a sighting counts, at least 1.
    pub sighting_ttl_steps: u32,
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
            sighters_min: 3,
            sighters_share: 0.1,
            sighting_ttl_steps: 40,
            challengers_min: 2,
            sighted_max: 65_536,
            witnesses: 7,
            witness_steps: 20,
            two_faced_from: None,
        }
    }
}

impl ExchangeParams {
    /// How many of so many agents must have sighted an address before it is blocked.
    pub(crate) fn sighters_needed(&self, agents: usize) -> usize {
        let share = (f64::from(self.sighters_share) * agents as f64 + 1e-5).floor() as usize + 1;
        share.max(self.sighters_min)
    }

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
        rule(self.sighters_min >= 1, "exchange.sighters_min", &self.sighters_min, "at least 1")?;
        let share = self.sighters_share;
        rule((0.0..=1.0).contains(&share), "exchange.sighters_share", &share, "0 to 1")?;
        let ttl = self.sighting_ttl_steps;
        rule(ttl >= 1, "exchange.sighting_ttl_steps", &ttl, "at least 1")?;
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
