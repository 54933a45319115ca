//! From alerts to messages.

use dais_alert::{
    AlertParams, Alerts, ChannelParams, EscalationParams, InhibitParams, Labels, LogChannelParams, Matcher, Reason,
    RouteParams, RuleParams, Severity, Silence, SilenceParams, Status,
};

use crate::support::{above_ten, at, labels, params, readings, run};

fn matchers(texts: &[&str]) -> Vec<Matcher> {
    texts.iter().map(|text| text.parse().expect("a matcher")).collect()
}

fn hot() -> RuleParams {
    above_ten("Hot", "heat", Severity::Critical)
}

fn always_hot(_: i64) -> dais_alert::Readings {
    readings([("heat", Labels::new(), 12.0)])
}

fn with_channels(mut params: AlertParams, names: &[&str]) -> AlertParams {
    params.channels =
        names.iter().map(|name| ((*name).to_owned(), ChannelParams::Log(LogChannelParams::default()))).collect();
    params
}

#[test]
fn a_group_waits_to_fill_then_for_its_interval_then_repeats() {
    let mut params = params(vec![hot()]);
    params.route = RouteParams { group_wait_s: 30, group_interval_s: 300, repeat_interval_s: 1_000, ..params.route };
    let mut alerts = Alerts::new(params);
    let rooms = |second: i64| {
        let since = [("a", 0), ("b", 20), ("c", 40)];
        let hot = |from| if second >= from { 12.0 } else { 1.0 };
        readings(since.map(|(room, from)| ("heat", labels([("room", room)]), hot(from))))
    };
    let told = run(&mut alerts, 0..2_400, rooms);
    let what: Vec<_> = told.iter().map(|(second, one)| (*second, one.alerts.len(), one.reason)).collect();
    let change = Reason::Change;
    assert_eq!(what, [(30, 2, change), (330, 3, change), (1_330, 3, Reason::Repeat), (2_330, 3, Reason::Repeat)]);
    assert!(told.iter().all(|(_, one)| one.group_key == told[0].1.group_key), "a group keeps its key");
}

#[test]
fn an_alert_takes_the_first_route_that_fits() {
    let mut params =
        with_channels(params(vec![hot(), above_ten("Warm", "heat", Severity::Warning)]), &["day", "night"]);
    let route = RouteParams { channels: vec!["night".to_owned()], group_wait_s: 0, ..RouteParams::default() };
    params.routes = vec![RouteParams { matchers: matchers(&["severity=critical"]), ..route }];
    let told = run(&mut Alerts::new(params.clone()), 0..1, always_hot);
    let mut channels: Vec<_> =
        told.iter().map(|(_, one)| (one.alerts[0].name.as_str(), one.channels.clone())).collect();
    channels.sort();
    let (day, night) = ("day".to_owned(), "night".to_owned());
    assert_eq!(channels, [("Hot", vec![night.clone()]), ("Warm", vec![day, night])], "no channels are all channels");

    params.critical_alerts_only = true;
    let told = run(&mut Alerts::new(params), 0..1, always_hot);
    assert_eq!(told.iter().map(|(_, one)| one.alerts[0].name.as_str()).collect::<Vec<_>>(), ["Hot"]);
}

#[test]
fn what_belongs_together_arrives_together_with_the_likely_cause_first() {
    let dependent = |name: &str, cause: &str| RuleParams {
        caused_by: vec![cause.to_owned()],
        ..above_ten(name, &name.to_lowercase(), Severity::Critical)
    };
    let disk = above_ten("Disk", "disk", Severity::Warning);
    let mut params = params(vec![dependent("Stalled", "Storage"), dependent("Storage", "Disk"), disk.clone()]);
    params.route.group_wait_s = 30;
    let all = |second: i64| {
        let since = |from: i64| if second >= from { 12.0 } else { 1.0 };
        readings([
            ("stalled", Labels::new(), since(0)),
            ("storage", Labels::new(), since(5)),
            ("disk", Labels::new(), since(10)),
        ])
    };
    let names = |params: AlertParams| {
        let told = run(&mut Alerts::new(params), 0..100, all);
        told.iter().map(|(_, one)| one.alerts.iter().map(|alert| alert.name.clone()).collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(names(params.clone()), [["Disk", "Storage", "Stalled"]]);

    // Rules that name one another are no reason to run for ever.
    params.rules[2] = RuleParams { caused_by: vec!["Stalled".to_owned()], ..disk };
    assert_eq!(names(params.clone())[0].len(), 3);
    params.correlate.window_s = 0;
    assert_eq!(names(params).len(), 3, "without correlation each comes for itself");
}

#[test]
fn an_alert_keeps_others_quiet_where_labels_are_equal() {
    let mut params = params(vec![hot(), above_ten("Warm", "warmth", Severity::Warning)]);
    let (source, target) = (matchers(&["alertname=Hot"]), matchers(&["alertname=Warm"]));
    params.inhibit = vec![InhibitParams { source, target, equal: vec!["room".to_owned()] }];
    params.correlate.window_s = 0;
    let warm = |second: i64| {
        let heat = if second < 500 { 12.0 } else { 1.0 };
        let room = |name| labels([("room", name)]);
        readings([
            ("heat", room("a"), heat),
            ("warmth", room("a"), 12.0),
            ("warmth", room("b"), 12.0),
            ("warmth", Labels::new(), 12.0),
        ])
    };
    let told = run(&mut Alerts::new(params), 0..1_000, warm);
    let warm = |second: i64| {
        let of = told.iter().filter(|(at, one)| *at == second && one.group_labels["alertname"] == "Warm");
        of.flat_map(|(_, one)| &one.alerts)
            .map(|alert| alert.labels.get("room").cloned().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let mut first = warm(0);
    first.sort();
    assert_eq!(first, ["", "b"], "a label that is not there is not equal");
    assert_eq!(warm(500).len(), 3, "room a is told once nothing keeps it quiet");
}

#[test]
fn a_silence_holds_while_it_lasts_and_the_end_of_what_was_told_is_told_all_the_same() {
    let silence = SilenceParams {
        matchers: matchers(&["alertname=Hot"]),
        from: Some(at(100)),
        until: at(1_000),
        comment: "known".to_owned(),
    };
    let params = AlertParams { silences: vec![silence], ..params(vec![hot()]) };
    let silenced = run(&mut Alerts::new(params.clone()), 100..2_000, always_hot);
    assert_eq!(silenced.iter().map(|(second, _)| *second).collect::<Vec<_>>(), [1_000]);

    let heat = |second: i64| readings([("heat", Labels::new(), if second < 500 { 12.0 } else { 1.0 })]);
    let told = run(&mut Alerts::new(params.clone()), 0..2_000, heat);
    let what: Vec<_> = told.iter().map(|(second, one)| (*second, one.status)).collect();
    assert_eq!(what, [(0, Status::Firing), (500, Status::Resolved)]);

    let mut alerts = Alerts::new(AlertParams { silences: Vec::new(), ..params });
    alerts.silence(vec![Silence::new(matchers(&["severity=critical"]), at(0), at(10), "by hand").unwrap()]);
    assert_eq!(run(&mut alerts, 0..100, always_hot)[0].0, 10);
}

#[test]
fn who_does_not_answer_is_escalated_until_somebody_acknowledges() {
    let mut params = with_channels(params(vec![hot()]), &["first", "second", "third"]);
    let step = |after_s, name: &str| EscalationParams { after_s, channels: vec![name.to_owned()] };
    params.route.channels = vec!["first".to_owned()];
    params.route.escalate = vec![step(600, "second"), step(1_200, "third")];
    params.route.repeat_interval_s = 900;
    let until =
        |end: i64| move |second: i64| readings([("heat", Labels::new(), if second < end { 12.0 } else { 1.0 })]);

    let told = run(&mut Alerts::new(params.clone()), 0..2_000, until(1_500));
    let what: Vec<_> = told.iter().map(|(second, one)| (*second, one.reason, one.channels.join(" "))).collect();
    assert_eq!(
        what,
        [
            (0, Reason::Change, "first".to_owned()),
            (600, Reason::Escalation, "second".to_owned()),
            (900, Reason::Repeat, "first second".to_owned()),
            (1_200, Reason::Escalation, "third".to_owned()),
            (1_500, Reason::Change, "first second third".to_owned()),
        ]
    );

    let mut alerts = Alerts::new(params);
    run(&mut alerts, 0..100, until(5_000));
    assert_eq!(alerts.acknowledge(&matchers(&["alertname=Hot"])), 1);
    let told = run(&mut alerts, 100..6_000, until(5_000));
    assert_eq!(told.iter().map(|(second, _)| *second).collect::<Vec<_>>(), [5_000], "only its end is told");
}
