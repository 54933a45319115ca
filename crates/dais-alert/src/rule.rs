use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::alert::{elapsed, passed};
use crate::instance::Timing;
use crate::matcher::{all_match, like};
use crate::params::{Condition, EventCondition, HealthCondition, RateCondition, RuleParams};
use crate::{Labels, Matcher, Readings};

/// The name of the overall state among health checks.
const OVERALL: &str = "overall";
/// Samples kept of one series for its rate.
const SAMPLES_MAX: usize = 66;
/// Series of which one rule keeps samples.
const SERIES_MAX: usize = 1_000;

/// What a condition that holds is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Active {
    /// The value that made it hold.
    pub(crate) value: f64,
    /// What the last event said.
    pub(crate) message: String,
}

/// A rule with what it remembers.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) params: RuleParams,
    counters: BTreeMap<Labels, Counter>,
    events: VecDeque<Timestamp>,
    last_message: String,
}

impl Rule {
    pub(crate) fn new(params: RuleParams) -> Self {
        Self { params, counters: BTreeMap::new(), events: VecDeque::new(), last_message: String::new() }
    }

    /// The same rule with other words, severity or times.
    pub(crate) fn with(self, params: RuleParams) -> Self {
        Self { params, ..self }
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing { for_s: self.params.for_s, keep_firing_for_s: self.params.keep_firing_for_s }
    }

    /// For which labels the condition holds.
    pub(crate) fn active(&mut self, now: Timestamp, readings: &Readings) -> BTreeMap<Labels, Active> {
        let condition = self.params.when.clone();
        match &condition {
            Condition::Metric(of) => series(readings, &of.metric, &of.matchers)
                .filter(|(_, value)| of.op.holds(*value, of.threshold))
                .map(|(labels, value)| (labels.clone(), valued(value)))
                .collect(),
            Condition::Rate(of) => self.rates(now, readings, of),
            Condition::Absent(of) => {
                let absent = series(readings, &of.metric, &of.matchers).next().is_none();
                absent.then(|| (Labels::new(), valued(0.0))).into_iter().collect()
            }
            Condition::Health(of) => unwell(readings, of),
            Condition::Event(of) => self.counted(now, readings, of),
        }
    }

    fn rates(&mut self, now: Timestamp, readings: &Readings, of: &RateCondition) -> BTreeMap<Labels, Active> {
        let mut active = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for (labels, value) in series(readings, &of.metric, &of.matchers).take(SERIES_MAX) {
            let mut counter = self.counters.remove(labels).unwrap_or_default();
            if let Some(rate) = counter.rate(now, value, of.window_s)
                && of.op.holds(rate, of.threshold)
            {
                active.insert(labels.clone(), valued(rate));
            }
            seen.insert(labels.clone(), counter);
        }
        self.counters = seen;
        active
    }

    fn counted(&mut self, now: Timestamp, readings: &Readings, of: &EventCondition) -> BTreeMap<Labels, Active> {
        let count = of.count.max(1) as usize;
        for event in readings.events.iter().filter(|event| event.name == of.event) {
            self.events.push_back(now);
            self.last_message.clone_from(&event.message);
        }
        // Only the last `count` of them can decide.
        while self.events.len() > count || self.events.front().is_some_and(|at| passed(now, *at, of.within_s)) {
            self.events.pop_front();
        }
        let holds = self.events.len() >= count;
        let message = self.last_message.clone();
        holds.then(|| (Labels::new(), Active { value: self.events.len() as f64, message })).into_iter().collect()
    }
}

fn valued(value: f64) -> Active {
    Active { value, message: String::new() }
}

fn series<'a>(
    readings: &'a Readings,
    metric: &'a str,
    matchers: &'a [Matcher],
) -> impl Iterator<Item = (&'a Labels, f64)> {
    readings.series.iter().filter_map(move |(name, labels, value)| {
        (name == metric && !value.is_nan() && all_match(matchers, labels)).then_some((labels, *value))
    })
}

fn unwell(readings: &Readings, of: &HealthCondition) -> BTreeMap<Labels, Active> {
    // What holds for any check would hold for the overall state a second time.
    let meant = |check: &str| like(&of.check, check) && (check != OVERALL || of.check == OVERALL);
    let unwell = readings.health.iter().filter(|(check, state)| meant(check) && *state >= of.state);
    unwell.map(|(check, state)| ([("check".to_owned(), check.clone())].into(), valued(state.value()))).collect()
}

/// The growth of a counter over a window.
#[derive(Clone, Debug, Default)]
struct Counter {
    /// Times and values without resets, oldest first.
    samples: VecDeque<(Timestamp, f64)>,
    last: f64,
    before_resets: f64,
}

impl Counter {
    /// The growth per second over the window; `None` until the series is that old.
    fn rate(&mut self, now: Timestamp, value: f64, window_s: u64) -> Option<f64> {
        if value < self.last {
            self.before_resets += self.last;
        }
        self.last = value;
        let grown = value + self.before_resets;
        // A sample that is no longer needed to reach back over the window is forgotten.
        while self.samples.get(1).is_some_and(|(at, _)| passed(now, *at, window_s)) {
            self.samples.pop_front();
        }
        let spaced = self
            .samples
            .back()
            .is_none_or(|(at, _)| elapsed(now, *at).as_secs_f64() >= window_s as f64 / (SAMPLES_MAX - 2) as f64);
        let first = self.samples.front().copied();
        if spaced && self.samples.len() < SAMPLES_MAX {
            self.samples.push_back((now, grown));
        }
        let (since, then) = first.filter(|(at, _)| passed(now, *at, window_s))?;
        Some((grown - then) / elapsed(now, since).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HealthState;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("a time of this century")
    }

    #[test]
    fn a_rate_is_known_after_its_window_and_survives_resets() {
        let mut counter = Counter::default();
        for second in 0..60 {
            assert_eq!(counter.rate(at(second), second as f64 * 2.0, 60), None);
        }
        assert!((counter.rate(at(60), 120.0, 60).unwrap() - 2.0).abs() < 1e-9);
        for second in 61..600 {
            // Reset at 300: the counter begins again at 0 and goes on at the same pace.
            let value = if second < 300 { second as f64 * 2.0 } else { (second - 300) as f64 * 2.0 + 2.0 };
            let rate = counter.rate(at(second), value, 60).unwrap();
            assert!((rate - 2.0).abs() < 0.05, "{rate} at {second}");
            assert!(counter.samples.len() <= SAMPLES_MAX);
        }
    }

    #[test]
    fn a_star_means_every_check_but_not_the_overall_state() {
        let readings = Readings {
            health: vec![("overall".to_owned(), HealthState::Unhealthy), ("disk".to_owned(), HealthState::Degraded)],
            ..Readings::default()
        };
        let checks = |check: &str, state| {
            let of = HealthCondition { check: check.to_owned(), state };
            unwell(&readings, &of).into_keys().map(|labels| labels["check"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(checks("*", HealthState::Degraded), ["disk"]);
        assert_eq!(checks("*", HealthState::Unhealthy), [""; 0]);
        assert_eq!(checks("overall", HealthState::Degraded), ["overall"]);
    }
}
