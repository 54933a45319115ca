//! From rules to alerts.

use dais_alert::{
    AbsentCondition, AlertParams, Alerts, Condition, Event, EventCondition, HealthCondition, HealthState, Labels, Op,
    RateCondition, Readings, RuleParams, Severity, Status,
};

use crate::support::{above_ten, at, labels, params, readings, run};

fn with_rule(name: &str, when: Condition) -> AlertParams {
    params(vec![RuleParams { name: name.to_owned(), when, ..RuleParams::default() }])
}

#[test]
fn an_alert_is_told_when_it_begins_and_when_it_is_over() {
    let rule = RuleParams { for_s: 20, ..above_ten("Hot", "heat", Severity::Critical) };
    let mut alerts = Alerts::new(params(vec![rule]));
    let heat = |second| readings([("heat", Labels::new(), if (10..700).contains(&second) { 12.5 } else { 1.0 })]);
    let told = run(&mut alerts, 0..2_000, heat);
    let what: Vec<_> = told.iter().map(|(second, one)| (*second, one.status, one.title())).collect();
    assert_eq!(
        what,
        [
            (30, Status::Firing, "[FIRING:1] Hot: heat is 12.5".to_owned()),
            (700, Status::Resolved, "[RESOLVED] Hot: heat is 12.5".to_owned())
        ]
    );
    let over = &told[1].1.alerts[0];
    assert_eq!((over.starts_at, over.ends_at), (at(30), Some(at(700))));
    assert_eq!(over.labels, labels([("alertname", "Hot"), ("severity", "critical")]));
}

#[test]
fn each_series_has_an_alert_of_its_own_and_all_arrive_together() {
    let mut alerts = Alerts::new(params(vec![above_ten("Hot", "heat", Severity::Warning)]));
    let heat = readings([
        ("heat", labels([("room", "a")]), 11.0),
        ("heat", labels([("room", "b")]), 9.0),
        ("heat", labels([("room", "c")]), 12.0),
        ("heat", labels([("room", "d")]), f64::NAN),
        ("cold", labels([("room", "e")]), 12.0),
    ]);
    let told = alerts.evaluate(at(0), &heat);
    assert_eq!(told.len(), 1);
    let mut rooms: Vec<_> = told[0].alerts.iter().map(|alert| alert.labels["room"].as_str()).collect();
    rooms.sort_unstable();
    assert_eq!(rooms, ["a", "c"]);
}

#[test]
fn a_counter_that_stands_still_is_seen_and_one_that_is_not_there_is_not() {
    let when = RateCondition {
        metric: "steps_total".to_owned(),
        op: Op::LessOrEqual,
        threshold: 0.0,
        window_s: 60,
        ..RateCondition::default()
    };
    let mut alerts = Alerts::new(with_rule("Stalled", Condition::Rate(when)));
    assert_eq!(run(&mut alerts, 0..100, |_| Readings::default()), []);
    let steps = |second: i64| readings([("steps_total", Labels::new(), second.min(300) as f64)]);
    let told = run(&mut alerts, 100..500, steps);
    assert_eq!(told.len(), 1);
    assert!((355..=365).contains(&told[0].0), "a minute after the last step: {}", told[0].0);
}

#[test]
fn a_metric_that_is_gone_is_an_alert() {
    let when = AbsentCondition { metric: "steps_total".to_owned(), ..AbsentCondition::default() };
    let mut alerts = Alerts::new(with_rule("Gone", Condition::Absent(when)));
    assert_eq!(alerts.evaluate(at(0), &readings([("steps_total", Labels::new(), 0.0)])), []);
    assert_eq!(alerts.evaluate(at(1), &Readings::default()).len(), 1);
}

#[test]
fn health_is_an_alert_for_each_check() {
    let when = HealthCondition { check: "*".to_owned(), state: HealthState::Degraded };
    let mut alerts = Alerts::new(with_rule("Unwell", Condition::Health(when)));
    let health =
        [("disk", HealthState::Degraded), ("memory", HealthState::Healthy), ("overall", HealthState::Degraded)];
    let health = health.map(|(check, state)| (check.to_owned(), state)).to_vec();
    let told = alerts.evaluate(at(0), &Readings { health, ..Readings::default() });
    let checks: Vec<_> = told[0].alerts.iter().map(|alert| alert.labels["check"].as_str()).collect();
    assert_eq!(checks, ["disk"]);
}

#[test]
fn events_count_within_their_window() {
    let when = EventCondition { event: "agent_failed".to_owned(), count: 3, within_s: 60 };
    let mut alerts = Alerts::new(with_rule("AgentsFail", Condition::Event(when)));
    let failed = |second: i64| {
        let events = if second % 40 == 0 || second >= 200 {
            vec![Event::new("agent_failed", "out of memory")]
        } else {
            Vec::new()
        };
        Readings { events, ..Readings::default() }
    };
    let told = run(&mut alerts, 0..300, failed);
    assert_eq!(told.len(), 1, "two in a minute are not enough");
    assert_eq!(told[0].0, 201, "at 160, 200 and 201");
}

/// The bound that the documentation names: of a metric that flaps every second for an hour.
#[test]
fn a_flapping_metric_makes_three_messages_in_an_hour_and_one_when_it_is_calm() {
    let mut alerts = Alerts::new(params(vec![above_ten("Hot", "heat", Severity::Critical)]));
    let heat =
        |second: i64| readings([("heat", Labels::new(), if second % 2 == 0 && second < 3_600 { 12.0 } else { 1.0 })]);
    let hour = run(&mut alerts, 0..3_600, heat);
    let titles: Vec<_> = hour.iter().map(|(_, one)| one.title()).collect();
    assert!(hour.len() <= 3, "{titles:?}");
    assert_eq!(titles.iter().filter(|title| title.contains("(flapping)")).count(), 1, "{titles:?}");
    let after = run(&mut alerts, 3_600..7_200, heat);
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].0, after[0].1.status), (3_599 + 600, Status::Resolved), "calm for ten minutes");
}

#[test]
fn a_thousand_flapping_series_make_as_few_messages_as_one() {
    let mut alerts =
        Alerts::new(AlertParams { alerts_max: 500, ..params(vec![above_ten("Hot", "heat", Severity::Critical)]) });
    let heat = |second: i64| {
        let value = if second % 20 == 0 { 12.0 } else { 1.0 };
        let series = (0..1_000).map(|room| ("heat".to_owned(), labels([("room", &room.to_string())]), value));
        Readings { series: series.collect(), ..Readings::default() }
    };
    let told: Vec<_> = (0..3_600).step_by(10).flat_map(|second| alerts.evaluate(at(second), &heat(second))).collect();
    assert!(told.len() <= 3, "{} messages", told.len());
    assert!(told.iter().all(|one| one.alerts.len() <= 50 && one.truncated > 0));
    assert!(alerts.not_followed() > 0 && alerts.list().len() == 500);
}

#[test]
fn other_parameters_keep_what_is_known_and_tell_nobody_again() {
    let hot = above_ten("Hot", "heat", Severity::Critical);
    let mut alerts = Alerts::new(params(vec![hot.clone(), above_ten("Warm", "heat", Severity::Warning)]));
    let heat = |_| readings([("heat", Labels::new(), 12.0)]);
    assert_eq!(run(&mut alerts, 0..10, heat).len(), 2);
    let mut other = params(vec![hot]);
    other.route.group_by = vec!["severity".to_owned()];
    alerts.reload(other);
    let told = run(&mut alerts, 10..1_000, heat);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1.title(), "[RESOLVED] Warm: heat is 12.0", "its rule is gone");
}
