//! Slack, `PagerDuty` and webhooks.

use std::time::{Duration, Instant};

use dais_alert::{ChannelParams, Delivery, PagerdutyParams, Secret, SlackParams, Status, WebhookParams, deliver_now};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::certificate::certify;
use crate::http_server::{HttpServer, Request};
use crate::support::{notification, quick, wait_for};

/// Delivers a message to a server that answers 500, then 429, then resets the connection, then takes it.
fn through_three_failures(name: &str, channel: impl FnOnce(&HttpServer) -> ChannelParams) -> Request {
    let folder = tempfile::tempdir().expect("a folder");
    let server = HttpServer::start(&[500, 429], Some(3));
    let delivery = Delivery::start(&quick(folder.path(), name, channel(&server))).expect("the channel opens");
    let begin = Instant::now();
    assert!(delivery.send(notification(name, Status::Firing)));
    let figures = wait_for(&delivery, name, |figures| figures.delivered + figures.dead > 0);
    assert_eq!((figures.delivered, figures.failed_attempts, figures.dead), (1, 3, 0));
    assert!(begin.elapsed() >= Duration::from_secs(1), "the server asked for a second");
    let answers: Vec<u16> = server.seen().iter().map(|request| request.answer).collect();
    assert_eq!((answers, server.resets()), (vec![500, 429, 202], 1));
    server.taken()
}

fn body(request: &Request) -> Value {
    assert_eq!(request.headers["content-type"], "application/json");
    serde_json::from_str(&request.body).expect("a body of JSON")
}

#[test]
fn slack_gets_its_blocks_through_three_failures() {
    let request = through_three_failures("slack", |server| {
        let url = Secret::new(format!("{}/services/T0/B0/x", server.address));
        ChannelParams::Slack(SlackParams { url, ..SlackParams::default() })
    });
    assert_eq!(request.path, "/services/T0/B0/x");
    let body = body(&request);
    let title = "[FIRING:1] DiskFull: disk has <12.5> MB & less";
    assert_eq!(body["text"], title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    assert_eq!(body["blocks"][0]["type"], "header");
    assert_eq!(body["blocks"][0]["text"]["type"], "plain_text");
    assert_eq!(body["blocks"][0]["text"]["text"], title, "plain text has no markup");
    let section = body["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(section.starts_with("*critical* DiskFull since 2023-11-14T22:13:20Z\ndisk has &lt;12.5&gt; MB &amp; less"));
    assert!(section.contains("`check=disk`") && section.contains("<https://example.org/disk|What to do>"));
    assert_eq!(body["blocks"][2]["type"], "context");
    assert_eq!(body["blocks"].as_array().unwrap().len(), 3);
}

fn pagerduty(server: &HttpServer) -> ChannelParams {
    let routing_key = Secret::new("R0123456789abcdef0123456789abcde");
    // With a slash at the end, as people write it.
    ChannelParams::Pagerduty(PagerdutyParams {
        routing_key,
        url: format!("{}/", server.address),
        ..PagerdutyParams::default()
    })
}

#[test]
fn pagerduty_gets_an_event_of_version_2_through_three_failures() {
    let request = through_three_failures("pagerduty", pagerduty);
    assert_eq!(request.path, "/v2/enqueue");
    let body = body(&request);
    assert_eq!(body["routing_key"], "R0123456789abcdef0123456789abcde");
    assert_eq!(body["event_action"], "trigger");
    assert!(body["dedup_key"].as_str().is_some_and(|key| key.len() < 255 && key.starts_with("dais-")));
    let payload = &body["payload"];
    assert_eq!(payload["summary"], "[FIRING:1] DiskFull: disk has <12.5> MB & less");
    assert_eq!((&payload["source"], &payload["severity"]), (&"host-1".into(), &"critical".into()));
    assert_eq!((&payload["component"], &payload["class"]), (&"disk".into(), &"DiskFull".into()));
    assert_eq!(payload["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(body["links"][0]["href"], "https://example.org/disk");
}

#[test]
fn pagerduty_resolves_what_it_triggered() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(&[], None);
    let params = quick(folder.path(), "pagerduty", pagerduty(&server));
    for status in [Status::Firing, Status::Resolved] {
        let answered = deliver_now(&params, "pagerduty", &notification("pagerduty", status)).unwrap();
        assert_eq!(answered, "answered 202 Accepted");
    }
    let [trigger, resolve] = server.seen().try_into().expect("two requests");
    let (trigger, resolve) = (body(&trigger), body(&resolve));
    assert_eq!(resolve["event_action"], "resolve");
    assert_eq!(resolve["dedup_key"], trigger["dedup_key"]);
}

/// HMAC-SHA256 as RFC 2104 defines it, from the hash alone.
fn hmac(key: &[u8], text: &[u8]) -> String {
    let mut block = [0_u8; 64];
    assert!(key.len() <= block.len(), "a longer key would be hashed first");
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    hex::encode(Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize())
}

#[test]
fn a_webhook_is_signed_and_gets_the_format_of_alertmanager_through_three_failures() {
    let request = through_three_failures("hook", |server| {
        let headers = [("Authorization".to_owned(), Secret::new("Bearer token"))].into();
        let url = Secret::new(format!("{}/alerts", server.address));
        let secret = Secret::new("shared key");
        ChannelParams::Webhook(WebhookParams { url, secret, headers, ..WebhookParams::default() })
    });
    assert_eq!(request.headers["authorization"], "Bearer token");
    assert_eq!(request.headers["x-dais-delivery"].len(), 16);
    let signature = request.headers["x-dais-signature"].to_str().unwrap();
    let (time, code) = signature.split_once(',').unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let age = jiff::Timestamp::now().as_second() - time.parse::<i64>().unwrap();
    assert!((0..300).contains(&age), "within the window in which receivers take it");
    assert_eq!(code, format!("v1={}", hmac(b"shared key", format!("{time}.{}", request.body).as_bytes())));

    let body = body(&request);
    assert_eq!((&body["version"], &body["status"]), (&"4".into(), &"firing".into()));
    assert_eq!(body["groupLabels"]["alertname"], "DiskFull");
    let alert = &body["alerts"][0];
    assert_eq!((&alert["status"], &alert["labels"]["check"]), (&"firing".into(), &"disk".into()));
    assert_eq!(
        (&alert["startsAt"], &alert["endsAt"]),
        (&"2023-11-14T22:13:20Z".into(), &"0001-01-01T00:00:00Z".into())
    );
    assert_eq!(alert["annotations"]["summary"], "disk has <12.5> MB & less");
    assert_eq!(alert["annotations"]["runbook_url"], "https://example.org/disk");
    assert_eq!(alert["fingerprint"].as_str().map(str::len), Some(16));
}

#[test]
fn the_signature_is_over_the_body_and_the_time() {
    let sign = |time, body: &str| dais_alert::sign("key", time, body.as_bytes());
    assert_eq!(sign(7, "{}"), format!("t=7,v1={}", hmac(b"key", b"7.{}")));
    assert_ne!(sign(7, "{}").split_once(',').unwrap().1, sign(8, "{}").split_once(',').unwrap().1);
}

#[test]
fn a_webhook_over_tls_needs_somebody_who_vouches_for_the_server() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = HttpServer::start_tls(folder.path());
    let hook = |ca_file| {
        let hook = WebhookParams { url: Secret::new(&server.address), ca_file, ..WebhookParams::default() };
        let params = quick(folder.path(), "hook", ChannelParams::Webhook(hook));
        deliver_now(&params, "hook", &notification("hook", Status::Firing))
    };
    let refused = hook(None).unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    assert!(server.seen().is_empty());
    assert_eq!(hook(Some(folder.path().join("cert.pem"))).unwrap(), "answered 202 Accepted");
}
