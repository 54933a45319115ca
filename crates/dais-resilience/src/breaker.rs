use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When something that keeps failing is left alone, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerParams {
    /// So many failures within the window open the breaker. 1 to 1,000.
    #[schemars(range(min = 1, max = 1000))]
    pub failures: u32,
    /// Length of the window, in milliseconds. 1 to 3,600,000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub window_ms: u64,
    /// How long nothing is let through once it is open, in milliseconds. 1 to 3,600,000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub cool_down_ms: u64,
    /// So many probes are let through after that, and must all succeed to close it. 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub probes: u32,
}

impl Default for BreakerParams {
    fn default() -> Self {
        Self { failures: 5, window_ms: 60_000, cool_down_ms: 30_000, probes: 1 }
    }
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// Probes.
    HalfOpen,
}

/// A circuit breaker: what keeps failing is left alone for a while. It reads no clock; `now` is the time since any fixed
/// moment and must not go backwards.
///
/// | state | asked | success | failure |
/// |---|---|---|---|
/// | closed | yes | closed, failures kept until they leave the window | closed; **open** with the last of `failures` in the window |
/// | open, cooling down | no, the time left | – | – |
/// | open, cool-down over | yes: **half-open**, first probe | – | – |
/// | half-open, probes left | yes | **closed** with the last of `probes` | **open** |
/// | half-open, all probes out | no; after another cool-down without a report: yes | as above | as above |
///
/// Reports while open belong to what was let through before, and change nothing.
///
/// ```
/// use std::time::Duration;
/// use dais_resilience::{Breaker, BreakerParams, BreakerState};
///
/// let mut breaker = Breaker::new(BreakerParams { failures: 2, cool_down_ms: 1_000, ..BreakerParams::default() });
/// let at = Duration::from_millis;
/// breaker.failure(at(0));
/// breaker.failure(at(10));
/// assert_eq!(breaker.ask(at(10)), Err(at(1_000)));
/// assert_eq!(breaker.ask(at(1_010)), Ok(()));
/// breaker.success(at(1_020));
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// ```
#[derive(Clone, Debug)]
pub struct Breaker {
    params: BreakerParams,
    phase: Phase,
    opened: u64,
}

#[derive(Clone, Debug)]
enum Phase {
    /// With the times of failures in the window, oldest first, fewer than `failures`.
    Closed(VecDeque<Duration>),
    Open {
        since: Duration,
    },
    HalfOpen {
        /// When the last probe was let through.
        since: Duration,
        out: u32,
        succeeded: u32,
    },
}

impl Breaker {
    /// A closed breaker.
    pub fn new(params: BreakerParams) -> Self {
        Self { params, phase: Phase::Closed(VecDeque::new()), opened: 0 }
    }

    /// What it lets through.
    pub fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// How often it has opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Asks to go through. Who may, reports [`success`](Self::success) or [`failure`](Self::failure) afterwards.
    ///
    /// # Errors
    /// How long to wait before it makes sense to ask again.
    pub fn ask(&mut self, now: Duration) -> Result<(), Duration> {
        let cool_down = Duration::from_millis(self.params.cool_down_ms);
        match &mut self.phase {
            Phase::Closed(_) => Ok(()),
            Phase::Open { since } => {
                let left = cool_down.saturating_sub(now.saturating_sub(*since));
                if !left.is_zero() {
                    return Err(left);
                }
                self.phase = Phase::HalfOpen { since: now, out: 1, succeeded: 0 };
                Ok(())
            }
            Phase::HalfOpen { since, out, succeeded } => {
                let left = cool_down.saturating_sub(now.saturating_sub(*since));
                if *out >= self.params.probes {
                    if !left.is_zero() {
                        return Err(left);
                    }
                    // Probes that never reported are lost; without this the breaker would wait for them for ever.
                    *out = *succeeded;
                }
                *since = now;
                *out += 1;
                Ok(())
            }
        }
    }

    /// Reports that it went well.
    pub fn success(&mut self, now: Duration) {
        match &mut self.phase {
            Phase::Closed(failures) => forget(failures, now, self.params.window_ms),
            Phase::Open { .. } => {}
            Phase::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                if *succeeded >= self.params.probes {
                    self.phase = Phase::Closed(VecDeque::new());
                }
            }
        }
    }

    /// Reports that it failed.
    pub fn failure(&mut self, now: Duration) {
        match &mut self.phase {
            Phase::Closed(failures) => {
                forget(failures, now, self.params.window_ms);
                failures.push_back(now);
                if failures.len() >= self.params.failures as usize {
                    self.open(now);
                }
            }
            Phase::Open { .. } => {}
            Phase::HalfOpen { .. } => self.open(now),
        }
    }

    fn open(&mut self, now: Duration) {
        self.phase = Phase::Open { since: now };
        self.opened += 1;
    }
}

fn forget(failures: &mut VecDeque<Duration>, now: Duration, window_ms: u64) {
    let window = Duration::from_millis(window_ms);
    while failures.front().is_some_and(|at| now.saturating_sub(*at) >= window) {
        failures.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARAMS: BreakerParams = BreakerParams { failures: 3, window_ms: 1_000, cool_down_ms: 500, probes: 2 };

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn opened_at(ms: u64) -> Breaker {
        let mut breaker = Breaker::new(PARAMS);
        (0..3).for_each(|_| breaker.failure(at(ms)));
        assert_eq!(breaker.state(), BreakerState::Open);
        breaker
    }

    #[test]
    fn failures_that_are_far_apart_do_not_open_it() {
        let mut breaker = Breaker::new(PARAMS);
        (0..20).for_each(|nth| breaker.failure(at(nth * 600)));
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.failure(at(19 * 600 + 1));
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn all_probes_must_succeed_to_close_it() {
        let mut breaker = opened_at(0);
        assert_eq!(breaker.ask(at(499)), Err(at(1)));
        assert_eq!((breaker.ask(at(500)), breaker.ask(at(500))), (Ok(()), Ok(())));
        assert_eq!(breaker.ask(at(600)), Err(at(400)), "all probes are out");
        breaker.success(at(610));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.success(at(620));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = opened_at(0);
        assert_eq!(breaker.ask(at(500)), Ok(()));
        breaker.failure(at(510));
        assert_eq!(breaker.ask(at(520)), Err(at(490)));
        assert_eq!(breaker.opened(), 2);
    }

    #[test]
    fn lost_probes_do_not_block_it_for_ever() {
        let mut breaker = opened_at(0);
        assert_eq!((breaker.ask(at(500)), breaker.ask(at(500))), (Ok(()), Ok(())));
        assert_eq!(breaker.ask(at(1_000)), Ok(()));
    }

    proptest! {
        #[test]
        fn it_never_refuses_for_longer_than_the_cool_down(events in prop::collection::vec((0_u64..400, 0_u8..3), 1..200)) {
            let mut breaker = Breaker::new(PARAMS);
            let mut now = Duration::ZERO;
            for (later, event) in events {
                now += at(later);
                match event {
                    0 => breaker.failure(now),
                    1 => breaker.success(now),
                    _ => if let Err(wait) = breaker.ask(now) {
                        prop_assert!(wait <= at(PARAMS.cool_down_ms) && !wait.is_zero());
                        prop_assert!(breaker.clone().ask(now + wait).is_ok(), "the time it names is enough");
                    },
                }
            }
        }
    }
}
