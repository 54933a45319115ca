//! What the operator of a run sees: logs, metrics, health, traces and alerts.
//!
//! A run tells it of every step; nothing here changes a history, and nothing that fails here ends a run.

mod alarm;
mod checks;
mod figures;
mod measured;
mod service;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use dais_config::Live;
use dais_lab::Progress;
use dais_ledger::Storage;
use dais_runs::{ENDPOINT, Event};
use dais_sim::{Lifecycle, Mode};
use dais_telemetry::health::{AgentCounts, Heartbeat, Stage};
use dais_telemetry::log::Console;
use dais_telemetry::trace::SignatureTraces;

pub(crate) use self::checks::Checks;
use self::figures::Figures;
use self::measured::{Measured, Recording};
pub(crate) use self::service::{Service, address, log};
pub(crate) use self::watched::Watched;
use crate::screen::mask::masked;
use crate::screen::output::write_file;

/// Everything that watches a run.
pub(crate) struct Operations {
    service: Service,
    figures: Figures,
    recording: Recording,
    heart: Arc<Heartbeat>,
    lives: Arc<AgentCounts>,
    traces: Option<SignatureTraces>,
    span: tracing::Span,
    world: Option<Mode>,
    /// Set when the ledger is begun.
    ledger_begun: Option<Arc<AtomicBool>>,
}

impl Operations {
    /// Begins to log, and to serve and watch what the configuration asks for.
    ///
    /// # Errors
    /// A log file that cannot be opened, a port that is taken, settings that cannot be used.
    pub(crate) fn begin(live: &Arc<Live>, console: Console, run: &Watched) -> anyhow::Result<Self> {
        let log = log(live, console)?;
        // Of the highest level, as that of a step: what is logged within has its context at whatever level.
        let span = tracing::error_span!("run", run = %run.name, seed = run.seed);
        let entered = span.enter();
        let (heart, lives) = (Arc::new(Heartbeat::new()), Arc::new(AgentCounts::default()));
        let checks = Checks::of_run(run, Arc::clone(&heart), Arc::clone(&lives));
        let ledger_begun = checks.begun();
        let service = Service::begin(live, log, checks)?;
        if let Some(address) = service.address() {
            write_file(&run.folder.join(ENDPOINT), &format!("http://{address}\n"))?;
        }
        if run.ledger.is_some() {
            // The run's own, open from its first step to its last.
            service.metrics().connections(1);
        }
        let recording = Recording::new(service.metrics().clone());
        let traces = SignatureTraces::start(&live.current().config.monitoring.tracing).context("monitoring.tracing")?;
        drop(entered);
        let figures = Figures::new(Arc::clone(live));
        Ok(Self { service, figures, recording, heart, lives, traces, span, world: None, ledger_begun })
    }

    /// The storage of the run's ledger, with its times and errors told to the metrics.
    pub(crate) fn measured(&self, storage: Box<dyn Storage>) -> Box<dyn Storage> {
        Box::new(Measured::new(storage, self.recording.clone()))
    }

    /// The context of everything that the run logs.
    pub(crate) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// Something happened to the run.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Began { agents, steps, families, .. } => self.began(*agents, *steps, families),
            Event::Checkpoint { step, took_us, .. } => self.checkpoint(*step, Duration::from_micros(*took_us)),
            Event::Reading { .. }
            | Event::Preparing
            | Event::GoingBack { .. }
            | Event::Step(_)
            | Event::Concluding
            | Event::Complete(_)
            | Event::Left { .. } => {}
        }
    }

    /// The first step is about to be taken.
    fn began(&mut self, agents: u64, steps: u32, families: &[String]) {
        self.figures.name(families);
        tracing::info!(agents, steps, "the run begins");
        self.heart.begin();
        self.service.enter(Stage::Serving);
    }

    /// A step was taken.
    pub(crate) fn step(&mut self, progress: &Progress<'_>, took: Duration) {
        let ended = SystemTime::now();
        // The first step begins the ledger.
        if let Some(begun) = self.ledger_begun.take() {
            begun.store(true, Ordering::SeqCst);
        }
        self.heart.beat(u64::from(progress.steps_done));
        let world = progress.mode.name();
        let span = tracing::error_span!(parent: &self.span, "step", world, step = progress.steps_done);
        let _entered = span.enter();
        if self.world.replace(progress.mode) != Some(progress.mode) {
            tracing::info!("the world begins");
        }
        for (phase, time) in progress.phases {
            tracing::debug!(phase = phase.name(), duration_ms = millis(*time), "phase");
        }
        tracing::debug!(
            duration_ms = millis(took),
            flows = progress.tally.flows,
            alerts = progress.tally.alerts,
            "step"
        );
        self.tell_facts(progress);
        let figures = self.figures.step(progress, took);
        self.service.metrics().step(&figures);
        self.service.count_lines();
        if let Some([.., active, recovering, failed, _]) = figures.agents {
            self.lives.set(active, recovering, failed);
        }
        if let Some(traces) = self.traces.as_mut().filter(|_| progress.mode == Mode::Collaborative) {
            let recorded = self.recording.take_last();
            traces.observe(&self.figures.trace(progress, ended, recorded));
        }
        if progress.steps_done == progress.steps {
            tracing::info!(accepted = progress.counts.accepted, votes = progress.counts.votes, "the world ended");
        }
    }

    /// Logs what was decided and who failed.
    fn tell_facts(&self, progress: &Progress<'_>) {
        for decided in &progress.facts.decided {
            let decision = &decided.decision;
            tracing::info!(
                signature = %decision.signature,
                agent = %decided.author,
                outcome = figures::outcome(decision.outcome),
                motion = figures::motion(decision.motion).name(),
                steps = decision.step.saturating_sub(decided.opened_step),
                "decided"
            );
        }
        for event in progress.facts.events.iter().filter(|event| event.to != Lifecycle::Stopped) {
            let (agent, from, to) = (event.agent, event.from.name(), event.to.name());
            match event.to {
                Lifecycle::Failed => {
                    tracing::error!(agent, from, cause = ?event.cause, "agent retired");
                    self.service.event("agent_retired", || format!("agent {agent} in step {}", event.step));
                }
                Lifecycle::Recovering => tracing::warn!(agent, from, cause = ?event.cause, "agent failed, tries again"),
                Lifecycle::Born
                | Lifecycle::Configured
                | Lifecycle::ModelLoaded
                | Lifecycle::HealthChecked
                | Lifecycle::Active
                | Lifecycle::Stopped => tracing::debug!(agent, from, to, "agent"),
            }
        }
    }

    /// A checkpoint was written.
    fn checkpoint(&self, step: u32, took: Duration) {
        let (world, duration_ms) = (self.world.map(Mode::name), millis(took));
        tracing::info!(parent: &self.span, world, step, duration_ms, phase = "checkpoint", "checkpoint written");
    }

    /// The run ended; the message says how where it was not as it should.
    pub(crate) fn ended(mut self, failed: Option<&anyhow::Error>) {
        let span = self.span();
        let _entered = span.enter();
        self.heart.rest();
        self.service.enter(Stage::Stopping);
        if let Some(error) = failed {
            self.service.failed(&masked(&format!("{error:#}")));
        } else {
            tracing::info!("the run ended");
        }
        if let Some(traces) = self.traces.take() {
            let counts = traces.finish();
            tracing::info!(
                sent = counts.sent_spans,
                dropped = counts.dropped_spans,
                failed = counts.failed_spans,
                "spans"
            );
        }
        self.service.end();
    }
}

/// A time as it is logged.
fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
