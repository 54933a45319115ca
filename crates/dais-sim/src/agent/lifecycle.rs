//! The life of an agent, as states and events.

use serde::{Deserialize, Serialize};

/// Where an agent stands in its life.
///
/// | from | to | when |
/// |---|---|---|
/// | `Born` | `Configured` | its parameters passed their checks |
/// | `Configured` | `ModelLoaded` | its first model was trained on its baseline |
/// | `ModelLoaded` | `HealthChecked` | the model's alert rate on its own baseline is within bounds |
/// | `HealthChecked` | `Active` | at once; from now on it alerts, publishes and votes |
/// | `Active` | `Recovering` | its step failed |
/// | `Recovering` | `Active` | a retry succeeded |
/// | `Recovering` | `Failed` | its retries are used up |
/// | any but `Failed` | `Stopped` | the run ended |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Created.
    Born,
    /// Its parameters are checked; it gathers a baseline.
    Configured,
    /// It has a first model.
    ModelLoaded,
    /// The model was found sound.
    HealthChecked,
    /// It takes part.
    Active,
    /// Its last step failed; it tries again in the next.
    Recovering,
    /// It failed too often in a row and takes no further part.
    Failed,
    /// The run ended.
    Stopped,
}

impl Lifecycle {
    /// All states, in the order of their codes in the ledger.
    pub(crate) const ALL: [Self; 8] = [
        Self::Born,
        Self::Configured,
        Self::ModelLoaded,
        Self::HealthChecked,
        Self::Active,
        Self::Recovering,
        Self::Failed,
        Self::Stopped,
    ];

    /// Name as shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Born => "born",
            Self::Configured => "configured",
            Self::ModelLoaded => "model_loaded",
            Self::HealthChecked => "health_checked",
            Self::Active => "active",
            Self::Recovering => "recovering",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the table allows the transition.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::Born => false,
            Self::Configured => self == Self::Born,
            Self::ModelLoaded => self == Self::Configured,
            Self::HealthChecked => self == Self::ModelLoaded,
            Self::Active => matches!(self, Self::HealthChecked | Self::Recovering),
            Self::Recovering => self == Self::Active,
            Self::Failed => self == Self::Recovering,
            Self::Stopped => !matches!(self, Self::Failed | Self::Stopped),
        }
    }
}

/// Why an agent changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The ordinary course of things.
    Progress,
    /// The detector could not be trained.
    Training,
    /// The agent's code failed in the middle of a step. Only ledgers of older versions have it: a panic ends a run now.
    Crash,
    /// A failure that the scenario injects.
    Injected,
    /// The retries are used up.
    RetriesSpent,
    /// The run ended.
    EndOfRun,
}

impl Cause {
    /// All causes, in the order of their codes in the ledger.
    pub(crate) const ALL: [Self; 6] =
        [Self::Progress, Self::Training, Self::Crash, Self::Injected, Self::RetriesSpent, Self::EndOfRun];
}

/// One transition, with its step and cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleEvent {
    /// Agent index.
    pub agent: u32,
    /// Step of the transition.
    pub step: u32,
    /// State before.
    pub from: Lifecycle,
    /// State after.
    pub to: Lifecycle,
    /// Why.
    pub cause: Cause,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_agent_stays_failed() {
        use Lifecycle::{Active, Configured, Failed, Recovering, Stopped};
        assert!([Active, Configured, Recovering, Stopped].iter().all(|&next| !Failed.may_become(next)));
    }

    #[test]
    fn an_active_agent_recovers_before_it_fails() {
        assert!(!Lifecycle::Active.may_become(Lifecycle::Failed));
        assert!(Lifecycle::Active.may_become(Lifecycle::Recovering));
        assert!(Lifecycle::Recovering.may_become(Lifecycle::Active));
    }
}
