use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::alert::passed;
use crate::params::RouteParams;
use crate::{Alert, Labels, Notification, Reason, Status};

/// Alerts named in one message; more are counted.
const ALERTS_OF_A_MESSAGE_MAX: usize = 50;

/// The longest chain of causes that is looked at.
const CAUSES_MAX: usize = 16;

/// Alerts that go into the same messages.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Those that fire now, by fingerprint.
    pub(crate) members: BTreeMap<String, Alert>,
    /// Those that somebody was told, as they were then.
    pub(crate) told: BTreeMap<String, Alert>,
    /// Before this nothing is sent.
    wait_until: Timestamp,
    last_sent: Option<Timestamp>,
    /// When somebody was told first since nothing fired.
    first_told: Option<Timestamp>,
    /// How many steps of escalation were taken since then.
    escalated: usize,
}

impl Group {
    pub(crate) fn new(now: Timestamp, group_wait_s: u64) -> Self {
        Self {
            members: BTreeMap::new(),
            told: BTreeMap::new(),
            wait_until: now.saturating_add(Duration::from_secs(group_wait_s)).unwrap_or(now),
            last_sent: None,
            first_told: None,
            escalated: 0,
        }
    }

    /// Fingerprints of all alerts in it.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &String> {
        self.members.keys().chain(self.told.keys())
    }

    /// Takes the alerts of the group that fire now; those that were told and are not among them are over.
    pub(crate) fn take(&mut self, now: Timestamp, members: BTreeMap<String, Alert>) {
        for (id, alert) in &mut self.told {
            alert.ends_at = if members.contains_key(id) { None } else { alert.ends_at.or(Some(now)) };
        }
        self.members = members;
    }

    /// Takes over what was told in another group.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.told.extend(other.told);
        self.last_sent = self.last_sent.max(other.last_sent);
        self.first_told = self.first_told.or(other.first_told);
        self.escalated = self.escalated.max(other.escalated);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.members.is_empty() && self.told.is_empty()
    }

    /// The message of the group if one is due: when something began to fire or to flap, or is over, and not sooner than
    /// `group_interval_s` after the last; or when it is time to repeat it. Without channels it is for those of the route.
    pub(crate) fn flush(
        &mut self,
        now: Timestamp,
        route: &RouteParams,
        muted: &BTreeSet<String>,
        acknowledged: &BTreeSet<String>,
    ) -> Option<Notification> {
        if now < self.wait_until || self.last_sent.is_some_and(|at| !passed(now, at, route.group_interval_s)) {
            return None;
        }
        let news = |(id, alert): (&String, &Alert)| {
            !muted.contains(id) && self.told.get(id).is_none_or(|told| alert.flapping && !told.flapping)
        };
        let changed = self.members.iter().any(news) || self.told.values().any(|alert| alert.ends_at.is_some());
        let open = |id: &String| !muted.contains(id) && !acknowledged.contains(id);
        let repeated = route.repeat_interval_s > 0
            && self.last_sent.is_some_and(|at| passed(now, at, route.repeat_interval_s))
            && self.members.keys().any(open);
        if !changed && !repeated {
            return None;
        }
        let firing = self.members.iter().filter(|(id, _)| !muted.contains(*id));
        let mut told: BTreeMap<String, Alert> = firing.map(|(id, alert)| (id.clone(), alert.clone())).collect();
        let over = self.told.values().filter(|alert| alert.ends_at.is_some()).cloned();
        let alerts: Vec<Alert> = told.values().cloned().chain(over).collect();
        let channels = self.channels(route);
        // Who was told of an alert that is muted since then will be told when it is over.
        let muted_since = self.told.iter().filter(|(id, alert)| alert.ends_at.is_none() && muted.contains(*id));
        told.extend(muted_since.map(|(id, alert)| (id.clone(), alert.clone())));
        self.told = told;
        self.last_sent = Some(now);
        if self.told.is_empty() {
            self.first_told = None;
            self.escalated = 0;
        } else {
            self.first_told = self.first_told.or(Some(now));
        }
        let reason = if changed { Reason::Change } else { Reason::Repeat };
        // A group of which something was told is over when all of it is, muted or not.
        let status = if self.told.is_empty() { Status::Resolved } else { Status::Firing };
        Some(message(now, status, reason, channels, alerts))
    }

    /// The message of the next step of escalation if it is time and nobody acknowledged all of the group.
    pub(crate) fn escalate(
        &mut self,
        now: Timestamp,
        route: &RouteParams,
        muted: &BTreeSet<String>,
        acknowledged: &BTreeSet<String>,
    ) -> Option<Notification> {
        let step = route.escalate.get(self.escalated)?;
        if !passed(now, self.first_told?, step.after_s) {
            return None;
        }
        let open = |id: &String| self.told.contains_key(id) && !muted.contains(id) && !acknowledged.contains(id);
        let alerts: Vec<Alert> =
            self.members.iter().filter(|(id, _)| open(id)).map(|(_, alert)| alert.clone()).collect();
        if alerts.is_empty() {
            return None;
        }
        self.escalated += 1;
        Some(message(now, Status::Firing, Reason::Escalation, step.channels.clone(), alerts))
    }

    /// The channels of the route and of the steps taken; none stands for all.
    fn channels(&self, route: &RouteParams) -> Vec<String> {
        if route.channels.is_empty() {
            return Vec::new();
        }
        let escalated = route.escalate.iter().take(self.escalated).flat_map(|step| &step.channels);
        let mut channels = route.channels.clone();
        for channel in escalated {
            if !channels.contains(channel) {
                channels.push(channel.clone());
            }
        }
        channels
    }
}

fn message(
    at: Timestamp,
    status: Status,
    reason: Reason,
    channels: Vec<String>,
    mut alerts: Vec<Alert>,
) -> Notification {
    sort_by_cause(&mut alerts);
    let truncated = alerts.len().saturating_sub(ALERTS_OF_A_MESSAGE_MAX);
    alerts.truncate(ALERTS_OF_A_MESSAGE_MAX);
    // The router knows the key, the labels and the source.
    let (group_key, group_labels, source) = (String::new(), Labels::new(), String::new());
    Notification { group_key, group_labels, status, reason, at, source, channels, alerts, truncated }
}

/// Firing before resolved; among those what no other can have caused first, then by severity and time.
fn sort_by_cause(alerts: &mut [Alert]) {
    let names: BTreeMap<String, Vec<String>> =
        alerts.iter().map(|alert| (alert.name.clone(), alert.caused_by.clone())).collect();
    let depths = depths(&names);
    alerts.sort_by_key(|alert| {
        let depth = depths.get(&alert.name).copied().unwrap_or(0);
        (alert.ends_at.is_some(), depth, std::cmp::Reverse(alert.severity), alert.starts_at)
    });
}

/// For each name the length of the longest chain of causes that leads to it; circles go round a bounded time.
fn depths(names: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, usize> {
    let mut depths: BTreeMap<String, usize> = names.keys().map(|name| (name.clone(), 0)).collect();
    for _ in 0..names.len().min(CAUSES_MAX) {
        for (name, causes) in names {
            let causes = causes.iter().filter(|cause| *cause != name).filter_map(|cause| depths.get(cause));
            let depth = causes.map(|depth| depth + 1).max().unwrap_or(0);
            depths.insert(name.clone(), depth);
        }
    }
    depths
}
