use dais_resilience::Failure;
use reqwest::Client;
use serde_json::{Value, json};

use super::{http, since};
use crate::params::SlackParams;
use crate::template::shortened;
use crate::{Alert, Notification, Secret, Status};

/// Limits of Block Kit: of a header, of a section, and ours for the number of sections (Slack takes 50 blocks).
const HEADER_BYTES_MAX: usize = 150;
const SECTION_BYTES_MAX: usize = 3_000;
const SECTIONS_MAX: usize = 20;

/// An incoming webhook of Slack. Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
#[derive(Debug)]
pub(crate) struct Slack {
    url: Secret,
    client: Client,
}

impl Slack {
    pub(super) fn new(params: &SlackParams, client: Client) -> Self {
        Self { url: params.url.clone(), client }
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<String, Failure> {
        http::send(self.client.post(self.url.expose()).json(&body(notification))).await
    }
}

fn body(notification: &Notification) -> Value {
    let title = notification.title();
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": shortened(title.clone(), HEADER_BYTES_MAX), "emoji": false },
    })];
    for alert in notification.alerts.iter().take(SECTIONS_MAX) {
        let text = shortened(section(alert), SECTION_BYTES_MAX);
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }));
    }
    let left_out = notification.alerts.len().saturating_sub(SECTIONS_MAX) + notification.truncated;
    let more = if left_out > 0 { format!(" · {left_out} more alerts") } else { String::new() };
    let foot = format!("{} · {}{more}", escaped(&notification.source), notification.at.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let foot = shortened(foot, SECTION_BYTES_MAX);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": foot }] }));
    // Shown in the notification of the system, where blocks are not.
    json!({ "text": shortened(escaped(&title), SECTION_BYTES_MAX), "blocks": blocks })
}

fn section(alert: &Alert) -> String {
    let mark = match alert.status() {
        Status::Firing => format!("*{}*", alert.severity.name()),
        Status::Resolved => "*resolved*".to_owned(),
    };
    let mut text = format!("{mark} {} since {}", escaped(&alert.name), since(alert));
    for line in [&alert.summary, &alert.description] {
        if !line.is_empty() {
            text.push('\n');
            text.push_str(&escaped(line));
        }
    }
    let labels = alert.labels.iter().filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"));
    let labels: Vec<String> = labels.map(|(name, value)| format!("`{}={}`", escaped(name), escaped(value))).collect();
    if !labels.is_empty() {
        text.push('\n');
        text.push_str(&labels.join(" "));
    }
    if !alert.runbook.is_empty() {
        text.push_str("\n<");
        text.push_str(&escaped(&alert.runbook));
        text.push_str("|What to do>");
    }
    text
}

/// The three characters that begin something in Slack's markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
