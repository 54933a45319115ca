//! The health checks of a command that goes on for long.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use dais_ledger::{Head, Ledger, LedgerError, Location, StorageOptions};
use dais_telemetry::health::{self, AgentCounts, Check, HealthParams, Heartbeat, Monitor, Registry, Verified};

use super::watched::Watched;

/// What is checked, so that the checks can be made again by other parameters.
pub(crate) struct Checks {
    /// Folder that is written to, on whose file system there must be room.
    folder: PathBuf,
    heart: Arc<Heartbeat>,
    seed: u64,
    run: Option<OfRun>,
}

/// What only a run depends on.
struct OfRun {
    /// Whether its ledger is begun: before there is nothing in it that could be wrong.
    begun: Arc<AtomicBool>,
    lives: Arc<AgentCounts>,
    ledger: Option<Location>,
    options: StorageOptions,
    /// Kept open, so that each call reads only what has come since the one before.
    held: Arc<Mutex<Option<Ledger>>>,
}

impl Checks {
    /// Of a process that writes into `folder` and whose steps `heart` hears of.
    pub(crate) fn new(folder: PathBuf, heart: Arc<Heartbeat>) -> Self {
        Self { folder, heart, seed: 0, run: None }
    }

    /// Of everything that a run depends on.
    pub(super) fn of_run(run: &Watched, heart: Arc<Heartbeat>, lives: Arc<AgentCounts>) -> Self {
        let (ledger, options) = (run.ledger.clone(), run.options.clone());
        let of_run = OfRun { begun: Arc::default(), lives, ledger, options, held: Arc::default() };
        Self { seed: run.seed, run: Some(of_run), ..Self::new(run.folder.clone(), heart) }
    }

    /// To be set when the run's ledger is begun.
    pub(super) fn begun(&self) -> Option<Arc<AtomicBool>> {
        self.run.as_ref().map(|run| Arc::clone(&run.begun))
    }

    /// Whether it is a run, which takes one step after the other.
    pub(super) fn are_of_run(&self) -> bool {
        self.run.is_some()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins to check.
    pub(super) fn start(&self, params: &HealthParams) -> anyhow::Result<Monitor> {
        let registry = Registry::new(self.made(params)?, params.history_len, self.seed).context("monitoring.health")?;
        Monitor::start(registry, |_| {}).context("cannot start the health checks")
    }

    /// Goes on by other parameters.
    pub(super) fn replace(&self, monitor: &Monitor, params: &HealthParams) -> anyhow::Result<()> {
        monitor.replace(self.made(params)?, params.history_len).context("monitoring.health")
    }

    fn made(&self, params: &HealthParams) -> anyhow::Result<Vec<Check>> {
        let mut checks = vec![
            health::disk(params, self.folder.clone()),
            health::memory(params),
            health::cpu(params),
            health::clock(params),
            health::progress(params, Arc::clone(&self.heart)),
        ];
        checks.extend(self.run.iter().flat_map(|run| run.made(params)));
        for dependency in &params.dependencies {
            let check = health::dependency(params, dependency).map_err(anyhow::Error::msg);
            checks.push(check.context("monitoring.health.dependencies")?);
        }
        Ok(checks)
    }
}

impl OfRun {
    fn made(&self, params: &HealthParams) -> Vec<Check> {
        let mut checks = vec![health::agents(params, Arc::clone(&self.lives))];
        if let Some(location) = &self.ledger {
            let (ping, options, begun) = (location.clone(), self.options.clone(), Arc::clone(&self.begun));
            checks.push(health::storage(params, move || {
                if begun.load(Ordering::SeqCst) {
                    ping.open_read_only(&options)?.latest_head().map(drop)
                } else {
                    Ok(())
                }
            }));
            let (location, options, held) = (location.clone(), self.options.clone(), Arc::clone(&self.held));
            let begun = Arc::clone(&self.begun);
            checks.push(health::ledger(params, move || {
                if !begun.load(Ordering::SeqCst) {
                    return Ok(Verified { entries: 0, root: Head::empty().root.to_string() });
                }
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(ledger) = held.as_mut() {
                    ledger.catch_up()?;
                }
                let ledger = match held.take() {
                    Some(ledger) => ledger,
                    None => Ledger::open(location.open_read_only(&options)?)?,
                };
                let head = held.insert(ledger).head().head;
                Ok::<_, LedgerError>(Verified { entries: head.size, root: head.root.to_string() })
            }));
        }
        checks
    }
}
