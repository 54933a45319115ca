//! What the operator of a run sees: logs, metrics, health, traces and alerts.
//!
//! A run tells it of every step; nothing here changes a history, and nothing that fails here ends a run.

mod alarm;
mod checks;
mod figures;
mod measured;

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use dais_alert::Event;
use dais_config::{Config, Live, Loaded, Reload, Watch};
use dais_lab::Progress;
use dais_ledger::{Location, Storage, StorageOptions};
use dais_sim::{Lifecycle, Mode};
use dais_telemetry::endpoint::Endpoint;
use dais_telemetry::health::{self, AgentCounts, Heartbeat, Monitor, Stage};
use dais_telemetry::log::{self, Console, Level, LogGuard, LogParams};
use dais_telemetry::metric::{self, RunMetrics, Sampler};
use dais_telemetry::trace::SignatureTraces;
use dais_traffic::Source;

use crate::run_folder::{self, RunFolder};
use alarm::Alarm;
use figures::Figures;
use measured::{Measured, Recording};

/// Time between two looks at memory, processors and disk.
const SAMPLE: Duration = Duration::from_secs(5);

/// Everything that watches a run.
pub(crate) struct Operations {
    metrics: RunMetrics,
    figures: Figures,
    recording: Recording,
    heart: Arc<Heartbeat>,
    lives: Arc<AgentCounts>,
    monitor: Option<Arc<Monitor>>,
    alarm: Option<Alarm>,
    traces: Option<SignatureTraces>,
    log: Arc<LogGuard>,
    // Dropped last to first: who asks before what is asked.
    _endpoint: Option<Endpoint>,
    _sampler: Option<Sampler>,
    _watch: Option<Watch>,
    span: tracing::Span,
    world: Option<Mode>,
}

/// Which run is watched.
pub(crate) struct Watched<'a> {
    pub(crate) name: &'a str,
    pub(crate) seed: u64,
    pub(crate) folder: &'a RunFolder,
    /// Its ledger, where another reader can open it.
    pub(crate) ledger: Option<Location>,
    pub(crate) options: StorageOptions,
}

impl Operations {
    /// Begins to log, and to serve and watch what the configuration asks for.
    ///
    /// # Errors
    /// A log file that cannot be opened, a port that is taken, settings that cannot be used.
    pub(crate) fn begin(live: &Arc<Live>, console: Console, run: &Watched<'_>) -> anyhow::Result<Self> {
        let loaded = live.current();
        let config = &loaded.config;
        let log = Arc::new(log::start_with(&logging(&loaded), console)?);
        // Of the highest level, as that of a step: what is logged within has its context at whatever level.
        let span = tracing::error_span!("run", run = run.name, seed = run.seed);
        let entered = span.enter();
        let monitoring = &config.monitoring;
        let metrics = RunMetrics::default();
        let (heart, lives) = (Arc::new(Heartbeat::new()), Arc::new(AgentCounts::default()));
        if run.ledger.is_some() {
            // The run's own, open from its first step to its last.
            metrics.connections(1);
        }
        let recording = Recording::new(metrics.clone());
        let alerting = monitoring.alerting.is_active();
        let watched = monitoring.enable_prometheus || alerting;
        let monitor = if watched && monitoring.health.enable {
            let checks = checks::of(&monitoring.health, run, &heart, &lives)?;
            Some(Arc::new(checks))
        } else {
            None
        };
        let sampler = watched.then(|| Sampler::start(metrics.clone(), run.folder.staging(), SAMPLE)).transpose();
        let sampler = sampler.context("cannot watch memory and processors")?;
        let endpoint = if monitoring.enable_prometheus {
            let endpoint = serve(config, &metrics, monitor.as_ref())?;
            run_folder::write_whole(
                &run.folder.file(run_folder::ENDPOINT),
                &format!("http://{}\n", endpoint.address()),
            )?;
            tracing::info!(address = %endpoint.address(), "metrics and health are served");
            Some(endpoint)
        } else {
            None
        };
        let alarm = Alarm::start(&monitoring.alerting, metrics.clone(), monitor.clone(), Arc::clone(&log))?;
        let traces = SignatureTraces::start(&monitoring.tracing).context("monitoring.tracing")?;
        let watch = watch(live, &log, alarm.as_ref());
        drop(entered);
        let figures = Figures::new(Arc::clone(live));
        Ok(Self {
            metrics,
            figures,
            recording,
            heart,
            lives,
            monitor,
            alarm,
            traces,
            log,
            _endpoint: endpoint,
            _sampler: sampler,
            _watch: watch,
            span,
            world: None,
        })
    }

    /// The storage of the run's ledger, with its times and errors told to the metrics.
    pub(crate) fn measured(&self, storage: Box<dyn Storage>) -> Box<dyn Storage> {
        Box::new(Measured::new(storage, self.recording.clone()))
    }

    /// The context of everything that the run logs.
    pub(crate) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// The first step is about to be taken.
    pub(crate) fn started(&mut self, traffic: &dyn Source, steps: u32) {
        self.figures.name(traffic.families());
        let agents = traffic.sites();
        tracing::info!(agents, steps, "the run begins");
        self.heart.begin();
        self.enter(Stage::Serving);
    }

    /// A step was taken.
    pub(crate) fn step(&mut self, progress: &Progress<'_>, took: Duration) {
        let ended = SystemTime::now();
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
        self.metrics.step(&figures);
        self.metrics.log_lines(self.log.counts());
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
                    self.event("agent_retired", || format!("agent {agent} in step {}", event.step));
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
    pub(crate) fn checkpoint(&self, step: u32, took: Duration) {
        let (world, duration_ms) = (self.world.map(Mode::name), millis(took));
        tracing::info!(parent: &self.span, world, step, duration_ms, phase = "checkpoint", "checkpoint written");
    }

    /// The run ended; the message says how where it was not as it should.
    pub(crate) fn ended(mut self, failed: Option<&anyhow::Error>) {
        let span = self.span();
        let _entered = span.enter();
        self.heart.rest();
        self.enter(Stage::Stopping);
        if let Some(error) = failed {
            let error = crate::mask::masked(&format!("{error:#}"));
            tracing::error!(error, "the run failed");
            self.event("run_failed", || error);
        } else {
            tracing::info!("the run ended");
        }
        if let Some(alarm) = self.alarm.take() {
            alarm.stop();
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
        self.log.flush();
    }

    fn enter(&self, stage: Stage) {
        if let Some(monitor) = &self.monitor {
            monitor.enter(stage);
        }
    }

    fn event(&self, name: &str, message: impl FnOnce() -> String) {
        if let Some(alarm) = &self.alarm {
            alarm.event(Event::new(name, message()));
        }
    }
}

/// What is logged. As long as nobody asks for more, people see warnings and errors: the summary of a run says the rest.
fn logging(loaded: &Loaded) -> LogParams {
    let mut params = loaded.config.logging.clone();
    let chosen = |key: &str| loaded.is_set(key);
    if params.file.is_some() {
        params.enable_console &= chosen("logging.enable_console");
    } else if !chosen("logging.level") && !chosen("logging.enable_console") {
        params.level = Level::Warning;
    }
    params
}

/// A time as it is logged.
fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Serves metrics and health.
fn serve(config: &Config, metrics: &RunMetrics, monitor: Option<&Arc<Monitor>>) -> anyhow::Result<Endpoint> {
    let monitoring = &config.monitoring;
    let mut routes = metric::routes_at(&monitoring.metrics_path, metrics.clone()).context("monitoring.metrics_path")?;
    if let Some(monitor) = monitor {
        routes = routes.merge(health::routes(Arc::clone(monitor)));
    }
    let address = address(&monitoring.metrics_host, monitoring.metrics_port)?;
    Endpoint::serve(address, routes).context("monitoring.metrics_port")
}

fn address(host: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let unknown = || anyhow!("monitoring.metrics_host: `{host}` is no address of this machine, such as 127.0.0.1");
    (host, port).to_socket_addrs().map_err(|_| unknown())?.next().ok_or_else(unknown)
}

/// Follows changes of the configuration, where there are files to follow.
fn watch(live: &Arc<Live>, log: &Arc<LogGuard>, alarm: Option<&Alarm>) -> Option<Watch> {
    let (log, alarm, followed) = (Arc::clone(log), alarm.map(Alarm::handle), Arc::clone(live));
    let last = Mutex::new(live.current().config.clone());
    let changed = move |reload: &Reload| {
        if !matches!(reload, Reload::Changed { .. }) {
            return;
        }
        let loaded = followed.current();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.config.logging != last.logging
            && let Err(error) = log.set_levels(&logging(&loaded))
        {
            tracing::warn!(%error, "the levels of the log stay as they were");
        }
        if let Some(alarm) = &alarm {
            alarm.reload(loaded.config.monitoring.alerting.clone());
        }
        last.clone_from(&loaded.config);
    };
    // Without a folder to watch there is nothing to follow.
    live.watch(changed).inspect_err(|error| tracing::debug!(%error, "the configuration is not followed")).ok()
}
