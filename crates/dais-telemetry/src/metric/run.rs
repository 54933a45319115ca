use std::time::Duration;

use super::catalogue::{self, CLASS_NAMES, OUTCOME_NAMES, PERCENTILE_NAMES, PHASE_NAMES, STATE_NAMES, VERDICT_NAMES};
use super::figures::{ExchangeFigures, FlowFigures, StepFigures};
use super::resource::ResourceFigures;
use super::window::quantile;
use super::{Counter, Family, Histogram, Registry, Series, Statistics};
use crate::log::LogCounts;

/// The metrics of a run. Clones share them.
///
/// What happens once a step is told by [`RunMetrics::step`]; what happens more often is counted by handles that a program
/// keeps, such as [`RunMetrics::counter`] gives.
///
/// ```
/// use std::time::Duration;
/// use dais_telemetry::metric::{FlowFigures, RunMetrics, StepFigures};
///
/// let metrics = RunMetrics::default();
/// let flows = FlowFigures { seen: 200, alerted: 5, ..FlowFigures::default() };
/// metrics.step(&StepFigures { step: 1, duration: Duration::from_millis(20), flows, ..StepFigures::default() });
/// let rate = metrics.snapshot().into_iter().find(|series| series.name == "anomaly_detection_rate").unwrap();
/// assert_eq!(rate.value, 0.025);
/// assert_eq!(metrics.statistics("simulation_step_duration_seconds").unwrap().max, 0.02);
/// ```
#[derive(Clone, Debug)]
pub struct RunMetrics {
    registry: Registry,
}

impl Default for RunMetrics {
    /// All counters 0; no agents, no connections and no tasks that wait.
    fn default() -> Self {
        let metrics = Self { registry: Registry::default() };
        for family in [&catalogue::AGENTS_ACTIVE, &catalogue::POOL_SIZE, &catalogue::RAY_TASKS] {
            metrics.set(family, "", 0.0);
        }
        // A rate is known from the first error on only where there was a 0 before it.
        for class in CLASS_NAMES {
            metrics.count(&catalogue::STORAGE_ERRORS, class, 0);
        }
        metrics
    }
}

impl RunMetrics {
    /// The numbers themselves.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A counter to keep, as [`Registry::counter`].
    pub fn counter(&self, family: &'static Family, value: &str) -> Counter {
        self.registry.counter(family, value)
    }

    /// A histogram to keep, as [`Registry::histogram`].
    pub fn histogram(&self, family: &'static Family, value: &str) -> Histogram {
        self.registry.histogram(family, value)
    }

    /// Statistics of a histogram's last values, as [`Registry::statistics`].
    pub fn statistics(&self, name: &str) -> Option<Statistics> {
        self.registry.statistics(name)
    }

    /// Every number there is, for rules and programs.
    pub fn snapshot(&self) -> Vec<Series> {
        self.registry.snapshot()
    }

    /// Counts a step that was done.
    pub fn step(&self, figures: &StepFigures) {
        self.count(&catalogue::STEPS, "", 1);
        self.set(&catalogue::STEP, "", figures.step as f64);
        self.observe(&catalogue::STEP_DURATION, "", figures.duration.as_secs_f64());
        let phases = PHASE_NAMES.iter().zip(figures.phases.iter().flatten());
        phases.for_each(|(phase, time)| self.observe(&catalogue::PHASE_DURATION, phase, time.as_secs_f64()));
        if let Some(agents) = &figures.agents {
            for (state, count) in STATE_NAMES.iter().zip(agents) {
                self.set(&catalogue::AGENTS, state, *count as f64);
                if *state == "active" {
                    self.set(&catalogue::AGENTS_ACTIVE, "", *count as f64);
                }
            }
        }
        self.flows(&figures.flows);
        self.exchange(&figures.exchange);
        self.set(&catalogue::SIGNATURES_IN_FORCE, "", figures.signatures_in_force as f64);
        figures.consensus_steps.iter().for_each(|steps| {
            self.observe(&catalogue::CONSENSUS_STEPS, "", f64::from(*steps));
        });
        figures.consensus_times.iter().for_each(|time| {
            self.observe(&catalogue::CONSENSUS_SECONDS, "", time.as_secs_f64());
        });
        self.trust(&figures.trust);
    }

    /// Counts flows that were judged outside of a step of a run.
    pub fn flows(&self, flows: &FlowFigures) {
        self.count(&catalogue::FLOWS, "", flows.seen);
        self.count(&catalogue::FLOWS_ALERTED, "", flows.alerted);
        self.count(&catalogue::FLOWS_MATCHED, "", flows.matched);
        self.count(&catalogue::FLOWS_BLOCKED, "", flows.blocked);
        // A step without flows leaves the rates as they were.
        let rate = |family, part: u64, whole: u64| {
            if whole > 0 {
                self.set(family, "", part as f64 / whole as f64);
            }
        };
        rate(&catalogue::DETECTION_RATE, flows.alerted, flows.seen);
        rate(&catalogue::RECALL, flows.attacks_found, flows.attacks);
        rate(&catalogue::FALSE_POSITIVE_RATE, flows.false_alarms, flows.benign);
    }

    fn exchange(&self, counts: &ExchangeFigures) {
        let outcomes = [
            counts.published,
            counts.accepted,
            counts.rejected,
            counts.disputed,
            counts.expired,
            counts.escalated,
            counts.revoked,
            counts.covered,
            counts.refused_offers,
        ];
        OUTCOME_NAMES.iter().zip(outcomes).for_each(|(name, count)| self.count(&catalogue::SIGNATURES, name, count));
        let verdicts = [counts.confirmations, counts.refutations, counts.abstentions];
        VERDICT_NAMES.iter().zip(verdicts).for_each(|(name, count)| self.count(&catalogue::VOTES, name, count));
        self.count(&catalogue::VOTES_REFUSED, "rule", counts.refused_votes);
        self.count(&catalogue::VOTES_REFUSED, "seal", counts.refused_seals);
        self.count(&catalogue::GOSSIP_MESSAGES, "", counts.messages);
        self.count(&catalogue::GOSSIP_BYTES, "", counts.message_bytes);
    }

    fn trust(&self, trust: &[f64]) {
        if trust.is_empty() {
            return;
        }
        let mut sorted = trust.to_vec();
        sorted.sort_by(f64::total_cmp);
        for name in PERCENTILE_NAMES {
            let share = name.parse::<f64>().unwrap_or_default() / 100.0;
            self.set(&catalogue::TRUST, name, quantile(&sorted, share));
        }
    }

    /// Counts an append to the ledger that took `time` until it was durable; the ledger then holds `size` entries.
    pub fn ledger_append(&self, entries: u64, bytes: u64, size: u64, time: Duration) {
        self.count(&catalogue::LEDGER_ENTRIES, "", entries);
        self.count(&catalogue::LEDGER_BYTES, "", bytes);
        self.set(&catalogue::LEDGER_SIZE, "", size as f64);
        self.observe(&catalogue::LEDGER_APPEND, "", time.as_secs_f64());
    }

    /// Counts an error of storage of a class named in [`catalogue::CLASS_NAMES`].
    pub fn storage_error(&self, class: &str) {
        self.count(&catalogue::STORAGE_ERRORS, class, 1);
    }

    /// Takes over what a cache named in [`catalogue::CACHE_NAMES`] counted since it was made.
    pub fn cache(&self, cache: &str, hits: u64, misses: u64) {
        self.set(&catalogue::CACHE_HITS, cache, hits as f64);
        self.set(&catalogue::CACHE_MISSES, cache, misses as f64);
    }

    /// Connections to the database that are open now.
    pub fn connections(&self, open: usize) {
        self.set(&catalogue::POOL_SIZE, "", open as f64);
    }

    /// Tasks given to Ray that are not done.
    pub fn tasks_pending(&self, tasks: usize) {
        self.set(&catalogue::RAY_TASKS, "", tasks as f64);
    }

    /// What the process uses now.
    pub fn resources(&self, found: &ResourceFigures) {
        self.set(&catalogue::MEMORY_MB, "", found.resident_bytes as f64 / f64::from(1 << 20));
        self.set(&catalogue::RESIDENT, "", found.resident_bytes as f64);
        self.set(&catalogue::CPU, "", found.cpu.as_secs_f64());
        self.set(&catalogue::START_TIME, "", found.started_s as f64);
        let optional = [
            (&catalogue::THREADS, found.threads.map(|count| count as u64)),
            (&catalogue::OPEN_FDS, found.open_fds.map(|count| count as u64)),
            (&catalogue::DISK_FREE, found.disk_free_bytes),
        ];
        for (family, value) in optional {
            self.set(family, "", value.map_or(f64::NAN, |value| value as f64));
        }
    }

    /// What became of the lines of the log.
    pub fn log_lines(&self, counts: LogCounts) {
        self.set(&catalogue::LOG_LINES, "written", counts.written as f64);
        self.set(&catalogue::LOG_LINES, "dropped", counts.dropped as f64);
        self.set(&catalogue::LOG_LINES, "failed", counts.failed as f64);
    }

    fn count(&self, family: &'static Family, value: &str, number: u64) {
        self.registry.counter(family, value).add(number);
    }

    fn set(&self, family: &'static Family, value: &str, number: f64) {
        self.registry.gauge(family, value).set(number);
    }

    fn observe(&self, family: &'static Family, value: &str, number: f64) {
        self.registry.histogram(family, value).observe(number);
    }
}
