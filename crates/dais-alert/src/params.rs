//! Rules, routes and channels of alerts, as they are configured.

mod channel;
mod route;
mod rule;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use channel::{ChannelParams, EmailParams, LogChannelParams, PagerdutyParams, SlackParams, SmtpTls, WebhookParams};
pub use route::{CorrelateParams, EscalationParams, FlapParams, InhibitParams, RouteParams, SilenceParams};
pub use rule::{
    AbsentCondition, Condition, EventCondition, HealthCondition, MetricCondition, Op, RateCondition, RuleParams,
    Severity,
};

use crate::default_rule;
use crate::delivery::DeliveryParams;
use crate::{Labels, Secret};

/// Rules, routes and channels of alerts. Nothing is done until there is a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct AlertParams {
    /// Whether alerts are evaluated and sent.
    pub enabled: bool,
    /// Whether there is a channel `slack` with `slack_webhook_url`.
    pub enable_slack_notifications: bool,
    /// Address of the incoming webhook of Slack.
    pub slack_webhook_url: Secret,
    /// Whether there is a channel `pagerduty` with `pagerduty_routing_key`.
    pub enable_pagerduty: bool,
    /// Integration key of the `PagerDuty` service (Events API v2).
    pub pagerduty_routing_key: Secret,
    /// Whether only critical alerts are sent.
    pub critical_alerts_only: bool,
    /// Channels by name.
    pub channels: BTreeMap<String, ChannelParams>,
    /// Whether the built-in rules are used; a rule of the same name replaces a built-in one.
    pub default_rules: bool,
    /// Rules, besides the built-in ones.
    pub rules: Vec<RuleParams>,
    /// The route of alerts that take no other.
    pub route: RouteParams,
    /// Routes; an alert takes the first whose matchers hold.
    pub routes: Vec<RouteParams>,
    /// Alerts that are not sent while others fire.
    pub inhibit: Vec<InhibitParams>,
    /// Alerts that are not sent for a time, besides those of the silence file.
    pub silences: Vec<SilenceParams>,
    /// File of silences made at run time (`dais alert silence add`).
    pub silence_file: PathBuf,
    /// Which alerts of different groups arrive as one message.
    pub correlate: CorrelateParams,
    /// When an alert counts as flapping.
    pub flap: FlapParams,
    /// Labels added to every alert, such as the site.
    pub labels: Labels,
    /// What messages name as their source, such as the host.
    pub source: String,
    /// Time between evaluations of the rules, in seconds. 1 to 3,600.
    #[schemars(range(min = 1, max = 3_600))]
    pub evaluation_interval_s: u64,
    /// The most alerts that are followed at once; more are counted and not followed. 1 to 100,000.
    #[schemars(range(min = 1, max = 100_000))]
    pub alerts_max: u32,
    /// How messages are delivered.
    pub delivery: DeliveryParams,
}

impl Default for AlertParams {
    fn default() -> Self {
        Self {
            enabled: true,
            enable_slack_notifications: false,
            slack_webhook_url: Secret::default(),
            enable_pagerduty: false,
            pagerduty_routing_key: Secret::default(),
            critical_alerts_only: false,
            channels: BTreeMap::new(),
            default_rules: true,
            rules: Vec::new(),
            route: RouteParams::default(),
            routes: Vec::new(),
            inhibit: default_rule::inhibit(),
            silences: Vec::new(),
            silence_file: route::silence_file(),
            correlate: CorrelateParams::default(),
            flap: FlapParams::default(),
            labels: Labels::new(),
            source: "dais".to_owned(),
            evaluation_interval_s: 10,
            alerts_max: 1_000,
            delivery: DeliveryParams::default(),
        }
    }
}

impl AlertParams {
    /// Whether there is anything to do: alerts are enabled and there is a channel.
    pub fn is_active(&self) -> bool {
        self.enabled && !self.all_channels().is_empty()
    }

    /// The channels, with those of the short forms `enable_slack_notifications` and `enable_pagerduty`; a channel of
    /// the same name in `channels` stands over those.
    pub fn all_channels(&self) -> BTreeMap<String, ChannelParams> {
        let mut all = BTreeMap::new();
        if self.enable_slack_notifications {
            let slack = SlackParams { url: self.slack_webhook_url.clone(), ..SlackParams::default() };
            all.insert("slack".to_owned(), ChannelParams::Slack(slack));
        }
        if self.enable_pagerduty {
            let key = self.pagerduty_routing_key.clone();
            let pagerduty = PagerdutyParams { routing_key: key, ..PagerdutyParams::default() };
            all.insert("pagerduty".to_owned(), ChannelParams::Pagerduty(pagerduty));
        }
        all.extend(self.channels.clone());
        all
    }

    /// The rules that are looked at: the built-in ones, unless replaced or turned off, then the others.
    pub fn all_rules(&self) -> Vec<RuleParams> {
        let own = |rule: &RuleParams| self.rules.iter().any(|one| one.name == rule.name);
        let built_in = if self.default_rules { default_rule::rules() } else { Vec::new() };
        let built_in = built_in.into_iter().filter(|rule| !own(rule));
        built_in.chain(self.rules.iter().filter(|rule| rule.enabled).cloned()).collect()
    }

    /// What is wrong across fields, as paths and messages; empty when all is fine.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.enable_slack_notifications && self.slack_webhook_url.is_empty() {
            wrong.push(("slack_webhook_url".to_owned(), "is missing, and Slack is enabled".to_owned()));
        }
        if self.enable_pagerduty && self.pagerduty_routing_key.is_empty() {
            wrong.push(("pagerduty_routing_key".to_owned(), "is missing, and PagerDuty is enabled".to_owned()));
        }
        for (name, channel) in &self.channels {
            wrong.extend(channel.check().into_iter().map(|(path, what)| (format!("channels.{name}.{path}"), what)));
        }
        self.check_rules(&mut wrong);
        self.check_routes(&mut wrong);
        for (at, silence) in self.silences.iter().enumerate() {
            if silence.matchers.is_empty() {
                wrong.push((format!("silences.{at}.matchers"), "needs at least one matcher".to_owned()));
            }
            if silence.from.is_some_and(|from| from >= silence.until) {
                wrong.push((format!("silences.{at}.until"), "is not after `from`".to_owned()));
            }
        }
        for (at, inhibit) in self.inhibit.iter().enumerate() {
            if inhibit.source.is_empty() || inhibit.target.is_empty() {
                wrong.push((format!("inhibit.{at}"), "needs matchers for source and target".to_owned()));
            }
        }
        wrong.extend(self.delivery.check().into_iter().map(|(path, what)| (format!("delivery.{path}"), what)));
        wrong
    }

    fn check_rules(&self, wrong: &mut Vec<(String, String)>) {
        let names: Vec<String> = default_rule::rules()
            .into_iter()
            .map(|rule| rule.name)
            .chain(self.rules.iter().map(|rule| rule.name.clone()))
            .collect();
        for (at, rule) in self.rules.iter().enumerate() {
            let mut say = |field: &str, what: String| wrong.push((format!("rules.{at}.{field}"), what));
            if rule.name.is_empty() {
                say("name", "is missing".to_owned());
            }
            if self.rules.iter().take(at).any(|other| other.name == rule.name) {
                say("name", format!("`{}` is there twice", rule.name));
            }
            for cause in rule.caused_by.iter().filter(|cause| !names.contains(cause)) {
                say("caused_by", format!("no rule has the name `{cause}`"));
            }
            for (field, template) in [("summary", &rule.summary), ("description", &rule.description)] {
                if let Err(error) = crate::template::check(template) {
                    say(field, error);
                }
            }
            let (field, name) = match &rule.when {
                Condition::Metric(of) => ("metric", &of.metric),
                Condition::Rate(of) => ("metric", &of.metric),
                Condition::Absent(of) => ("metric", &of.metric),
                Condition::Health(of) => ("check", &of.check),
                Condition::Event(of) => ("event", &of.event),
            };
            if name.is_empty() && rule.enabled {
                say(&format!("when.{field}"), "is missing".to_owned());
            }
        }
    }

    fn check_routes(&self, wrong: &mut Vec<(String, String)>) {
        let channels = self.all_channels();
        let named = self.routes.iter().enumerate().map(|(at, route)| (format!("routes.{at}"), route));
        for (path, route) in named.chain([("route".to_owned(), &self.route)]) {
            let steps = route.escalate.iter().enumerate();
            let steps = steps.map(|(at, step)| (format!("{path}.escalate.{at}.channels"), &step.channels));
            for (path, names) in steps.chain([(format!("{path}.channels"), &route.channels)]) {
                for name in names.iter().filter(|name| !channels.contains_key(*name)) {
                    wrong.push((path.clone(), format!("there is no channel `{name}`")));
                }
            }
            if route.escalate.windows(2).any(|steps| steps[0].after_s >= steps[1].after_s) {
                wrong.push((format!("{path}.escalate"), "each step must come after the one before".to_owned()));
            }
        }
    }
}
