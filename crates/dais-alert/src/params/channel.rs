use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// A way to people or to their programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChannelParams {
    /// A Slack channel, by an incoming webhook.
    Slack(SlackParams),
    /// A `PagerDuty` service, by its Events API v2.
    Pagerduty(PagerdutyParams),
    /// E-mail, by SMTP with TLS.
    Email(EmailParams),
    /// Any HTTP server: a POST with JSON, signed.
    Webhook(WebhookParams),
    /// The log of this process.
    Log(LogChannelParams),
}

impl ChannelParams {
    /// The name of its kind, as `type` has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Pagerduty(_) => "pagerduty",
            Self::Email(_) => "email",
            Self::Webhook(_) => "webhook",
            Self::Log(_) => "log",
        }
    }

    /// Whether it is told when alerts are over.
    pub fn send_resolved(&self) -> bool {
        match self {
            Self::Slack(of) => of.send_resolved,
            Self::Pagerduty(of) => of.send_resolved,
            Self::Email(of) => of.send_resolved,
            Self::Webhook(of) => of.send_resolved,
            Self::Log(of) => of.send_resolved,
        }
    }

    /// What is wrong with it, as paths and messages; empty when all is fine.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let mut missing = |field: &str, is: bool| {
            if is {
                wrong.push((field.to_owned(), "is missing".to_owned()));
            }
        };
        match self {
            Self::Slack(of) => missing("url", of.url.is_empty()),
            Self::Pagerduty(of) => missing("routing_key", of.routing_key.is_empty()),
            Self::Email(of) => {
                missing("host", of.host.is_empty());
                missing("from", of.from.is_empty());
                missing("to", of.to.is_empty());
                missing("password", !of.username.is_empty() && of.password.is_empty());
            }
            Self::Webhook(of) => missing("url", of.url.is_empty()),
            Self::Log(_) => {}
        }
        wrong.extend(crate::channel::wrong_addresses(self));
        wrong
    }
}

/// A Slack channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlackParams {
    /// Address of the incoming webhook; whoever knows it may post.
    pub url: Secret,
    /// Whether the channel is told when alerts are over.
    pub send_resolved: bool,
}

impl Default for SlackParams {
    fn default() -> Self {
        Self { url: Secret::default(), send_resolved: true }
    }
}

/// A `PagerDuty` service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagerdutyParams {
    /// Integration key of the service (Events API v2), 32 characters.
    pub routing_key: Secret,
    /// Base address: `https://events.pagerduty.com`, or `https://events.eu.pagerduty.com` for the service region EU.
    pub url: String,
    /// Whether incidents are resolved when alerts are over.
    pub send_resolved: bool,
}

impl Default for PagerdutyParams {
    fn default() -> Self {
        Self { routing_key: Secret::default(), url: "https://events.pagerduty.com".to_owned(), send_resolved: true }
    }
}

/// E-mail by SMTP. A connection without TLS is never used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmailParams {
    /// Name of the mail server, as in its certificate.
    pub host: String,
    /// Its port; 0: 587 for STARTTLS, 465 for implicit TLS.
    pub port: u16,
    /// How TLS begins: starttls or implicit.
    pub tls: SmtpTls,
    /// Name to log in with; no log-in where this is empty.
    pub username: String,
    /// Password to log in with.
    pub password: Secret,
    /// Who the mail is from, such as `dais <dais@example.org>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// File with certificates (PEM) that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether a mail is sent when alerts are over.
    pub send_resolved: bool,
}

impl Default for EmailParams {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 0,
            tls: SmtpTls::Starttls,
            username: String::new(),
            password: Secret::default(),
            from: String::new(),
            to: Vec::new(),
            ca_file: None,
            send_resolved: true,
        }
    }
}

/// How TLS begins on a connection to a mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// The connection begins in the clear and must be turned to TLS (RFC 3207).
    #[default]
    Starttls,
    /// The connection begins with TLS (RFC 8314).
    Implicit,
}

/// Any HTTP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookParams {
    /// Where the messages are posted to; it is not shown, since it may hold a password.
    pub url: Secret,
    /// Key of the signature `X-Dais-Signature` (HMAC-SHA256); no signature where this is empty.
    pub secret: Secret,
    /// More headers of each request; their values are not shown.
    pub headers: BTreeMap<String, Secret>,
    /// File with certificates (PEM) that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether it is told when alerts are over.
    pub send_resolved: bool,
}

impl Default for WebhookParams {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            secret: Secret::default(),
            headers: BTreeMap::new(),
            ca_file: None,
            send_resolved: true,
        }
    }
}

/// The log of this process: critical alerts as errors, warnings as warnings, all else as information.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogChannelParams {
    /// Whether a line is written when alerts are over.
    pub send_resolved: bool,
}

impl Default for LogChannelParams {
    fn default() -> Self {
        Self { send_resolved: true }
    }
}
