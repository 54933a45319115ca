use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Matcher, Severity};

/// Which alerts go together into messages, when, and to which channels. The words and what they do are those of
/// Alertmanager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteParams {
    /// Which alerts take this route, by their labels; all where this is empty.
    pub matchers: Vec<Matcher>,
    /// Alerts below this severity take the route and are not sent: info, warning or critical.
    pub min_severity: Severity,
    /// Names of channels; all channels where this is empty.
    pub channels: Vec<String>,
    /// Alerts with the same values of these labels go into one message.
    pub group_by: Vec<String>,
    /// How long the first message of a group waits for more alerts, in seconds. 0 to 3,600.
    #[schemars(range(min = 0, max = 3_600))]
    pub group_wait_s: u64,
    /// The shortest time between messages of one group, in seconds. 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    pub group_interval_s: u64,
    /// After this time a group that still fires is sent again, in seconds; 0: never. 0 to 604,800.
    #[schemars(range(min = 0, max = 604_800))]
    pub repeat_interval_s: u64,
    /// Who is told when a group goes on firing and nobody acknowledged it, in the order of time.
    pub escalate: Vec<EscalationParams>,
}

impl Default for RouteParams {
    fn default() -> Self {
        Self {
            matchers: Vec::new(),
            min_severity: Severity::Info,
            channels: Vec::new(),
            group_by: vec!["alertname".to_owned()],
            group_wait_s: 30,
            group_interval_s: 300,
            repeat_interval_s: 14_400,
            escalate: Vec::new(),
        }
    }
}

/// Who is told next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EscalationParams {
    /// How long after the first message of the group, in seconds. 1 to 604,800.
    #[schemars(range(min = 1, max = 604_800))]
    pub after_s: u64,
    /// Names of channels that are told from then on as well.
    pub channels: Vec<String>,
}

impl Default for EscalationParams {
    fn default() -> Self {
        Self { after_s: 1_800, channels: Vec::new() }
    }
}

/// Alerts that are not sent while others fire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InhibitParams {
    /// Alerts that keep others quiet, by their labels.
    pub source: Vec<Matcher>,
    /// Alerts that are kept quiet, by their labels.
    pub target: Vec<Matcher>,
    /// Labels that both must have, with the same values.
    pub equal: Vec<String>,
}

/// Alerts that are not sent for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceParams {
    /// Which alerts, by their labels; at least one matcher.
    #[schemars(length(min = 1))]
    pub matchers: Vec<Matcher>,
    /// From when, such as `2026-05-01T22:00:00Z`; always so far where this is missing.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// Which alerts of different groups arrive as one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CorrelateParams {
    /// Alerts with the same value of one of these labels belong together. A rule's `caused_by` does so as well.
    pub labels: Vec<String>,
    /// If one starts so many seconds after the other at most. 0: never; 0 to 3,600.
    #[schemars(range(min = 0, max = 3_600))]
    pub window_s: u64,
}

impl Default for CorrelateParams {
    fn default() -> Self {
        Self { labels: vec!["check".to_owned()], window_s: 60 }
    }
}

/// When an alert counts as flapping: it is told once, then it is quiet until it has been calm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlapParams {
    /// More than so many changes between firing and resolved within the window. 2 to 100.
    #[schemars(range(min = 2, max = 100))]
    pub changes: u32,
    /// Length of the window, in seconds. 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    pub window_s: u64,
    /// How long it must not change until it counts as calm, in seconds. 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    pub calm_s: u64,
}

impl Default for FlapParams {
    fn default() -> Self {
        Self { changes: 4, window_s: 600, calm_s: 600 }
    }
}

/// Where silences made at run time are kept when nothing else is said.
pub(super) fn silence_file() -> PathBuf {
    PathBuf::from("alerts/silences.json")
}
