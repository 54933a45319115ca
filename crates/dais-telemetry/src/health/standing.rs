//! How one check stands: its findings, what it shows for them, and when it is called next.

use std::collections::VecDeque;
use std::time::Duration;

use super::check::{Check, Finding, State};
use super::report::Record;

/// The shortest time between two calls, whatever was asked for.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// A call that has not returned.
#[derive(Clone, Copy, Debug)]
struct Call {
    started: Duration,
    /// How long it may take, as it was when the call began.
    timeout: Duration,
    /// When it counts as unhealthy, again at every interval while it hangs.
    deadline: Duration,
}

/// A check with what is known of it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) check: Check,
    /// Positions of the checks it depends on.
    pub(super) after: Vec<usize>,
    pub(super) shown: Option<Finding>,
    pub(super) history: VecDeque<Record>,
    /// Findings in a row that are not healthy.
    pub(super) failures: u32,
    next_start: Duration,
    call: Option<Call>,
    /// Findings in a row on the same side of what is shown.
    streak: u32,
    worsening: bool,
}

impl Standing {
    pub(super) fn new(check: Check, first_start: Duration) -> Self {
        Self {
            check,
            after: Vec::new(),
            shown: None,
            history: VecDeque::new(),
            failures: 0,
            next_start: first_start,
            call: None,
            streak: 0,
            worsening: false,
        }
    }

    /// Goes on with another check of the same name; what was found so far stays, and so does a call under way.
    pub(super) fn change(&mut self, check: Check, now: Duration) {
        self.check = check;
        self.next_start = self.next_start.min(now + self.interval());
    }

    fn interval(&self) -> Duration {
        self.check.interval.max(INTERVAL_MIN)
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.call.is_none() && now >= self.next_start
    }

    /// When something is to be done about it, apart from a call returning.
    pub(super) fn next_event(&self) -> Duration {
        self.call.map_or(self.next_start, |call| call.deadline)
    }

    pub(super) fn start(&mut self, now: Duration) {
        let timeout = self.check.timeout;
        self.call = Some(Call { started: now, timeout, deadline: now + timeout });
        self.next_start = now + self.interval();
    }

    /// Leaves out one turn.
    pub(super) fn skip(&mut self, now: Duration) {
        self.next_start = now + self.interval();
    }

    /// Takes a finding; what comes after the time-out is too old to count.
    pub(super) fn finish(&mut self, now: Duration, finding: Finding, history_len: usize) {
        let Some(call) = self.call.take() else { return };
        if now < call.started + call.timeout {
            self.take(now, now.saturating_sub(call.started), finding, history_len);
        } else {
            self.next_start = now + self.interval();
        }
    }

    /// Takes note of a call that takes too long.
    pub(super) fn expire(&mut self, now: Duration, history_len: usize) {
        let Some(call) = &mut self.call else { return };
        if now < call.deadline {
            return;
        }
        call.deadline = now + self.check.interval.max(INTERVAL_MIN);
        let took = now.saturating_sub(call.started);
        let detail = format!(
            "timed out: no answer after {:.1} s, {:.1} s are allowed",
            took.as_secs_f64(),
            call.timeout.as_secs_f64()
        );
        self.take(now, took, Finding::unhealthy(detail), history_len);
    }

    fn take(&mut self, now: Duration, took: Duration, finding: Finding, history_len: usize) {
        while self.history.len() >= history_len.max(1) {
            self.history.pop_front();
        }
        self.history.push_back(Record {
            at_s: now.as_secs_f64(),
            duration_ms: took.as_secs_f64() * 1e3,
            state: finding.state,
            detail: finding.detail.clone(),
        });
        self.failures = if finding.state == State::Healthy { 0 } else { self.failures.saturating_add(1) };
        let Some(shown) = &mut self.shown else {
            self.shown = Some(finding);
            return;
        };
        if finding.state == shown.state {
            self.streak = 0;
            *shown = finding;
            return;
        }
        let worsening = finding.state > shown.state;
        self.streak = if worsening == self.worsening { self.streak + 1 } else { 1 };
        self.worsening = worsening;
        let needed = if worsening { self.check.failures_min } else { self.check.recoveries_min };
        if self.streak >= needed {
            self.streak = 0;
            *shown = finding;
        }
    }
}
