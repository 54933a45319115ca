//! Channels: what a message looks like for each of them, and how it is handed over.

mod email;
mod http;
mod log;
mod pagerduty;
mod signature;
mod slack;
mod webhook;

use std::time::Duration;

use dais_resilience::{Failure, FailureClass};

use crate::params::ChannelParams;
use crate::{Notification, Status};

pub use signature::{SIGNATURE_HEADER, sign};

/// A channel that messages can be handed to.
#[derive(Debug)]
pub(crate) enum Channel {
    Slack(slack::Slack),
    Pagerduty(pagerduty::Pagerduty),
    Email(Box<email::Email>),
    Webhook(webhook::Webhook),
    Log,
}

impl Channel {
    /// Reads what the channel needs, such as certificates. Nothing is connected yet.
    pub(crate) fn open(params: &ChannelParams, timeout: Duration) -> Result<Self, Failure> {
        Ok(match params {
            ChannelParams::Slack(of) => Self::Slack(slack::Slack::new(of, http::client(timeout, None)?)),
            ChannelParams::Pagerduty(of) => {
                Self::Pagerduty(pagerduty::Pagerduty::new(of, http::client(timeout, None)?))
            }
            ChannelParams::Email(of) => Self::Email(Box::new(email::Email::new(of, timeout)?)),
            ChannelParams::Webhook(of) => {
                Self::Webhook(webhook::Webhook::new(of, http::client(timeout, of.ca_file.as_deref())?)?)
            }
            ChannelParams::Log(_) => Self::Log,
        })
    }

    /// Hands the message over, once. Says what the other side answered.
    pub(crate) async fn send(&self, notification: &Notification) -> Result<String, Failure> {
        match self {
            Self::Slack(slack) => slack.send(notification).await,
            Self::Pagerduty(pagerduty) => pagerduty.send(notification).await,
            Self::Email(email) => email.send(notification).await,
            Self::Webhook(webhook) => webhook.send(notification).await,
            Self::Log => Ok(log::write(notification)),
        }
    }
}

/// Addresses in `params` that are none, as fields and messages that name no secret.
pub(crate) fn wrong_addresses(params: &ChannelParams) -> Vec<(String, String)> {
    match params {
        ChannelParams::Slack(of) => http::wrong_url("url", of.url.expose()),
        ChannelParams::Pagerduty(of) => http::wrong_url("url", &of.url),
        ChannelParams::Webhook(of) => http::wrong_url("url", of.url.expose()),
        ChannelParams::Email(of) => email::wrong_addresses(of),
        ChannelParams::Log(_) => Vec::new(),
    }
}

/// What tells a message from others, the same each time it is tried: receivers can see that they have it already.
fn delivery_id(notification: &Notification) -> String {
    let parts = [
        ("group", notification.group_key.clone()),
        ("at", notification.at.to_string()),
        ("reason", format!("{:?}", notification.reason)),
        ("source", notification.source.clone()),
    ];
    crate::alert::fingerprint(&parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The message as lines of text: the title, then each alert.
fn text(notification: &Notification) -> String {
    let mut lines = vec![notification.title()];
    for alert in &notification.alerts {
        let status = match alert.status() {
            Status::Firing => "firing",
            Status::Resolved => "resolved",
        };
        lines.push(String::new());
        lines.push(format!("{} ({}, {status} since {})", alert.name, alert.severity.name(), since(alert)));
        let more = [&alert.summary, &alert.description].into_iter().filter(|text| !text.is_empty());
        lines.extend(more.map(|text| format!("  {text}")));
        let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.push(format!("  {}", labels.join(" ")));
        if !alert.runbook.is_empty() {
            lines.push(format!("  What to do: {}", alert.runbook));
        }
    }
    if notification.truncated > 0 {
        lines.push(format!("\n… and {} more alerts", notification.truncated));
    }
    lines.join("\n")
}

/// When the alert got its status, to the second.
fn since(alert: &crate::Alert) -> String {
    alert.ends_at.unwrap_or(alert.starts_at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn permanent(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Permanent, message)
}
