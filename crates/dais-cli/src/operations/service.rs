//! What every command that goes on for long shows of itself: log, metrics, health, alerts.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use dais_alert::Event;
use dais_config::{Live, Loaded, MonitoringParams, Reload, Watch};
use dais_telemetry::endpoint::Endpoint;
use dais_telemetry::health::{self, Monitor, Stage};
use dais_telemetry::log::{self as telemetry, Console, Level, LogGuard, LogParams};
use dais_telemetry::metric::{self, RunMetrics, Sampler};

use super::alarm::{Alarm, Handle, Seen};
use super::checks::Checks;

/// Time between two looks at memory, processors and disk.
const SAMPLE: Duration = Duration::from_secs(5);

/// Logs, serves and watches what the configuration asks for, until it is dropped.
pub(crate) struct Service {
    metrics: RunMetrics,
    monitor: Option<Arc<Monitor>>,
    alarm: Option<Alarm>,
    log: Arc<LogGuard>,
    /// Whether the log goes to a file.
    has_file: bool,
    endpoint: Option<Endpoint>,
    _sampler: Option<Sampler>,
    _watch: Option<Watch>,
}

impl Service {
    /// Begins; the log goes on already.
    ///
    /// # Errors
    /// A port that is taken, settings that cannot be used.
    pub(crate) fn begin(live: &Arc<Live>, log: LogGuard, checks: Checks) -> anyhow::Result<Self> {
        let loaded = live.current();
        let log = Arc::new(log);
        let has_file = loaded.config.logging.file.is_some();
        let monitoring = &loaded.config.monitoring;
        let metrics = RunMetrics::default();
        let watched = monitoring.enable_prometheus || monitoring.alerting.is_active();
        let monitor = (watched && monitoring.health.enable).then(|| checks.start(&monitoring.health)).transpose()?;
        let monitor = monitor.map(Arc::new);
        let sampler = watched.then(|| Sampler::start(metrics.clone(), checks.folder(), SAMPLE)).transpose();
        let sampler = sampler.context("cannot watch memory and processors")?;
        let endpoint =
            monitoring.enable_prometheus.then(|| serve(monitoring, &metrics, monitor.as_ref())).transpose()?;
        if let Some(endpoint) = &endpoint {
            tracing::info!(address = %endpoint.address(), "metrics and health are served");
        }
        let seen = Seen {
            metrics: metrics.clone(),
            monitor: monitor.clone(),
            log: Arc::clone(&log),
            takes_steps: checks.are_of_run(),
            ledger_broken: false,
        };
        let alarm = Alarm::start(&monitoring.alerting, seen)?;
        let followers = Followers {
            log: Arc::clone(&log),
            alarm: alarm.as_ref().map(Alarm::handle),
            health: monitor.clone().map(|monitor| (monitor, checks)),
        };
        let watch = if loaded.config.development.hot_reload { follow(live, followers) } else { None };
        Ok(Self { metrics, monitor, alarm, log, has_file, endpoint, _sampler: sampler, _watch: watch })
    }

    pub(crate) fn metrics(&self) -> &RunMetrics {
        &self.metrics
    }

    /// Counts the lines of the log among the metrics.
    pub(crate) fn count_lines(&self) {
        self.metrics.log_lines(self.log.counts());
    }

    /// Where metrics and health are served.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.endpoint.as_ref().map(Endpoint::address)
    }

    /// Says what the process is about.
    pub(crate) fn enter(&self, stage: Stage) {
        if let Some(monitor) = &self.monitor {
            monitor.enter(stage);
        }
    }

    /// Tells alerts of something that happened.
    pub(crate) fn event(&self, name: &str, message: impl FnOnce() -> String) {
        if let Some(alarm) = &self.alarm {
            alarm.event(Event::new(name, message()));
        }
    }

    /// Logs why the command fails, where that is kept; people are told when the program ends, once.
    pub(crate) fn failed(&self, why: &str) {
        if self.has_file {
            tracing::error!(error = why, "failed");
        }
        self.event("run_failed", || why.to_owned());
    }

    /// Ends in an orderly way.
    pub(crate) fn end(mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.stop();
        }
        self.log.flush();
    }
}

/// Begins to log.
///
/// # Errors
/// A log file that cannot be opened.
pub(crate) fn log(live: &Arc<Live>, console: Console) -> anyhow::Result<LogGuard> {
    Ok(telemetry::start_with(&logging(&live.current()), console)?)
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

/// Serves metrics and health.
fn serve(
    monitoring: &MonitoringParams,
    metrics: &RunMetrics,
    monitor: Option<&Arc<Monitor>>,
) -> anyhow::Result<Endpoint> {
    let mut routes = metric::routes_at(&monitoring.metrics_path, metrics.clone()).context("monitoring.metrics_path")?;
    if let Some(monitor) = monitor {
        routes = routes.merge(health::routes(Arc::clone(monitor)));
    }
    Endpoint::serve(address(monitoring)?, routes).context("monitoring.metrics_port")
}

/// Where metrics and health are to be served.
///
/// # Errors
/// A host that is no address of this machine.
pub(crate) fn address(monitoring: &MonitoringParams) -> anyhow::Result<SocketAddr> {
    let host = monitoring.metrics_host.as_str();
    let unknown = || anyhow!("monitoring.metrics_host: `{host}` is no address of this machine, such as 127.0.0.1");
    (host, monitoring.metrics_port).to_socket_addrs().map_err(|_| unknown())?.next().ok_or_else(unknown)
}

/// What changes with the configuration.
struct Followers {
    log: Arc<LogGuard>,
    alarm: Option<Handle>,
    health: Option<(Arc<Monitor>, Checks)>,
}

impl Followers {
    /// Takes over what differs from `last`.
    fn follow(&self, loaded: &Loaded, last: &dais_config::Config) {
        let (config, monitoring) = (&loaded.config, &loaded.config.monitoring);
        if config.logging != last.logging
            && let Err(error) = self.log.set_levels(&logging(loaded))
        {
            tracing::warn!(%error, "the levels of the log stay as they were");
        }
        if let Some((monitor, checks)) = &self.health
            && monitoring.health != last.monitoring.health
            && let Err(error) = checks.replace(monitor, &monitoring.health)
        {
            tracing::warn!(error = format!("{error:#}"), "the health checks stay as they were");
        }
        if let Some(alarm) = &self.alarm
            && monitoring.alerting != last.monitoring.alerting
        {
            alarm.reload(monitoring.alerting.clone());
        }
    }
}

/// Follows changes of the configuration's files.
fn follow(live: &Arc<Live>, followers: Followers) -> Option<Watch> {
    let followed = Arc::clone(live);
    let last = Mutex::new(live.current());
    let changed = move |reload: &Reload| {
        if matches!(reload, Reload::Changed { .. }) {
            let loaded = followed.current();
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            followers.follow(&loaded, &last.config);
            *last = loaded;
        }
    };
    let told = |error: &_| tracing::warn!(%error, "changes of the configuration are not taken over");
    live.watch(changed).inspect_err(told).ok()
}
