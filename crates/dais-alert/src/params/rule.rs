use serde::{Deserialize, Serialize};

use crate::{HealthState, Labels, Matcher};

/// How much an alert matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    #[default]
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// The name as it is written in labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One rule: when it holds for long enough, an alert fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleParams {
    /// Name of the alert, its label `alertname`; a rule with the name of a built-in one replaces that.
    pub name: String,
    /// Whether the rule is looked at; `false` with the name of a built-in rule turns that off.
    pub enabled: bool,
    /// How much it matters: info, warning or critical.
    pub severity: Severity,
    /// What has to hold.
    pub when: Condition,
    /// How long it has to hold before the alert fires, in seconds; 0: at once. 0 to 604,800.
    #[schemars(range(min = 0, max = 604_800))]
    pub for_s: u64,
    /// How long the alert goes on firing after the condition held last, in seconds. 0 to 604,800.
    #[schemars(range(min = 0, max = 604_800))]
    pub keep_firing_for_s: u64,
    /// Labels added to the alert; they stand over those of the metric.
    pub labels: Labels,
    /// One line for people; a template with `{{ value }}`, `{{ labels.NAME }}`, `{{ name }}`, `{{ message }}` (of the
    /// last event) and the filters of Jinja such as `round`.
    pub summary: String,
    /// More for people; a template as well.
    pub description: String,
    /// Address of the page that says what to do.
    pub runbook: String,
    /// Names of rules whose alerts may be the cause of this one: in a message those come first.
    pub caused_by: Vec<String>,
}

impl Default for RuleParams {
    fn default() -> Self {
        Self {
            name: String::new(),
            enabled: true,
            severity: Severity::Warning,
            when: Condition::default(),
            for_s: 0,
            keep_firing_for_s: 0,
            labels: Labels::new(),
            summary: String::new(),
            description: String::new(),
            runbook: String::new(),
            caused_by: Vec::new(),
        }
    }
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    /// The value of a metric against a threshold, for each of its series.
    Metric(MetricCondition),
    /// How fast a counter grows, per second, for each of its series.
    Rate(RateCondition),
    /// A metric has no series.
    Absent(AbsentCondition),
    /// The state of health checks, for each of them.
    Health(HealthCondition),
    /// So many events in a window.
    Event(EventCondition),
}

impl Default for Condition {
    fn default() -> Self {
        Self::Metric(MetricCondition::default())
    }
}

/// The value of a metric against a threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricCondition {
    /// Name of the metric.
    pub metric: String,
    /// Which of its series, by their labels; all where this is empty.
    pub matchers: Vec<Matcher>,
    /// How the value is compared with the threshold: >, >=, <, <=, == or !=.
    pub op: Op,
    /// What the value is compared with.
    pub threshold: f64,
}

/// How fast a counter grows. A counter that falls was reset and began again at 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateCondition {
    /// Name of the counter.
    pub metric: String,
    /// Which of its series, by their labels; all where this is empty.
    pub matchers: Vec<Matcher>,
    /// How the rate is compared with the threshold: >, >=, <, <=, == or !=.
    pub op: Op,
    /// What the rate is compared with, per second.
    pub threshold: f64,
    /// Over how long the rate is taken, in seconds; it is known once the series is that old. 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    pub window_s: u64,
}

impl Default for RateCondition {
    fn default() -> Self {
        Self { metric: String::new(), matchers: Vec::new(), op: Op::default(), threshold: 0.0, window_s: 60 }
    }
}

/// A metric has no series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AbsentCondition {
    /// Name of the metric.
    pub metric: String,
    /// Which of its series, by their labels; all where this is empty.
    pub matchers: Vec<Matcher>,
}

/// The state of health checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCondition {
    /// Name of the check, `overall` for the state of all together; `*` stands for any text.
    pub check: String,
    /// The best state at which the condition holds: degraded holds for unhealthy as well.
    pub state: HealthState,
}

impl Default for HealthCondition {
    fn default() -> Self {
        Self { check: "overall".to_owned(), state: HealthState::Unhealthy }
    }
}

/// So many events in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventCondition {
    /// Name of the event, such as `run_failed`.
    pub event: String,
    /// So many of them. 1 to 1,000.
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
    /// Within this time, in seconds. 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    pub within_s: u64,
}

impl Default for EventCondition {
    fn default() -> Self {
        Self { event: String::new(), count: 1, within_s: 300 }
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Op {
    /// Greater.
    #[default]
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
}

impl Op {
    /// Whether `value` stands in this relation to `threshold`; what is no number stands in none.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        value.partial_cmp(&threshold).is_some_and(|order| match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
        })
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Metric(of) => {
                write!(formatter, "{}{} {} {}", of.metric, braced(&of.matchers), of.op.sign(), of.threshold)
            }
            Self::Rate(of) => {
                let (metric, matchers, op) = (&of.metric, braced(&of.matchers), of.op.sign());
                write!(formatter, "rate of {metric}{matchers} over {} s {op} {}/s", of.window_s, of.threshold)
            }
            Self::Absent(of) => write!(formatter, "no {}{}", of.metric, braced(&of.matchers)),
            Self::Health(of) => {
                let state = match of.state {
                    HealthState::Healthy => "known",
                    HealthState::Degraded => "degraded or worse",
                    HealthState::Unhealthy => "unhealthy",
                };
                write!(formatter, "check {} is {state}", of.check)
            }
            Self::Event(of) if of.count <= 1 => write!(formatter, "{} within {} s", of.event, of.within_s),
            Self::Event(of) => write!(formatter, "{} times {} within {} s", of.count, of.event, of.within_s),
        }
    }
}

fn braced(matchers: &[Matcher]) -> String {
    if matchers.is_empty() {
        return String::new();
    }
    let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", matchers.join(","))
}
