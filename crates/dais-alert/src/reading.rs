use serde::{Deserialize, Serialize};

use crate::Labels;

/// What is known at one moment: what rules look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// Metrics: name, labels, value. Values that are no numbers are not looked at.
    pub series: Vec<(String, Labels, f64)>,
    /// Health checks and their states; the overall state has the name `overall`.
    pub health: Vec<(String, HealthState)>,
    /// Events since the last readings, oldest first.
    pub events: Vec<Event>,
}

/// The state of a health check, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// As it should be.
    Healthy,
    /// Works, but not as it should.
    Degraded,
    /// Does not work.
    Unhealthy,
}

impl HealthState {
    /// 0 healthy, 1 degraded, 2 unhealthy.
    pub fn value(self) -> f64 {
        match self {
            Self::Healthy => 0.0,
            Self::Degraded => 1.0,
            Self::Unhealthy => 2.0,
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing, such as `run_failed`.
    pub name: String,
    /// What exactly, for people; templates have it as `message`.
    pub message: String,
}

impl Event {
    /// An event.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}
