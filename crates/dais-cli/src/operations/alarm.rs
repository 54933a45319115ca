//! The thread that looks at rules and hands alerts to their channels.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use dais_alert::{AlertParams, Alerting, Event, HealthState, Labels, Readings};
use dais_telemetry::health::{Monitor, State};
use dais_telemetry::log::LogGuard;
use dais_telemetry::metric::{RunMetrics, catalogue};
use jiff::Timestamp;

/// Messages that wait for the thread; more events than that are dropped.
const WAITING_MAX: usize = 256;

/// How much later than the end of a run alerts are looked at a last time: past the wait of any group of alerts.
const FAREWELL: Duration = Duration::from_mins(10);

enum Message {
    Event(Event),
    Reload(Box<AlertParams>),
    Stop,
}

/// Alerts while a run goes on.
pub(super) struct Alarm {
    inbox: SyncSender<Message>,
    thread: JoinHandle<()>,
}

/// Changes the rules from elsewhere.
#[derive(Clone)]
pub(super) struct Handle(SyncSender<Message>);

impl Handle {
    pub(super) fn reload(&self, params: AlertParams) {
        // A thread that is gone has no rules.
        drop(self.0.send(Message::Reload(Box::new(params))));
    }
}

impl Alarm {
    /// Begins to look at the rules; `None` where alerts are off or have no channel.
    ///
    /// # Errors
    /// A channel that cannot be opened.
    pub(super) fn start(params: &AlertParams, mut seen: Seen) -> anyhow::Result<Option<Self>> {
        let Some(alerting) = Alerting::start(params.clone()).context("monitoring.alerting")? else { return Ok(None) };
        let interval = Duration::from_secs(params.evaluation_interval_s);
        let (inbox, messages) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("alerts".to_owned());
        let thread = thread.spawn(move || watch(alerting, interval, &mut seen, &messages)).context("alerts")?;
        Ok(Some(Self { inbox, thread }))
    }

    /// Tells of something that happened.
    pub(super) fn event(&self, event: Event) {
        // In a flood of events the first ones tell enough.
        drop(self.inbox.try_send(Message::Event(event)));
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(self.inbox.clone())
    }

    /// Looks at the rules a last time and delivers what is left, for a bounded time.
    pub(super) fn stop(self) {
        drop(self.inbox.send(Message::Stop));
        drop(self.thread.join());
    }
}

/// What rules look at.
pub(super) struct Seen {
    pub(super) metrics: RunMetrics,
    pub(super) monitor: Option<Arc<Monitor>>,
    pub(super) log: Arc<LogGuard>,
    /// Whether steps are expected; without, none stall.
    pub(super) takes_steps: bool,
    /// Whether the ledger did not verify when it was looked at last.
    pub(super) ledger_broken: bool,
}

impl Seen {
    fn readings(&mut self, mut events: Vec<Event>) -> Readings {
        self.metrics.log_lines(self.log.counts());
        let health = self.health();
        let broken = health.iter().any(|(check, state)| check == "ledger" && *state == HealthState::Unhealthy);
        if broken && !std::mem::replace(&mut self.ledger_broken, broken) {
            let message = "the check `ledger` says so; `dais verify` names the entry";
            events.push(Event::new("ledger_verification_failed", message));
        }
        self.ledger_broken = broken;
        let series = self.metrics.snapshot().into_iter();
        let series = series.filter(|one| self.takes_steps || one.name != catalogue::STEPS.name);
        let series = series.map(|one| (one.name, one.labels.into_iter().collect::<Labels>(), one.value));
        Readings { series: series.collect(), health, events }
    }

    fn health(&self) -> Vec<(String, HealthState)> {
        let Some(monitor) = &self.monitor else { return Vec::new() };
        let report = monitor.report();
        let checks = report.checks.iter().filter_map(|check| Some((check.name.clone(), state(check.status.state()?))));
        checks.chain([("overall".to_owned(), state(report.state))]).collect()
    }
}

fn state(state: State) -> HealthState {
    match state {
        State::Healthy => HealthState::Healthy,
        State::Degraded => HealthState::Degraded,
        State::Unhealthy => HealthState::Unhealthy,
    }
}

fn watch(mut alerting: Alerting, interval: Duration, seen: &mut Seen, messages: &Receiver<Message>) {
    let mut events = Vec::new();
    let mut due = Instant::now() + interval;
    loop {
        match messages.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Message::Event(event)) => events.push(event),
            Ok(Message::Reload(params)) => {
                if let Err(error) = alerting.reload(*params) {
                    tracing::warn!(%error, "the alert rules stay as they were");
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                alerting.observe(Timestamp::now(), &seen.readings(std::mem::take(&mut events)));
                due = Instant::now() + interval;
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                alerting.observe(Timestamp::now(), &seen.readings(events));
                // What would wait for others of its group waits no longer.
                let later = Timestamp::now().checked_add(FAREWELL).unwrap_or(Timestamp::MAX);
                alerting.observe(later, &seen.readings(Vec::new()));
                alerting.stop();
                return;
            }
        }
    }
}
