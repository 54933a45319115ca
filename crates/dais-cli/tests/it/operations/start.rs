//! The first seconds of a run.

use std::time::{Duration, Instant};

use super::{Running, get};

#[test]
fn a_run_is_healthy_from_its_first_second_and_ready_soon() {
    let place = tempfile::tempdir().unwrap();
    let mut run = Running::serving(place.path(), &["monitoring.health.interval_s=0.1"]);
    let address = run.address();
    let (began, mut ready) = (Instant::now(), None);
    let mut looks = 0;
    while began.elapsed() < Duration::from_secs(3) {
        let health = get(&address, "/health", "application/json");
        assert_ne!(health.status, 503, "{}", health.body);
        looks += 1;
        if ready.is_none() && get(&address, "/ready", "").status == 200 {
            ready = Some(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(looks > 10, "{looks}");
    assert!(ready.is_some(), "it becomes ready");
}
