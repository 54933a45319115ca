//! `dais health`.

mod served;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use dais_telemetry::health::{self, Check, Ended, HealthParams, Registry, Report, Stage, State};

use crate::args::health::HealthArgs;
use crate::screen::output;

/// Where runs go unless told otherwise; the room on its file system is what counts.
pub(super) const RUNS: &str = "runs";

/// What the load of processors is measured over.
const SAMPLE: Duration = Duration::from_millis(300);

pub(crate) fn health(args: &HealthArgs) -> anyhow::Result<ExitCode> {
    let report = match args.url.as_ref().or(args.target.as_ref()) {
        Some(target) => served::ask(&served::address(target)?, args.timeout)?,
        None => machine(&args.settings.load(false)?.current().config.monitoring.health)?,
    };
    let text = if args.json { format!("{}\n", serde_json::to_string(&report)?) } else { shown::text(&report) };
    output::print(&text)?;
    Ok(match report.state {
        State::Healthy => ExitCode::SUCCESS,
        State::Degraded | State::Unhealthy => ExitCode::FAILURE,
    })
}

/// Looks at this machine, once.
pub(super) fn machine(params: &HealthParams) -> anyhow::Result<Report> {
    // The load is what passes between these two lines.
    let checks = vec![health::disk(params, PathBuf::from(RUNS)), health::memory(params), health::cpu(params)];
    std::thread::sleep(SAMPLE);
    once(checks)
}

/// Calls every check once.
fn once(checks: Vec<Check>) -> anyhow::Result<Report> {
    let mut registry = Registry::new(checks, 1, 0).context("the checks of a machine")?;
    // By then every first call is due.
    let now = Duration::from_hours(24);
    for (check, probe) in registry.start_due(now) {
        registry.finish(now, Ended { check, finding: probe() });
    }
    let mut report = registry.report(now);
    report.stage = Stage::Serving;
    report.uptime_s = 0.0;
    report.time = Some(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    Ok(report)
}
