//! The health checks of a run.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use dais_ledger::{Ledger, LedgerError};
use dais_telemetry::health::{self, AgentCounts, Check, HealthParams, Heartbeat, Monitor, Registry, Verified};

use super::Watched;

/// Begins to check everything that a run depends on.
pub(super) fn of(
    params: &HealthParams,
    run: &Watched<'_>,
    heart: &Arc<Heartbeat>,
    lives: &Arc<AgentCounts>,
) -> anyhow::Result<Monitor> {
    let mut checks: Vec<Check> = vec![
        health::disk(params, run.folder.staging().to_owned()),
        health::memory(params),
        health::cpu(params),
        health::clock(params),
        health::progress(params, Arc::clone(heart)),
        health::agents(params, Arc::clone(lives)),
    ];
    if let Some(location) = &run.ledger {
        let (ping, options) = (location.clone(), run.options.clone());
        checks.push(health::storage(params, move || ping.open_read_only(&options)?.latest_head().map(drop)));
        let (location, options) = (location.clone(), run.options.clone());
        // Kept open, so that each call reads only what has come since the one before.
        let held: Mutex<Option<Ledger>> = Mutex::new(None);
        checks.push(health::ledger(params, move || {
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
    for dependency in &params.dependencies {
        let check = health::dependency(params, dependency).map_err(anyhow::Error::msg);
        checks.push(check.context("monitoring.health.dependencies")?);
    }
    let registry = Registry::new(checks, params.history_len, run.seed).context("monitoring.health")?;
    Monitor::start(registry, |_| {}).context("cannot start the health checks")
}
