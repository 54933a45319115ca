//! Checks on their threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dais_telemetry::health::{Check, Finding, HealthParams, Monitor, Registry, Status};

fn params() -> HealthParams {
    HealthParams { interval_s: 0.1, timeout_s: 0.05, failures_min: 1, recoveries_min: 1, ..HealthParams::default() }
}

/// Waits for a condition, generously.
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn shows(monitor: &Monitor, name: &str, status: Status) -> bool {
    monitor.report().checks.iter().any(|check| check.name == name && check.status == status)
}

#[test]
fn a_check_that_hangs_is_left_behind_and_the_others_go_on() {
    let (calls, beats, free) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (their_calls, their_beats, their_free) = (Arc::clone(&calls), Arc::clone(&beats), Arc::clone(&free));
    let hangs = Check::new("hangs", &params(), move || {
        their_calls.fetch_add(1, Ordering::SeqCst);
        while !their_free.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Finding::healthy("at last")
    });
    let lives = Check::new("lives", &HealthParams { timeout_s: 10.0, ..params() }, move || {
        their_beats.fetch_add(1, Ordering::SeqCst);
        Finding::healthy("")
    });
    let monitor = Monitor::start(Registry::new(vec![hangs, lives], 10, 0).unwrap(), |_| {}).unwrap();
    wait_for("the time-out", || shows(&monitor, "hangs", Status::Unhealthy));
    let seen = beats.load(Ordering::SeqCst);
    wait_for("the other check, called again and again", || beats.load(Ordering::SeqCst) > seen + 3);
    assert_eq!(calls.load(Ordering::SeqCst), 1, "it was not called a second time while it hung");
    free.store(true, Ordering::SeqCst);
    wait_for("its recovery", || shows(&monitor, "hangs", Status::Healthy));
}

#[test]
fn a_check_that_panics_is_unhealthy_and_is_called_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let theirs = Arc::clone(&broken);
    let check = Check::new("own", &HealthParams { timeout_s: 10.0, ..params() }, move || {
        assert!(!theirs.load(Ordering::SeqCst), "broken on purpose");
        Finding::healthy("mended")
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let monitor = Monitor::start(Registry::new(vec![check], 10, 0).unwrap(), move |change| {
        heard.lock().unwrap().push(change.to);
    })
    .unwrap();
    wait_for("the failure", || shows(&monitor, "own", Status::Unhealthy));
    broken.store(false, Ordering::SeqCst);
    wait_for("the recovery", || shows(&monitor, "own", Status::Healthy));
    wait_for("both changes", || *told.lock().unwrap() == [Status::Unhealthy, Status::Healthy]);
}

#[test]
fn a_monitor_ends_at_once_even_while_a_check_hangs() {
    let began = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&began);
    let check = Check::new("hangs", &params(), move || {
        theirs.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_hours(1));
        Finding::healthy("")
    });
    let monitor = Monitor::start(Registry::new(vec![check], 10, 0).unwrap(), |_| {}).unwrap();
    wait_for("the call", || began.load(Ordering::SeqCst));
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(monitor);
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[test]
fn checks_that_are_replaced_are_called_at_once_and_not_only_when_the_old_ones_were_due() {
    let rare = HealthParams { interval_s: 86_400.0, timeout_s: 10.0, ..params() };
    let monitor = Monitor::start(
        Registry::new(vec![Check::new("disk", &rare, || Finding::healthy("room"))], 10, 0).unwrap(),
        |_| {},
    )
    .unwrap();
    wait_for("the first call", || shows(&monitor, "disk", Status::Healthy));
    let often = HealthParams { timeout_s: 10.0, ..params() };
    let checks = vec![
        Check::new("disk", &often, || Finding::degraded("little room")),
        Check::new("cpu", &often, || Finding::healthy("idle")),
    ];
    monitor.replace(checks, 10).unwrap();
    wait_for("the changed check", || shows(&monitor, "disk", Status::Degraded));
    wait_for("the new check", || shows(&monitor, "cpu", Status::Healthy));
}
