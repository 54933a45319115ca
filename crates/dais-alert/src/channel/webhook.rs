use dais_resilience::Failure;
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{SIGNATURE_HEADER, delivery_id, http, permanent, sign};
use crate::alert::fingerprint;
use crate::params::WebhookParams;
use crate::{Alert, Notification, Secret};

/// The header that tells one message from another, the same each time it is tried.
const DELIVERY_HEADER: &str = "X-Dais-Delivery";

/// An HTTP server that takes messages in the format of Alertmanager's webhook, version 4.
/// Source: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: Secret,
    secret: Secret,
    headers: HeaderMap,
    client: Client,
}

impl Webhook {
    pub(super) fn new(params: &WebhookParams, client: Client) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &params.headers {
            let wrong = || permanent("is no header of HTTP").with("header", name);
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::try_from(name).map_err(|_| wrong())?, value);
        }
        Ok(Self { url: params.url.clone(), secret: params.secret.clone(), headers, client })
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<String, Failure> {
        let body = body(notification).to_string();
        let mut request = self
            .client
            .post(self.url.expose())
            .header(CONTENT_TYPE, "application/json")
            .header(DELIVERY_HEADER, delivery_id(notification))
            .headers(self.headers.clone());
        if !self.secret.is_empty() {
            // Signed anew at each attempt, since receivers refuse what is old.
            let signature = sign(self.secret.expose(), Timestamp::now().as_second(), body.as_bytes());
            request = request.header(SIGNATURE_HEADER, signature);
        }
        http::send(request.body(body)).await
    }
}

fn body(notification: &Notification) -> Value {
    json!({
        "version": "4",
        "groupKey": notification.group_key,
        "truncatedAlerts": notification.truncated,
        "status": notification.status,
        "receiver": "dais",
        "reason": notification.reason,
        "source": notification.source,
        "title": notification.title(),
        "groupLabels": notification.group_labels,
        "commonLabels": notification.common_labels(),
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": notification.alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}

fn alert(alert: &Alert) -> Value {
    let annotations =
        [("summary", &alert.summary), ("description", &alert.description), ("runbook_url", &alert.runbook)];
    let annotations: serde_json::Map<String, Value> = annotations
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.to_owned(), Value::from(text.as_str())))
        .collect();
    json!({
        "status": alert.status(),
        "labels": alert.labels,
        "annotations": annotations,
        "startsAt": alert.starts_at,
        // The zero time of Go stands for an end that is not known, as Alertmanager has it.
        "endsAt": alert.ends_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
        "generatorURL": "",
        "fingerprint": fingerprint(&alert.labels),
        "value": alert.value,
        "flapping": alert.flapping,
    })
}
