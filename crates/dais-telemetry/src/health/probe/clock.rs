use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::health::{Check, Finding, HealthParams};

/// Checks that the clock goes as a steady one does: it compares how far both went since the last call. A jump is
/// degraded once, at the first call after it.
pub fn clock(params: &HealthParams) -> Check {
    let most_s = params.clock_jump_max_s;
    let last = Mutex::new((Instant::now(), SystemTime::now()));
    let check = Check::new("clock", params, move || {
        let now = (Instant::now(), SystemTime::now());
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let finding = finding(now.0.duration_since(last.0), gone_s(last.1, now.1), most_s);
        *last = now;
        finding
    });
    // A jump is an event and over at the next call: there is no second one in a row to wait for.
    Check { failures_min: 1, ..check }
}

/// Seconds from one time to another, negative when it went back.
fn gone_s(from: SystemTime, to: SystemTime) -> f64 {
    match to.duration_since(from) {
        Ok(forward) => forward.as_secs_f64(),
        Err(back) => -back.duration().as_secs_f64(),
    }
}

fn finding(steady: Duration, wall_s: f64, most_s: f64) -> Finding {
    let jump_s = wall_s - steady.as_secs_f64();
    let finding = if wall_s < 0.0 {
        Finding::degraded(format!("the clock went back by {:.3} s: check its synchronisation", -wall_s))
    } else if jump_s.abs() > most_s {
        Finding::degraded(format!("the clock jumped by {jump_s:+.3} s: check its synchronisation"))
    } else {
        Finding::healthy(format!("{jump_s:+.3} s against a steady clock"))
    };
    finding.figure("jump_s", jump_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    #[test]
    fn a_clock_that_jumps_or_goes_back_is_degraded() {
        let state = |wall_s| finding(Duration::from_secs(30), wall_s, 2.0).state;
        assert_eq!(state(30.5), State::Healthy);
        assert_eq!([state(33.0), state(27.0), state(-1.0)], [State::Degraded; 3]);
    }

    #[test]
    fn time_that_goes_back_is_negative() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        assert!((gone_s(now, SystemTime::UNIX_EPOCH) + 10.0).abs() < 1e-9);
    }
}
