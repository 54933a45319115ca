//! What is configured.

use dais_alert::{AlertParams, Alerting, ChannelParams, Event, Readings, SmtpTls};

use crate::support::at;

fn read(yaml: &str) -> AlertParams {
    serde_saphyr::from_str(yaml).expect("parameters")
}

const ORIGINAL: &str = "
enable_slack_notifications: true
slack_webhook_url: https://hooks.slack.com/services/T0/B0/secret
enable_pagerduty: true
pagerduty_routing_key: 0123456789abcdef0123456789abcdef
critical_alerts_only: true
";

#[test]
fn the_short_form_makes_two_channels() {
    let params = read(ORIGINAL);
    assert_eq!(params.check(), []);
    assert!(params.is_active() && params.critical_alerts_only);
    assert_eq!(params.all_channels().into_keys().collect::<Vec<_>>(), ["pagerduty", "slack"]);
    assert!(!format!("{params:?}{}", serde_json::to_string(&params).unwrap()).contains("secret\""));
    assert!(!AlertParams::default().is_active(), "nothing is done without a channel");
}

const FULL: &str = r#"
channels:
  mail:
    type: email
    host: mail.example.org
    tls: implicit
    from: dais <dais@example.org>
    to: [ops@example.org]
  hook: {type: webhook, url: "https://example.org/alerts", secret: key}
rules:
  - name: SlowSteps
    when: {type: metric, metric: simulation_step_duration_seconds_p95, op: ">", threshold: 5}
    for_s: 120
    summary: "steps take {{ value | round(1) }} s"
  - name: FalseAlarms
    severity: info
    when: {type: rate, metric: flows_alerted_total, matchers: ["world=isolated"], op: ">=", threshold: 100, window_s: 60}
  - {name: StepsStalled, enabled: false}
route: {channels: [hook], escalate: [{after_s: 600, channels: [mail]}]}
routes: [{matchers: ["severity=critical"], channels: [mail, hook]}]
silences: [{matchers: ["alertname=SlowSteps"], until: "2026-05-01T00:00:00Z"}]
"#;

#[test]
fn rules_and_routes_are_read_and_written() {
    let params = read(FULL);
    assert_eq!(params.check(), []);
    let rules: Vec<String> = params.all_rules().into_iter().map(|rule| rule.name).collect();
    assert!(rules.contains(&"SlowSteps".to_owned()) && rules.contains(&"RunFailed".to_owned()));
    assert!(!rules.contains(&"StepsStalled".to_owned()), "turned off");
    let ChannelParams::Email(mail) = &params.channels["mail"] else { panic!("{params:?}") };
    assert_eq!(mail.tls, SmtpTls::Implicit);
    let written = serde_json::to_string(&params).unwrap();
    let mut again: AlertParams = serde_json::from_str(&written).unwrap();
    again.channels.clone_from(&params.channels);
    assert_eq!(again, params, "all but secrets");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = read(
        r#"
enable_slack_notifications: true
channels:
  mail: {type: email, host: h, from: nobody, to: [a@example.org, "b@"], username: u}
  hook: {type: webhook, url: "example.org/secret"}
rules:
  - {name: A, when: {type: metric}, summary: "{{ value"}
  - {name: A, when: {type: event, event: e}, caused_by: [Nothing]}
route: {channels: [nowhere], escalate: [{after_s: 600}, {after_s: 60}]}
silences: [{matchers: [], until: "2026-05-01T00:00:00Z"}]
inhibit: [{source: ["a=b"]}]
delivery: {retry: {first_delay_ms: 10, max_delay_ms: 5}}
"#,
    )
    .check();
    let places: Vec<&str> = wrong.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "slack_webhook_url",
        "channels.hook.url",
        "channels.mail.password",
        "channels.mail.to.1",
        "channels.mail.from",
        "rules.0.summary",
        "rules.0.when.metric",
        "rules.1.name",
        "rules.1.caused_by",
        "route.channels",
        "route.escalate",
        "silences.0.matchers",
        "inhibit.0",
        "delivery.retry.max_delay_ms",
    ];
    assert_eq!(places, expected);
    assert!(!format!("{wrong:?}").contains("example.org/secret"));
}

#[test]
fn a_key_that_is_unknown_is_refused_at_every_depth() {
    for yaml in [
        "nosuch: 1",
        "channels: {a: {type: slack, nosuch: 1}}",
        "channels: {a: {type: pigeon}}",
        "rules: [{name: a, when: {type: metric, nosuch: 1}}]",
        "rules: [{name: a, when: {type: metric, op: '=>'}}]",
        "route: {nosuch: 1}",
        "delivery: {retry: {nosuch: 1}}",
        "silences: [{matchers: [nosuch], until: '2026-05-01T00:00:00Z'}]",
    ] {
        assert!(serde_saphyr::from_str::<AlertParams>(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn the_schema_marks_secrets_and_describes_every_field() {
    let schema = serde_json::to_value(schemars::schema_for!(AlertParams)).unwrap();
    let mut described = 0;
    let mut walk = vec![("", &schema)];
    let mut secrets = Vec::new();
    while let Some((name, at)) = walk.pop() {
        if at.get("x-secret").is_some() {
            secrets.push(name);
        }
        let properties = at.get("properties").and_then(serde_json::Value::as_object);
        for (name, property) in properties.into_iter().flatten().filter(|(name, _)| *name != "type") {
            assert!(property.get("description").is_some(), "{name} is not described");
            described += 1;
        }
        if let Some(members) = at.as_object() {
            walk.extend(members.iter().map(|(name, member)| (name.as_str(), member)));
        } else if let Some(members) = at.as_array() {
            walk.extend(members.iter().map(|member| ("", member)));
        }
    }
    assert!(described > 60, "{described}");
    for secret in ["slack_webhook_url", "pagerduty_routing_key", "url", "routing_key", "password", "secret"] {
        assert!(secrets.contains(&secret), "{secret} is not marked: {secrets:?}");
    }
    assert_eq!(serde_json::from_value::<AlertParams>(serde_json::json!({})).unwrap(), AlertParams::default());
}

#[test]
fn a_silence_made_while_it_runs_is_followed_and_so_are_other_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let mut params =
        crate::support::quick(folder.path(), "log", ChannelParams::Log(dais_alert::LogChannelParams::default()));
    params.route.group_wait_s = 0;
    let mut alerting = Alerting::start(params.clone()).unwrap().expect("there is a channel");
    let failed = Readings { events: vec![Event::new("run_failed", "killed")], ..Readings::default() };
    let silence = dais_alert::Silence::new(vec!["alertname=RunFailed".parse().unwrap()], at(0), at(50), "").unwrap();
    dais_alert::change_silences(&params.silence_file, at(0), |silences| silences.push(silence)).unwrap();
    assert_eq!(alerting.observe(at(0), &failed), 0);
    assert_eq!(alerting.observe(at(60), &Readings::default()), 1, "it fires on after the silence");

    let mut wrong = params.clone();
    let lost = dais_alert::WebhookParams { ca_file: Some(folder.path().join("no.pem")), ..Default::default() };
    wrong.channels.insert("hook".to_owned(), ChannelParams::Webhook(lost));
    let failure = alerting.reload(wrong).unwrap_err();
    assert!(failure.to_string().contains("no.pem") && failure.to_string().contains("hook"), "{failure}");
    params.labels.insert("site".to_owned(), "one".to_owned());
    params.channels.insert("second".to_owned(), ChannelParams::Log(dais_alert::LogChannelParams::default()));
    alerting.reload(params).unwrap();
    assert_eq!(alerting.observe(at(400), &failed), 1, "that of before is over, with its labels, and one began");
    alerting.stop();
}
