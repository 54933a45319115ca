use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::health::{Check, Finding, HealthParams};

/// Step times that are remembered.
const TIMES: usize = 63;

/// Told by a run when a step ends; it costs a few atomic writes.
#[derive(Debug)]
pub struct Heartbeat {
    origin: Instant,
    /// Microseconds since the origin.
    last_us: AtomicU64,
    step: AtomicU64,
    beats: AtomicUsize,
    /// Whether steps are to be expected.
    running: AtomicBool,
    times_us: [AtomicU64; TIMES],
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

impl Heartbeat {
    /// A heart that does not beat yet.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            last_us: AtomicU64::new(0),
            step: AtomicU64::new(0),
            beats: AtomicUsize::new(0),
            running: AtomicBool::new(false),
            times_us: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Steps begin: from now on one is expected to end now and then.
    pub fn begin(&self) {
        self.begin_at(self.origin.elapsed());
    }

    /// A step ended.
    pub fn beat(&self, step: u64) {
        self.beat_at(self.origin.elapsed(), step);
    }

    /// No more steps are to be expected: the run ended, or waits for something.
    pub fn rest(&self) {
        self.running.store(false, Ordering::Relaxed);
    }

    fn begin_at(&self, now: Duration) {
        self.last_us.store(now.as_micros() as u64, Ordering::Relaxed);
        self.running.store(true, Ordering::Relaxed);
    }

    fn beat_at(&self, now: Duration, step: u64) {
        let now_us = now.as_micros() as u64;
        let last_us = self.last_us.swap(now_us, Ordering::Relaxed);
        self.step.store(step, Ordering::Relaxed);
        if self.running.swap(true, Ordering::Relaxed) {
            let beat = self.beats.fetch_add(1, Ordering::Relaxed);
            self.times_us[beat % TIMES].store(now_us.saturating_sub(last_us), Ordering::Relaxed);
        }
    }

    /// The middle of the last step times; `None` before the first.
    fn median(&self) -> Option<Duration> {
        let known = self.beats.load(Ordering::Relaxed).min(TIMES);
        let mut times: Vec<u64> = self.times_us[..known].iter().map(|time| time.load(Ordering::Relaxed)).collect();
        times.sort_unstable();
        times.get(known / 2).map(|&us| Duration::from_micros(us))
    }

    fn finding_at(&self, now: Duration, stall_s: f64, factor: f64) -> Finding {
        let step = self.step.load(Ordering::Relaxed);
        if !self.running.load(Ordering::Relaxed) {
            return Finding::healthy("no steps are expected").figure("step", step as f64);
        }
        let silent_s = now.saturating_sub(Duration::from_micros(self.last_us.load(Ordering::Relaxed))).as_secs_f64();
        let median_s = self.median().map(|median| median.as_secs_f64());
        let allowed_s = stall_s.max(median_s.unwrap_or(0.0) * factor);
        let finding = if silent_s > allowed_s {
            Finding::unhealthy(format!(
                "no step ended for {silent_s:.1} s, {allowed_s:.1} s are allowed; the last was step {step}"
            ))
        } else {
            Finding::healthy(format!("step {step} ended {silent_s:.1} s ago"))
        };
        let finding = finding.figure("step", step as f64).figure("silent_s", silent_s);
        median_s.into_iter().fold(finding, |finding, s| finding.figure("median_step_s", s))
    }
}

/// Checks that steps end: unhealthy when none did for longer than both `stall_s` and `stall_factor` times the median
/// step time. It is critical, and `/live` answers from it. The wait is long enough to count at once.
pub fn progress(params: &HealthParams, heart: Arc<Heartbeat>) -> Check {
    let (stall_s, factor) = (params.stall_s, params.stall_factor);
    let check =
        Check::new("progress", params, move || heart.finding_at(heart.origin.elapsed(), stall_s, factor)).critical();
    Check { liveness: true, failures_min: 1, recoveries_min: 1, ..check }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_run_whose_steps_do_not_end_has_stalled() {
        let heart = Heartbeat::new();
        assert_eq!(heart.finding_at(s(1000), 60.0, 20.0).state, State::Healthy, "nothing began");
        heart.begin_at(s(1000));
        assert_eq!(heart.finding_at(s(1060), 60.0, 20.0).state, State::Healthy);
        assert_eq!(heart.finding_at(s(1061), 60.0, 20.0).state, State::Unhealthy);
        heart.beat_at(s(1062), 1);
        assert_eq!(heart.finding_at(s(1063), 60.0, 20.0).state, State::Healthy);
        heart.rest();
        assert_eq!(heart.finding_at(s(9000), 60.0, 20.0).state, State::Healthy, "it ended");
    }

    #[test]
    fn long_steps_are_given_longer() {
        let heart = Heartbeat::new();
        heart.begin_at(s(0));
        for step in 1..=100 {
            heart.beat_at(s(10 * step), step);
        }
        assert_eq!(heart.finding_at(s(1199), 60.0, 20.0).state, State::Healthy);
        let stalled = heart.finding_at(s(1201), 60.0, 20.0);
        assert_eq!(stalled.state, State::Unhealthy);
        assert!(stalled.detail.contains("the last was step 100"), "{stalled:?}");
    }
}
