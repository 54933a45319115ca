use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::HealthParams;

/// How a part of the system is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Healthy,
    /// It works, and somebody should look at it.
    Degraded,
    /// It does not do what it is there for.
    Unhealthy,
}

impl State {
    /// Name as shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// What it is worth in the score: 1, ½ or 0.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Healthy => 1.0,
            Self::Degraded => 0.5,
            Self::Unhealthy => 0.0,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The state.
    pub state: State,
    /// One line for people; says what is wrong where something is.
    pub detail: String,
    /// What was measured, by name with unit (`free_mb`).
    pub figures: BTreeMap<String, f64>,
}

impl Finding {
    /// A finding without figures.
    pub fn new(state: State, detail: impl Into<String>) -> Self {
        Self { state, detail: detail.into(), figures: BTreeMap::new() }
    }

    /// All is well.
    pub fn healthy(detail: impl Into<String>) -> Self {
        Self::new(State::Healthy, detail)
    }

    /// Somebody should look.
    pub fn degraded(detail: impl Into<String>) -> Self {
        Self::new(State::Degraded, detail)
    }

    /// It does not work.
    pub fn unhealthy(detail: impl Into<String>) -> Self {
        Self::new(State::Unhealthy, detail)
    }

    /// With a measured figure; one that is no number is left out.
    #[must_use]
    pub fn figure(mut self, name: &str, value: f64) -> Self {
        if value.is_finite() {
            self.figures.insert(name.to_owned(), value);
        }
        self
    }
}

/// Finds out how something is. It is called on threads of its own, one call at a time.
pub type Probe = Arc<dyn Fn() -> Finding + Send + Sync>;

/// A check: what is called, how often, and what it means.
#[derive(Clone)]
pub struct Check {
    /// Name, unlike any other check's.
    pub name: String,
    /// Time from one call to the next.
    pub interval: Duration,
    /// Time after which a call that has not returned counts as unhealthy.
    pub timeout: Duration,
    /// Checks that this one depends on: while one of them is unhealthy or skipped, this one is skipped.
    pub after: Vec<String>,
    /// Whether all is unhealthy when this one is.
    pub critical: bool,
    /// Whether the process should be started anew when this one is unhealthy: what `/live` answers from.
    pub liveness: bool,
    /// How much it counts in the score, against the other checks.
    pub weight: u32,
    /// Worse findings in a row until they are shown, at least 1.
    pub failures_min: u32,
    /// Better findings in a row until they are shown, at least 1.
    pub recoveries_min: u32,
    /// What is called.
    pub probe: Probe,
}

impl Check {
    /// A check with the interval, time-out and hysteresis of `params`, not critical, of weight 1, that depends on
    /// nothing.
    pub fn new(
        name: impl Into<String>,
        params: &HealthParams,
        probe: impl Fn() -> Finding + Send + Sync + 'static,
    ) -> Self {
        let seconds = |s: f64| Duration::try_from_secs_f64(s).unwrap_or(Duration::from_secs(1));
        Self {
            name: name.into(),
            interval: seconds(params.interval_s),
            timeout: seconds(params.timeout_s),
            after: Vec::new(),
            critical: false,
            liveness: false,
            weight: 1,
            failures_min: params.failures_min,
            recoveries_min: params.recoveries_min,
            probe: Arc::new(probe),
        }
    }

    /// The same, depending on another check too.
    #[must_use]
    pub fn after(mut self, name: impl Into<String>) -> Self {
        self.after.push(name.into());
        self
    }

    /// The same, as one without which all is unhealthy, and three times the weight.
    #[must_use]
    pub fn critical(self) -> Self {
        Self { critical: true, weight: 3, ..self }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("interval", &self.interval).finish_non_exhaustive()
    }
}
