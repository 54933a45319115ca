use dais_resilience::Failure;
use reqwest::Client;
use serde_json::{Value, json};

use super::http;
use crate::alert::fingerprint;
use crate::params::PagerdutyParams;
use crate::template::shortened;
use crate::{Notification, Secret, Severity, Status};

/// The longest summary that is taken.
const SUMMARY_BYTES_MAX: usize = 1_024;

/// The Events API v2 of `PagerDuty`. Source: <https://developer.pagerduty.com/docs/send-alert-event>.
#[derive(Debug)]
pub(crate) struct Pagerduty {
    url: String,
    routing_key: Secret,
    client: Client,
}

impl Pagerduty {
    pub(super) fn new(params: &PagerdutyParams, client: Client) -> Self {
        let url = format!("{}/v2/enqueue", params.url.trim_end_matches('/'));
        Self { url, routing_key: params.routing_key.clone(), client }
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<String, Failure> {
        let body = body(notification, self.routing_key.expose());
        http::send(self.client.post(&self.url).json(&body)).await
    }
}

/// One incident for each group: what was triggered under a key is resolved under it.
fn body(notification: &Notification, routing_key: &str) -> Value {
    let key =
        [("group".to_owned(), notification.group_key.clone()), ("source".to_owned(), notification.source.clone())];
    let dedup_key = format!("dais-{}", fingerprint(&key.into()));
    if notification.status == Status::Resolved {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key });
    }
    let severity = match notification.severity() {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    let first = notification.alerts.first();
    let links: Vec<Value> = notification
        .alerts
        .iter()
        .filter(|alert| !alert.runbook.is_empty())
        .map(|alert| json!({ "href": alert.runbook, "text": format!("{}: what to do", alert.name) }))
        .collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "dais",
        "links": links,
        "payload": {
            "summary": shortened(notification.title(), SUMMARY_BYTES_MAX),
            "source": notification.source,
            "severity": severity,
            "timestamp": first.map_or(notification.at, |alert| alert.starts_at).to_string(),
            "component": first.and_then(|alert| alert.labels.get("check")),
            "group": notification.group_key,
            "class": first.map(|alert| &alert.name),
            "custom_details": { "text": super::text(notification), "labels": notification.common_labels() },
        },
    })
}
