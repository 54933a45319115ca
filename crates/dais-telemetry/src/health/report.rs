use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::State;
use super::monitor::Stage;

/// What a check shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not found out yet.
    Unknown,
    /// As it should be.
    Healthy,
    /// It works, and somebody should look at it.
    Degraded,
    /// It does not work.
    Unhealthy,
    /// Something that it depends on does not work.
    Skipped,
}

impl Status {
    /// Name as shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Skipped => "skipped",
        }
    }

    /// The state; `None` where there is none that counts.
    #[must_use]
    pub fn state(self) -> Option<State> {
        match self {
            Self::Unknown | Self::Skipped => None,
            Self::Healthy => Some(State::Healthy),
            Self::Degraded => Some(State::Degraded),
            Self::Unhealthy => Some(State::Unhealthy),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A finding as it is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Seconds since the checks began.
    pub at_s: f64,
    /// Milliseconds it took to find out.
    pub duration_ms: f64,
    /// What was found.
    pub state: State,
    /// What was wrong, or how it is.
    pub detail: String,
}

/// One check in a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub status: Status,
    /// Why.
    #[serde(rename = "output")]
    pub detail: String,
    /// What was measured, by name with unit.
    pub figures: BTreeMap<String, f64>,
    /// Whether all is unhealthy when it is.
    pub critical: bool,
    /// Whether the process should be started anew when it is unhealthy.
    pub liveness: bool,
    /// How much it counts in the score.
    pub weight: u32,
    /// What it depends on.
    pub after: Vec<String>,
    /// Seconds from call to call.
    pub interval_s: f64,
    /// Seconds since the last finding.
    pub checked_s_ago: Option<f64>,
    /// Milliseconds the last call took.
    pub duration_ms: Option<f64>,
    /// Findings in a row that are not healthy.
    pub failures_in_row: u32,
    /// The last findings, oldest first.
    pub history: Vec<Record>,
}

/// How everything is. As JSON it follows the draft `draft-inadarei-api-health-check-06`: `status` is `pass`, `warn` or
/// `fail`, and `checks` holds a list of one object under each name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `pass`, `warn` or `fail`, for programs that know the draft only.
    pub status: String,
    /// The state of the whole.
    pub state: State,
    /// 0, nothing works, to 100, everything does.
    pub score: f64,
    /// What the process is about.
    pub stage: Stage,
    /// The version of the program.
    #[serde(rename = "releaseId")]
    pub release: String,
    /// When the report was made, in UTC (RFC 3339).
    pub time: Option<String>,
    /// Seconds since the checks began.
    pub uptime_s: f64,
    /// The checks.
    #[serde(with = "by_name")]
    pub checks: Vec<CheckReport>,
}

impl Report {
    /// The state and score that follow from checks.
    pub(super) fn of(now: Duration, checks: Vec<CheckReport>) -> Self {
        let mut state = State::Healthy;
        let (mut value, mut weight) = (0.0, 0.0);
        for check in &checks {
            let Some(found) = check.status.state() else { continue };
            let counts = if check.critical { found } else { found.min(State::Degraded) };
            state = state.max(counts);
            value += f64::from(check.weight) * found.value();
            weight += f64::from(check.weight);
        }
        let score = if weight > 0.0 { 100.0 * value / weight } else { 100.0 };
        let status = match state {
            State::Healthy => "pass",
            State::Degraded => "warn",
            State::Unhealthy => "fail",
        };
        Self {
            status: status.to_owned(),
            state,
            score,
            stage: Stage::Starting,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            time: None,
            uptime_s: now.as_secs_f64(),
            checks,
        }
    }

    /// Whether work may be given to the process: it serves and is not unhealthy.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Serving && self.state != State::Unhealthy
    }

    /// Whether the process does what it is there for; otherwise it should be started anew.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.checks.iter().any(|check| check.liveness && check.status == Status::Unhealthy)
    }
}

/// A list of checks as an object of lists of one.
mod by_name {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::CheckReport;

    pub(super) fn serialize<S: Serializer>(checks: &[CheckReport], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(checks.iter().map(|check| (&check.name, [check])))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CheckReport>, D::Error> {
        let lists: BTreeMap<String, Vec<CheckReport>> = BTreeMap::deserialize(deserializer)?;
        Ok(lists.into_values().flatten().collect())
    }
}
