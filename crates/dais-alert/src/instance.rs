use std::collections::VecDeque;

use jiff::Timestamp;

use crate::alert::passed;
use crate::params::FlapParams;

/// How long a condition has to hold and an alert goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    pub(crate) for_s: u64,
    pub(crate) keep_firing_for_s: u64,
}

/// The life of one alert: of one rule, for one set of labels.
///
/// | phase | condition holds | condition does not hold |
/// |---|---|---|
/// | inactive | **pending**; with `for_s` 0 **firing** | – |
/// | pending | **firing** once it held for `for_s` | **inactive** |
/// | firing | firing | **resolved** once it did not hold for `keep_firing_for_s` |
/// | resolved | as inactive | **inactive** once its changes have left the window of flapping |
///
/// Besides that it is *flapping* from the change that is one too many in the window until it has not changed for long
/// enough: it is shown as firing all that time.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    phase: Phase,
    /// When it last began to fire or was resolved, oldest first.
    changes: VecDeque<Timestamp>,
    flapping_since: Option<Timestamp>,
    /// When it began to fire first since it was calm.
    starts_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Inactive,
    Pending { since: Timestamp },
    Firing { held_at: Timestamp },
    Resolved,
}

impl Instance {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Inactive, changes: VecDeque::new(), flapping_since: None, starts_at: None }
    }

    /// Goes on to `now`, at which the condition holds or not.
    pub(crate) fn step(&mut self, now: Timestamp, holds: bool, timing: Timing, flap: &FlapParams) {
        let before = self.phase;
        self.phase = match (self.phase, holds) {
            (Phase::Inactive | Phase::Resolved, true) if timing.for_s == 0 => Phase::Firing { held_at: now },
            (Phase::Inactive | Phase::Resolved, true) => Phase::Pending { since: now },
            (Phase::Pending { since }, true) if passed(now, since, timing.for_s) => Phase::Firing { held_at: now },
            (Phase::Firing { .. }, true) => Phase::Firing { held_at: now },
            (Phase::Pending { .. }, false) => Phase::Inactive,
            (Phase::Firing { held_at }, false)
                if timing.keep_firing_for_s == 0 || passed(now, held_at, timing.keep_firing_for_s) =>
            {
                Phase::Resolved
            }
            (unchanged, _) => unchanged,
        };
        let fires = |phase| matches!(phase, Phase::Firing { .. });
        if fires(before) != fires(self.phase) {
            if fires(self.phase) && self.flapping_since.is_none() {
                self.starts_at = Some(now);
            }
            self.changes.push_back(now);
        }
        self.watch_flapping(now, flap);
    }

    fn watch_flapping(&mut self, now: Timestamp, flap: &FlapParams) {
        while self.changes.len() > flap.changes as usize + 1
            || self.changes.front().is_some_and(|at| passed(now, *at, flap.window_s.max(flap.calm_s)))
        {
            self.changes.pop_front();
        }
        let calm = self.changes.back().is_none_or(|at| passed(now, *at, flap.calm_s));
        if self.flapping_since.is_some() {
            if calm {
                self.flapping_since = None;
                self.changes.clear();
            }
        } else if self.changes.iter().filter(|at| !passed(now, **at, flap.window_s)).count() > flap.changes as usize {
            self.flapping_since = Some(now);
        }
    }

    /// Since when it fires, as people are told; `None` where it does not.
    pub(crate) fn firing_since(&self) -> Option<Timestamp> {
        let fires = matches!(self.phase, Phase::Firing { .. }) || self.is_flapping();
        if fires { self.starts_at } else { None }
    }

    pub(crate) fn is_flapping(&self) -> bool {
        self.flapping_since.is_some()
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::Pending { .. })
    }

    /// Whether nothing would be lost by forgetting it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Inactive | Phase::Resolved) && self.changes.is_empty() && !self.is_flapping()
    }

    /// Whether it is neither pending nor firing: it may be forgotten when there is no room.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Inactive | Phase::Resolved) && !self.is_flapping()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("a time of this century")
    }

    fn flap() -> FlapParams {
        FlapParams { changes: 4, window_s: 100, calm_s: 100 }
    }

    /// Seconds at which it is shown as firing.
    fn shown(timing: Timing, holds: &[(i64, bool)]) -> Vec<i64> {
        let mut instance = Instance::new();
        let mut shown = Vec::new();
        for &(second, holds) in holds {
            instance.step(at(second), holds, timing, &flap());
            shown.extend(instance.firing_since().map(|_| second));
        }
        shown
    }

    #[test]
    fn it_fires_only_after_holding_without_a_gap() {
        let timing = Timing { for_s: 10, ..Timing::default() };
        let history = [(0, true), (5, true), (9, false), (10, true), (19, true), (20, true), (21, false)];
        assert_eq!(shown(timing, &history), [20]);
        assert_eq!(shown(Timing::default(), &history), [0, 5, 10, 19, 20]);
    }

    #[test]
    fn it_goes_on_firing_over_a_short_gap() {
        let timing = Timing { keep_firing_for_s: 10, ..Timing::default() };
        assert_eq!(
            shown(timing, &[(0, true), (5, false), (9, true), (15, false), (18, false), (19, false)]),
            [0, 5, 9, 15, 18]
        );
    }

    #[test]
    fn a_flapping_alert_is_firing_until_it_is_calm() {
        let history: Vec<_> = (0..200).map(|second| (second, second < 20 && second % 2 == 0)).collect();
        let shown = shown(Timing::default(), &history);
        assert_eq!(shown, [vec![0, 2], (4..119).collect()].concat(), "the last change was at 19");
    }

    proptest! {
        #[test]
        fn what_it_remembers_is_bounded_and_it_ends(
            steps in prop::collection::vec((0_i64..50, any::<bool>()), 0..300),
            for_s in 0_u64..20,
            keep_firing_for_s in 0_u64..20,
        ) {
            let timing = Timing { for_s, keep_firing_for_s };
            let mut instance = Instance::new();
            let mut second = 0;
            for (later, holds) in steps {
                second += later;
                instance.step(at(second), holds, timing, &flap());
                prop_assert!(instance.changes.len() <= 5);
            }
            for _ in 0..4 {
                second += 150;
                instance.step(at(second), false, timing, &flap());
            }
            prop_assert!(instance.is_over());
        }
    }
}
