//! The state machine of health checks, with time as an argument.

use std::time::Duration;

use dais_telemetry::health::{Check, Ended, Finding, HealthParams, Registry, RegistryError, Report, State, Status};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn params() -> HealthParams {
    HealthParams { interval_s: 10.0, timeout_s: 3.0, history_len: 4, ..HealthParams::default() }
}

/// Found out by the test, not by calling.
fn check(name: &str) -> Check {
    Check::new(name, &params(), || Finding::healthy("never called"))
}

fn registry(checks: Vec<Check>) -> Registry {
    Registry::new(checks, params().history_len, 7).expect("the checks stand together")
}

fn names(registry: &mut Registry, now: Duration) -> Vec<String> {
    registry.start_due(now).into_iter().map(|(name, _)| name).collect()
}

fn finish(registry: &mut Registry, now: Duration, name: &str, finding: Finding) {
    registry.finish(now, Ended { check: name.to_owned(), finding });
}

/// Calls every check that is due and lets it find this.
fn turn(registry: &mut Registry, now: Duration, finding: &Finding) {
    for name in names(registry, now) {
        finish(registry, now, &name, finding.clone());
    }
}

fn status(report: &Report, name: &str) -> Status {
    report.checks.iter().find(|check| check.name == name).expect("the check is in the report").status
}

fn detail<'a>(report: &'a Report, name: &str) -> &'a str {
    &report.checks.iter().find(|check| check.name == name).expect("the check is in the report").detail
}

#[test]
fn first_calls_are_spread_and_then_come_at_their_interval() {
    let mut all = registry((0..20).map(|number| check(&format!("check-{number}"))).collect());
    let at_once = names(&mut all, Duration::ZERO).len();
    let soon = names(&mut all, Duration::from_millis(500)).len();
    let late = names(&mut all, s(1)).len();
    assert_eq!(at_once + soon + late, 20);
    assert!(at_once < 3 && soon > 3 && late > 3, "{at_once}, {soon}, {late}");
    assert!(names(&mut all, s(30)).is_empty(), "none is called again before it returns");
}

#[test]
fn without_findings_nothing_is_known_and_nothing_counts() {
    let all = registry(vec![check("disk").critical()]);
    let report = all.report(Duration::ZERO);
    assert_eq!((report.state, status(&report, "disk")), (State::Healthy, Status::Unknown));
    assert!((report.score - 100.0).abs() < 1e-9);
}

#[test]
fn the_state_and_score_follow_from_what_is_critical_and_what_weighs() {
    let mut all = registry(vec![check("ledger").critical(), check("cpu")]);
    let found = |all: &mut Registry, now, ledger: State, cpu: State| {
        for name in names(all, now) {
            let state = if name == "ledger" { ledger } else { cpu };
            finish(all, now, &name, Finding::new(state, ""));
        }
        let report = all.report(now);
        (report.status.clone(), report.state, report.score.round())
    };
    assert_eq!(found(&mut all, s(1), State::Healthy, State::Healthy), ("pass".to_owned(), State::Healthy, 100.0));
    found(&mut all, s(11), State::Healthy, State::Unhealthy);
    assert_eq!(found(&mut all, s(21), State::Healthy, State::Unhealthy), ("warn".to_owned(), State::Degraded, 75.0));
    found(&mut all, s(31), State::Degraded, State::Unhealthy);
    assert_eq!(found(&mut all, s(41), State::Degraded, State::Unhealthy), ("warn".to_owned(), State::Degraded, 38.0));
    found(&mut all, s(51), State::Unhealthy, State::Unhealthy);
    assert_eq!(found(&mut all, s(61), State::Unhealthy, State::Unhealthy), ("fail".to_owned(), State::Unhealthy, 0.0));
}

#[test]
fn a_check_that_flaps_keeps_showing_what_it_showed() {
    let mut all = registry(vec![check("broker")]);
    turn(&mut all, s(1), &Finding::healthy("up"));
    for round in 0_u64..10 {
        let finding = if round % 2 == 0 { Finding::unhealthy("down") } else { Finding::healthy("up") };
        turn(&mut all, s(11 + 10 * round), &finding);
        assert_eq!(status(&all.report(s(11 + 10 * round)), "broker"), Status::Healthy);
    }
    turn(&mut all, s(111), &Finding::unhealthy("down"));
    turn(&mut all, s(121), &Finding::unhealthy("down"));
    assert_eq!(status(&all.report(s(121)), "broker"), Status::Unhealthy);
    turn(&mut all, s(131), &Finding::healthy("up"));
    assert_eq!(status(&all.report(s(131)), "broker"), Status::Unhealthy);
    turn(&mut all, s(141), &Finding::healthy("up"));
    assert_eq!(status(&all.report(s(141)), "broker"), Status::Healthy);
}

#[test]
fn what_depends_on_something_unhealthy_is_skipped_and_does_not_count_twice() {
    let mut all = registry(vec![
        check("proofs").after("ledger"),
        check("ledger").critical().after("storage"),
        check("storage").critical(),
        check("disk"),
    ]);
    let first = names(&mut all, s(1));
    assert_eq!(first, ["storage", "disk"], "the others wait for what they depend on");
    finish(&mut all, s(1), "disk", Finding::healthy(""));
    finish(&mut all, s(1), "storage", Finding::unhealthy("refused"));
    assert!(names(&mut all, s(2)).is_empty(), "no point in calling what depends on it");
    let report = all.report(s(2));
    assert_eq!([status(&report, "ledger"), status(&report, "proofs")], [Status::Skipped; 2]);
    assert_eq!(detail(&report, "ledger"), "needs `storage`, which is unhealthy");
    assert_eq!(detail(&report, "proofs"), "needs `ledger`, which is skipped");
    assert_eq!((report.state, report.score.round()), (State::Unhealthy, 25.0));
    let changes = all.changes();
    assert_eq!(changes.len(), 4);
    assert!(all.changes().is_empty(), "a change is told once");
}

#[test]
fn a_call_that_hangs_is_unhealthy_and_is_not_made_again_until_it_returns() {
    let mut all = registry(vec![check("storage")]);
    turn(&mut all, s(1), &Finding::healthy("answers"));
    assert_eq!(names(&mut all, s(11)), ["storage"]);
    assert_eq!(all.next_event(), Some(s(14)), "its time-out");
    all.expire(s(13));
    assert_eq!(all.report(s(13)).checks[0].failures_in_row, 0);
    all.expire(s(14));
    assert_eq!(status(&all.report(s(14)), "storage"), Status::Healthy, "one is not enough");
    all.expire(s(24));
    let report = all.report(s(24));
    assert_eq!(status(&report, "storage"), Status::Unhealthy);
    assert!(detail(&report, "storage").starts_with("timed out: no answer after 13.0 s"), "{report:?}");
    assert!(names(&mut all, s(100)).is_empty());
    finish(&mut all, s(100), "storage", Finding::healthy("at last"));
    assert_eq!(status(&all.report(s(100)), "storage"), Status::Unhealthy, "that is old news");
    assert!(names(&mut all, s(105)).is_empty());
    turn(&mut all, s(110), &Finding::healthy("answers"));
    turn(&mut all, s(120), &Finding::healthy("answers"));
    assert_eq!(status(&all.report(s(120)), "storage"), Status::Healthy);
}

#[test]
fn the_history_is_bounded_and_holds_the_newest() {
    let mut all = registry(vec![check("disk")]);
    for round in 0_u64..20 {
        turn(&mut all, s(1 + 10 * round), &Finding::healthy(format!("{round}")));
    }
    let report = all.report(s(200));
    let details: Vec<&str> = report.checks[0].history.iter().map(|record| record.detail.as_str()).collect();
    assert_eq!(details, ["16", "17", "18", "19"]);
    assert_eq!(report.checks[0].checked_s_ago, Some(9.0));
}

#[test]
fn checks_that_cannot_stand_together_are_refused() {
    let refused = |checks| Registry::new(checks, 4, 0).unwrap_err();
    assert_eq!(refused(vec![check("a"), check("a")]), RegistryError::Twice("a".into()));
    assert_eq!(refused(vec![check("a").after("b")]), RegistryError::Unknown { check: "a".into(), after: "b".into() });
    let circle = vec![check("c"), check("a").after("b"), check("b").after("a")];
    assert_eq!(refused(circle), RegistryError::Circle("a".into()));
}

#[test]
fn a_report_survives_the_way_through_json() {
    let mut all = registry(vec![check("disk"), check("ledger").after("disk")]);
    turn(&mut all, s(1), &Finding::degraded("full soon").figure("free_mb", 12.5).figure("nonsense", f64::NAN));
    turn(&mut all, s(2), &Finding::healthy("verified"));
    let report = all.report(s(3));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["status"], "warn");
    assert_eq!(json["checks"]["disk"][0]["figures"], serde_json::json!({ "free_mb": 12.5 }));
    assert_eq!(json["checks"]["ledger"][0]["status"], "healthy");
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
}

#[test]
fn other_checks_go_on_from_what_was_found_under_their_names() {
    let mut all = registry(vec![check("disk"), check("cpu")]);
    turn(&mut all, s(1), &Finding::degraded("full soon"));
    all.changes();
    let sooner = HealthParams { interval_s: 1.0, timeout_s: 0.5, failures_min: 1, ..params() };
    let disk = Check::new("disk", &sooner, || Finding::healthy(""));
    all.replace(s(2), vec![disk, check("clock")], 2).unwrap();

    let report = all.report(s(2));
    assert_eq!((status(&report, "disk"), detail(&report, "disk")), (Status::Degraded, "full soon"));
    assert_eq!(status(&report, "clock"), Status::Unknown);
    assert_eq!(report.checks.len(), 2, "cpu is gone");
    assert_eq!(all.changes(), [], "what was told stays told");
    assert_eq!(names(&mut all, s(3)), ["disk", "clock"], "the new interval holds, and what is new begins");
    finish(&mut all, s(3), "disk", Finding::unhealthy("full"));
    let report = all.report(s(3));
    assert_eq!(status(&report, "disk"), Status::Unhealthy, "the new hysteresis holds");
    let history = &report.checks.iter().find(|check| check.name == "disk").unwrap().history;
    assert_eq!(history.len(), 2, "the earlier finding is remembered");
}

#[test]
fn a_call_under_way_counts_by_the_limits_it_began_with() {
    let mut all = registry(vec![check("disk")]);
    assert_eq!(names(&mut all, s(1)), ["disk"]);
    let hasty =
        Check::new("disk", &HealthParams { timeout_s: 0.1, interval_s: 1.0, ..params() }, || Finding::healthy(""));
    all.replace(s(1), vec![hasty], 4).unwrap();
    assert_eq!(names(&mut all, s(2)), [""; 0], "it is not called a second time");
    finish(&mut all, s(3), "disk", Finding::healthy("in time"));
    assert_eq!(detail(&all.report(s(3)), "disk"), "in time");
}

#[test]
fn checks_that_cannot_stand_together_leave_all_as_it_was() {
    let mut all = registry(vec![check("disk")]);
    turn(&mut all, s(1), &Finding::healthy("room"));
    let refused = all.replace(s(2), vec![check("cpu"), check("cpu")], 4);
    assert_eq!(refused, Err(RegistryError::Twice("cpu".to_owned())));
    assert!(all.replace(s(2), vec![check("a").after("b"), check("b").after("a")], 4).is_err());
    assert_eq!(detail(&all.report(s(2)), "disk"), "room");
}
