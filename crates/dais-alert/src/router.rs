use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alert::elapsed;
use crate::group::Group;
use crate::matcher::all_match;
use crate::params::{CorrelateParams, RouteParams};
use crate::{Alert, AlertParams, Labels, Notification, Severity};

/// Puts alerts into groups and says when a group is due.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// The routes in the order in which they are tried; the last takes every alert.
    routes: Vec<RouteParams>,
    correlate: CorrelateParams,
    all_channels: Vec<String>,
    source: String,
    min_severity: Severity,
    groups: BTreeMap<GroupKey, Group>,
}

/// The place of the route and the values of the labels it groups by.
type GroupKey = (usize, Labels);

impl Router {
    pub(crate) fn new(params: &AlertParams) -> Self {
        let mut routes = params.routes.clone();
        routes.push(RouteParams { matchers: Vec::new(), ..params.route.clone() });
        Self {
            routes,
            correlate: params.correlate.clone(),
            all_channels: params.all_channels().into_keys().collect(),
            source: params.source.clone(),
            min_severity: if params.critical_alerts_only { Severity::Critical } else { Severity::Info },
            groups: BTreeMap::new(),
        }
    }

    /// Takes other routes. Alerts that somebody was told move to their new groups, so that they are not told again.
    pub(crate) fn reload(&mut self, params: &AlertParams) {
        let old = std::mem::replace(self, Self::new(params));
        for (key, group) in old.groups {
            let first = group.told.values().next();
            let Some(moved) = first.map_or(Some(key), |alert| self.key(alert)) else { continue };
            if let Some(into) = self.groups.get_mut(&moved) {
                into.absorb(group);
            } else if moved.0 < self.routes.len() {
                self.groups.insert(moved, group);
            }
        }
    }

    /// The group of an alert; `None` where its severity is too low to be sent.
    fn key(&self, alert: &Alert) -> Option<GroupKey> {
        let at = self.routes.iter().position(|route| all_match(&route.matchers, &alert.labels))?;
        let route = self.routes.get(at)?;
        let label = |name: &String| (name.clone(), alert.labels.get(name).cloned().unwrap_or_default());
        let sent = alert.severity >= route.min_severity.max(self.min_severity);
        sent.then(|| (at, route.group_by.iter().map(label).collect()))
    }

    /// Goes on to `now`, at which the alerts in `firing` fire, and gives the messages that are due.
    pub(crate) fn tick(
        &mut self,
        now: Timestamp,
        firing: BTreeMap<String, Alert>,
        muted: &BTreeSet<String>,
        acknowledged: &BTreeSet<String>,
    ) -> Vec<Notification> {
        self.assign(now, firing);
        let mut due = Vec::new();
        for ((at, labels), group) in &mut self.groups {
            let Some(route) = self.routes.get(*at) else { continue };
            let escalation = group.escalate(now, route, muted, acknowledged);
            let news = group.flush(now, route, muted, acknowledged);
            for notification in escalation.into_iter().chain(news) {
                let to_all = notification.channels.is_empty();
                let channels = if to_all { self.all_channels.clone() } else { notification.channels };
                let (group_key, source) = (key_text(*at, labels), self.source.clone());
                due.push(Notification { group_key, group_labels: labels.clone(), source, channels, ..notification });
            }
        }
        self.groups.retain(|_, group| !group.is_over());
        due
    }

    /// Puts each alert into its group: that in which it is already, else that of its labels, else that of an alert it
    /// belongs to, else a new one.
    fn assign(&mut self, now: Timestamp, firing: BTreeMap<String, Alert>) {
        let mut home = BTreeMap::new();
        for (key, group) in &self.groups {
            home.extend(group.ids().map(|id| (id.clone(), key.clone())));
        }
        let mut members: BTreeMap<GroupKey, BTreeMap<String, Alert>> = BTreeMap::new();
        for (id, alert) in firing {
            let Some(own) = self.key(&alert) else { continue };
            let key = match home.get(&id) {
                Some(key) => key.clone(),
                None if self.groups.contains_key(&own) || members.contains_key(&own) => own,
                None => self.related(now, own.0, &alert, &members).unwrap_or(own),
            };
            members.entry(key).or_default().insert(id, alert);
        }
        for (key, group) in &mut self.groups {
            group.take(now, members.remove(key).unwrap_or_default());
        }
        for (key, alerts) in members {
            let wait = self.routes.get(key.0).map_or(0, |route| route.group_wait_s);
            let mut group = Group::new(now, wait);
            group.take(now, alerts);
            self.groups.insert(key, group);
        }
    }

    /// A group of the same route with an alert that belongs to this one and began at about the same time.
    fn related(
        &self,
        now: Timestamp,
        route: usize,
        alert: &Alert,
        fresh: &BTreeMap<GroupKey, BTreeMap<String, Alert>>,
    ) -> Option<GroupKey> {
        if self.correlate.window_s == 0 {
            return None;
        }
        let near = |other: &Alert| elapsed(now, other.starts_at).as_secs() <= self.correlate.window_s;
        let belongs = |other: &Alert| near(other) && self.belong_together(alert, other);
        let open = self.groups.iter().map(|(key, group)| (key, &group.members));
        let mut candidates = open.chain(fresh).filter(|(key, _)| key.0 == route);
        candidates.find(|(_, members)| members.values().any(belongs)).map(|(key, _)| key.clone())
    }

    fn belong_together(&self, one: &Alert, other: &Alert) -> bool {
        let same = |name: &String| one.labels.contains_key(name) && one.labels.get(name) == other.labels.get(name);
        self.correlate.labels.iter().any(same)
            || one.caused_by.contains(&other.name)
            || other.caused_by.contains(&one.name)
    }
}

fn key_text(route: usize, labels: &Labels) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{route}:{{{}}}", labels.join(","))
}
