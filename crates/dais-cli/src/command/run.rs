//! `dais run`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use dais_config::Loaded;
use dais_lab::Scenario;
use dais_runs::{Conduct, DURABILITY, RunFolder, RunLedger, folder_name};

use crate::args::input::InputArgs;
use crate::args::run::RunArgs;
use crate::place;
use crate::run::carry::Carry;
use crate::run::setting::{self, said};
use crate::run::{choice, told};

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let live = args.conduct.settings.load(args.conduct.quiet)?;
    let loaded = live.current();
    let config = &loaded.config;
    let mut scenario = choice::describe(&args.input)?;
    if let Some(alert_p) = args.alert_p.or(config.agent.alert_p.map(|p| p as f32)) {
        scenario.set_alert_level(alert_p);
    }
    if let Some(retrain_every) = config.agent.retrain_every {
        scenario.rules.agent.retrain_every = retrain_every;
    }
    scenario.check()?;
    let seed = args.seed.or(scenario.seed).or(config.simulation.random_seed).unwrap_or_else(drawn_seed);
    let out = args.out.clone().unwrap_or_else(|| default_place(&scenario.name, seed));
    let named = out.file_name().unwrap_or_default().to_string_lossy();
    let ledger = args.ledger.clone().or_else(|| setting::ledger(config, &named));
    let ledger = RunLedger::at(ledger.as_deref(), &place::login()).map_err(told::of_ledger)?;
    let folder = RunFolder::begin(&out, args.force).map_err(told::of_folder)?;
    let execution = setting::execution(args.input.threads, args.input.use_parallel_threshold, config);
    let conduct = Conduct::new(scenario, seed, folder, ledger)
        .with_execution(execution)
        .with_options(args.conduct.server.options_over(DURABILITY, &config.database));
    let carry = Carry {
        conduct,
        complete: &|scenario, material| {
            choice::complete(scenario, material, &args.input)?;
            complete_from(&loaded, scenario, &args.input);
            Ok(())
        },
        place: out,
        args: &args.conduct,
        live: Arc::clone(&live),
    };
    carry.out()
}

/// Takes from the configuration what neither the flags nor a scenario file say.
fn complete_from(loaded: &Loaded, scenario: &mut Scenario, args: &InputArgs) {
    if args.scenario.is_some() {
        return;
    }
    let simulation = &loaded.config.simulation;
    let agents = said(loaded, "simulation.default_agents", simulation.default_agents);
    if let Some(agents) = agents.filter(|_| args.agents.is_none()) {
        // Recorded traffic has one agent a site, whatever is usual.
        let _ = scenario.set_agents(agents);
    }
    let steps = said(loaded, "simulation.default_steps", simulation.default_steps);
    if let Some(steps) = steps.filter(|_| args.steps.is_none()) {
        let _ = scenario.set_steps(steps);
    }
}

/// A seed from the system's entropy, short enough to be typed.
fn drawn_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

/// `runs/<scenario>-<seed>`, with nothing in the name that a path could not hold.
fn default_place(name: &str, seed: u64) -> PathBuf {
    PathBuf::from("runs").join(format!("{}-{seed}", folder_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_folder() {
        assert_eq!(default_place("../a b/c", 7), PathBuf::from("runs/a-b-c-7"));
        assert_eq!(default_place("nsl-kdd", 7), PathBuf::from("runs/nsl-kdd-7"));
    }
}
