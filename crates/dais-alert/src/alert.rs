use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Labels, Severity};

/// Whether something is still the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is.
    Firing,
    /// It is over.
    Resolved,
}

/// An alert that fires or has fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Name of its rule.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// What tells it from other alerts: `alertname`, `severity`, those of the series and of the rule.
    pub labels: Labels,
    /// The value that made it fire, or the last one.
    pub value: f64,
    /// One line for people.
    pub summary: String,
    /// More for people.
    pub description: String,
    /// Address of the page that says what to do; empty where there is none.
    pub runbook: String,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// Since when it is over.
    pub ends_at: Option<Timestamp>,
    /// Whether it changes so often that its changes are not told any more.
    pub flapping: bool,
    /// Names of rules whose alerts may be its cause.
    pub caused_by: Vec<String>,
}

impl Alert {
    /// Whether it is still the case.
    pub fn status(&self) -> Status {
        if self.ends_at.is_some() { Status::Resolved } else { Status::Firing }
    }

    /// The first 16 hexadecimal digits of SHA-256 over its labels.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.labels)
    }
}

pub(crate) fn fingerprint(labels: &Labels) -> String {
    let mut digest = Sha256::new();
    for (name, value) in labels {
        // The length keeps `a=b` + `c` apart from `a=bc`.
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
        digest.update((value.len() as u64).to_le_bytes());
        digest.update(value);
    }
    let mut text = hex::encode(digest.finalize());
    text.truncate(16);
    text
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Something began or ended.
    Change,
    /// It still is so.
    Repeat,
    /// Nobody acknowledged it.
    Escalation,
    /// Somebody wants to see whether the channel works.
    Test,
}

/// A message about the alerts of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// What tells the group from others, the same in all of its messages.
    pub group_key: String,
    /// The labels that the group was made by.
    pub group_labels: Labels,
    /// Resolved once no alert of the group fires any more.
    pub status: Status,
    /// Why it is sent.
    pub reason: Reason,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it, such as a host.
    pub source: String,
    /// Names of the channels.
    pub channels: Vec<String>,
    /// The alerts: those that fire first, the likely cause first among them.
    pub alerts: Vec<Alert>,
    /// Alerts that were left out because there are too many.
    pub truncated: usize,
}

impl Notification {
    /// The highest severity among the alerts.
    pub fn severity(&self) -> Severity {
        self.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }

    /// The labels that all alerts share.
    pub fn common_labels(&self) -> Labels {
        let mut alerts = self.alerts.iter();
        let mut common = alerts.next().map(|alert| alert.labels.clone()).unwrap_or_default();
        for alert in alerts {
            common.retain(|name, value| alert.labels.get(name) == Some(value));
        }
        common
    }

    /// One line: `[FIRING:2] DiskLow: disk has 12 MB (and 1 more)`.
    pub fn title(&self) -> String {
        let firing = self.alerts.iter().filter(|alert| alert.status() == Status::Firing).count();
        let status = match self.status {
            Status::Firing => format!("FIRING:{firing}"),
            Status::Resolved => "RESOLVED".to_owned(),
        };
        let reason = match self.reason {
            Reason::Change => "",
            Reason::Repeat => " still:",
            Reason::Escalation => " nobody answered:",
            Reason::Test => " test:",
        };
        let Some(first) = self.alerts.first() else { return format!("[{status}]{reason}") };
        let flapping = if first.flapping { " (flapping)" } else { "" };
        let more = match self.alerts.len() + self.truncated - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let summary = if first.summary.is_empty() { String::new() } else { format!(": {}", first.summary) };
        format!("[{status}]{reason} {}{flapping}{summary}{more}", first.name)
    }
}

/// The time from `then` to `now`, nothing where the clock went backwards.
pub(crate) fn elapsed(now: Timestamp, then: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// Whether at least so many seconds have passed.
pub(crate) fn passed(now: Timestamp, then: Timestamp, seconds: u64) -> bool {
    elapsed(now, then).as_secs_f64() >= seconds as f64
}
