//! The complete description of a run, but for where its traffic comes from.

use std::fmt::Display;

use dais_protocol::{ParamsError, PolicyParams, TrustParams};
use serde::{Deserialize, Serialize};

use crate::adversary::AdversaryGroup;
use crate::exchange::ExchangeParams;
use crate::params::AgentParams;
use crate::seed::Seed;
use crate::stop::Stop;

/// A parameter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// A value out of its range.
    #[error("`{key}` is {value}: allowed is {allowed}")]
    Range {
        /// Path of the parameter.
        key: &'static str,
        /// The value given.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A parameter of the protocol out of its range.
    #[error(transparent)]
    Protocol(#[from] ParamsError),
    /// More sites are asked for than the traffic has, or none.
    #[error("the traffic has {sites} sites: a run needs at least one")]
    Sites {
        /// Sites of the traffic.
        sites: usize,
    },
}

impl ScenarioError {
    pub(crate) fn require(
        holds: bool,
        key: &'static str,
        value: &dyn Display,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Range { key, value: value.to_string(), allowed }) }
    }
}

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
    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.agent.check()?;
        self.policy.check()?;
        self.trust.check()?;
        self.exchange.check()?;
        let rule = ScenarioError::require;
        for group in &self.adversaries {
            rule((0.0..=1.0).contains(&group.share), "adversaries.share", &group.share, "0 to 1")?;
            rule(!group.behaviours.is_empty(), "adversaries.behaviours", &"empty", "at least one behaviour")?;
        }
        let share: f64 = self.adversaries.iter().map(|group| group.share).sum();
        rule(share <= 1.0, "adversaries", &share, "shares that add up to at most 1")?;
        rule((0.0..=1.0).contains(&self.failure_rate), "failure_rate", &self.failure_rate, "0 to 1")
    }
}

/// How a run is carried out; nothing here changes its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Worker threads; at least 1.
    pub threads: usize,
    /// From this many agents on the work is spread over the threads.
    pub use_parallel_threshold: usize,
}

impl Default for Execution {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, use_parallel_threshold: 16 }
    }
}

/// Everything a world is made of besides its traffic.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of the run.
    pub seed: Seed,
    /// Rules of the run.
    pub rules: Rules,
    /// How it is carried out.
    pub execution: Execution,
    /// Name of the ledger.
    pub origin: dais_ledger::Origin,
    /// Description of the run, recorded as the first ledger entry.
    pub genesis: Vec<u8>,
    /// Asked when a step is to be left unfinished.
    pub stop: Stop,
}
