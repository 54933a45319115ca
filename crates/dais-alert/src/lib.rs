//! Alerts: rules on metrics, health and events, and the channels that carry them to people.
//!
//! | part | what it does |
//! |---|---|
//! | [`AlertParams`] | what is configured: rules, routes, channels |
//! | [`Alerts`] | follows each alert through its life, puts alerts into groups, says which messages are due; no clock, no threads |
//! | [`Delivery`] | hands messages to channels on a thread of its own: retries, breakers, limits, dead letters |
//! | [`Alerting`] | both together, for a program that runs |
#![forbid(unsafe_code)]

mod alert;
mod alerting;
mod alerts;
mod channel;
mod default_rule;
mod delivery;
mod file;
mod group;
mod instance;
mod matcher;
mod params;
mod reading;
mod router;
mod rule;
mod secret;
mod silence;
mod template;

pub use alert::{Alert, Notification, Reason, Status};
pub use alerting::Alerting;
pub use alerts::Alerts;
pub use channel::{SIGNATURE_HEADER, sign};
pub use delivery::{ChannelFigures, DeadLetter, DeadLetters, Delivery, DeliveryFigures, DeliveryParams, deliver_now};
pub use matcher::{Labels, Matcher, MatcherError};
pub use params::{
    AbsentCondition, AlertParams, ChannelParams, Condition, CorrelateParams, EmailParams, EscalationParams,
    EventCondition, FlapParams, HealthCondition, InhibitParams, LogChannelParams, MetricCondition, Op, PagerdutyParams,
    RateCondition, RouteParams, RuleParams, Severity, SilenceParams, SlackParams, SmtpTls, WebhookParams,
};
pub use reading::{Event, HealthState, Readings};
pub use secret::Secret;
pub use silence::{Silence, SilenceError, change_silences, read_silences};
