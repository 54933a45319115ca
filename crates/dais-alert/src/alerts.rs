use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alert::fingerprint;
use crate::instance::{Instance, Timing};
use crate::matcher::all_match;
use crate::router::Router;
use crate::rule::{Active, Rule};
use crate::silence::Silence;
use crate::template::{self, Facts};
use crate::{Alert, AlertParams, Labels, Matcher, Notification, Readings};

/// Follows the alerts of all rules and says which messages are due. It reads no clock, sends nothing and remembers a
/// bounded amount.
///
/// ```
/// use dais_alert::{AlertParams, Alerts, ChannelParams, LogChannelParams, Readings, Event};
///
/// let mut params = AlertParams::default();
/// params.channels.insert("log".to_owned(), ChannelParams::Log(LogChannelParams::default()));
/// params.route.group_wait_s = 0;
/// let mut alerts = Alerts::new(params);
/// let readings = Readings { events: vec![Event::new("run_failed", "out of memory")], ..Readings::default() };
/// let due = alerts.evaluate("2026-05-01T00:00:00Z".parse()?, &readings);
/// assert_eq!(due[0].title(), "[FIRING:1] RunFailed: the run failed: out of memory");
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Alerts {
    params: AlertParams,
    rules: Vec<Rule>,
    /// By the name of the rule and the labels of what it is about.
    instances: BTreeMap<(String, Labels), Tracked>,
    silences: Vec<Silence>,
    acknowledged: BTreeSet<String>,
    router: Router,
    not_followed: u64,
}

/// An instance and the alert as it was when its condition held last.
#[derive(Clone, Debug)]
struct Tracked {
    instance: Instance,
    alert: Alert,
    fingerprint: String,
}

impl Alerts {
    /// No alerts yet.
    pub fn new(params: AlertParams) -> Self {
        let rules = params.all_rules().into_iter().map(Rule::new).collect();
        let router = Router::new(&params);
        Self {
            params,
            rules,
            instances: BTreeMap::new(),
            silences: Vec::new(),
            acknowledged: BTreeSet::new(),
            router,
            not_followed: 0,
        }
    }

    /// Takes other parameters. Alerts of rules that are still there go on; those of others are resolved; nobody is told
    /// again what was told already.
    pub fn reload(&mut self, params: AlertParams) {
        let mut old: BTreeMap<String, Rule> =
            self.rules.drain(..).map(|rule| (rule.params.name.clone(), rule)).collect();
        let take = |params: crate::RuleParams| match old.remove(&params.name) {
            Some(rule) if rule.params.when == params.when => rule.with(params),
            _ => Rule::new(params),
        };
        self.rules = params.all_rules().into_iter().map(take).collect();
        self.router.reload(&params);
        self.params = params;
    }

    /// Goes on to `now` and gives the messages that are due.
    pub fn evaluate(&mut self, now: Timestamp, readings: &Readings) -> Vec<Notification> {
        let mut held = BTreeSet::new();
        let mut rules = std::mem::take(&mut self.rules);
        for rule in &mut rules {
            for (labels, active) in rule.active(now, readings) {
                self.hold(now, rule, &labels, &active);
                held.insert((rule.params.name.clone(), labels));
            }
        }
        let flap = self.params.flap.clone();
        for (key, tracked) in &mut self.instances {
            if !held.contains(key) {
                let rule = rules.iter().find(|rule| rule.params.name == key.0);
                let timing = rule.map_or_else(Timing::default, Rule::timing);
                tracked.instance.step(now, false, timing, &flap);
            }
        }
        self.rules = rules;
        self.instances.retain(|_, tracked| !tracked.instance.is_over());
        let firing = self.firing();
        self.acknowledged.retain(|id| firing.contains_key(id));
        let muted = self.muted(now, &firing);
        self.router.tick(now, firing, &muted, &self.acknowledged)
    }

    fn hold(&mut self, now: Timestamp, rule: &Rule, labels: &Labels, active: &Active) {
        let key = (rule.params.name.clone(), labels.clone());
        if !self.instances.contains_key(&key) && !self.make_room() {
            self.not_followed += 1;
            return;
        }
        let alert = self.alert(now, rule, labels, active);
        let flap = &self.params.flap;
        let tracked = self.instances.entry(key).or_insert_with(|| {
            let fingerprint = fingerprint(&alert.labels);
            Tracked { instance: Instance::new(), alert: alert.clone(), fingerprint }
        });
        tracked.instance.step(now, true, rule.timing(), flap);
        tracked.fingerprint = fingerprint(&alert.labels);
        tracked.alert = alert;
    }

    /// Whether there is room for one more alert, after forgetting one that is over if need be.
    fn make_room(&mut self) -> bool {
        let most = self.params.alerts_max.max(1) as usize;
        if self.instances.len() >= most {
            let idle = self.instances.iter().find(|(_, tracked)| tracked.instance.is_idle());
            if let Some(idle) = idle.map(|(key, _)| key.clone()) {
                self.instances.remove(&idle);
            }
        }
        self.instances.len() < most
    }

    fn alert(&self, now: Timestamp, rule: &Rule, labels: &Labels, active: &Active) -> Alert {
        let params = &rule.params;
        let mut all = labels.clone();
        all.extend(self.params.labels.clone());
        all.extend(params.labels.clone());
        all.insert("alertname".to_owned(), params.name.clone());
        all.insert("severity".to_owned(), params.severity.name().to_owned());
        let facts = Facts { name: &params.name, value: active.value, labels: &all, message: &active.message };
        Alert {
            name: params.name.clone(),
            severity: params.severity,
            value: active.value,
            summary: template::render(&params.summary, facts),
            description: template::render(&params.description, facts),
            runbook: params.runbook.clone(),
            starts_at: now,
            ends_at: None,
            flapping: false,
            caused_by: params.caused_by.clone(),
            labels: all,
        }
    }

    /// The alerts that fire, by fingerprint.
    fn firing(&self) -> BTreeMap<String, Alert> {
        let firing = self.instances.values().filter_map(|tracked| {
            let starts_at = tracked.instance.firing_since()?;
            let flapping = tracked.instance.is_flapping();
            Some((tracked.fingerprint.clone(), Alert { starts_at, flapping, ..tracked.alert.clone() }))
        });
        firing.collect()
    }

    /// Fingerprints of alerts that are silenced or inhibited.
    fn muted(&self, now: Timestamp, firing: &BTreeMap<String, Alert>) -> BTreeSet<String> {
        let configured = self.params.silences.iter().enumerate().map(|(at, params)| Silence::configured(at, params));
        let silences: Vec<Silence> = configured.chain(self.silences.iter().cloned()).collect();
        let muted = firing.iter().filter(|(id, alert)| {
            silences.iter().any(|silence| silence.silences(now, &alert.labels)) || self.inhibited(id, alert, firing)
        });
        muted.map(|(id, _)| id.clone()).collect()
    }

    fn inhibited(&self, id: &str, alert: &Alert, firing: &BTreeMap<String, Alert>) -> bool {
        let rules = self.params.inhibit.iter().filter(|rule| all_match(&rule.target, &alert.labels));
        rules.into_iter().any(|rule| {
            let same = |name: &String, other: &Alert| {
                alert.labels.contains_key(name) && alert.labels.get(name) == other.labels.get(name)
            };
            firing.iter().any(|(other_id, other)| {
                other_id != id
                    && all_match(&rule.source, &other.labels)
                    // Two alerts that are source and target of one another would keep both quiet.
                    && !all_match(&rule.source, &alert.labels)
                    && rule.equal.iter().all(|name| same(name, other))
            })
        })
    }

    /// Takes the silences made at run time, in place of those taken before.
    pub fn silence(&mut self, silences: Vec<Silence>) {
        self.silences = silences;
    }

    /// Marks the alerts that fire and for which all matchers hold as seen by somebody: they are neither repeated nor
    /// escalated, until they are over. Says how many there are.
    pub fn acknowledge(&mut self, matchers: &[Matcher]) -> usize {
        let seen: Vec<String> = self
            .firing()
            .into_iter()
            .filter(|(_, alert)| all_match(matchers, &alert.labels))
            .map(|(id, _)| id)
            .collect();
        let count = seen.len();
        self.acknowledged.extend(seen);
        count
    }

    /// The alerts that fire, sorted by fingerprint.
    pub fn list(&self) -> Vec<Alert> {
        self.firing().into_values().collect()
    }

    /// How many alerts are pending.
    pub fn pending(&self) -> usize {
        self.instances.values().filter(|tracked| tracked.instance.is_pending()).count()
    }

    /// How many times an alert was not followed because there were too many.
    pub fn not_followed(&self) -> u64 {
        self.not_followed
    }
}
