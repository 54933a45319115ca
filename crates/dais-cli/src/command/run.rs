//! `dais run`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use dais_config::Loaded;
use dais_lab::{LIES, Scenario};
use dais_protocol::Span;
use dais_runs::{Conduct, DURABILITY, RunFolder, RunLedger, folder_name, unfinished_of};

use crate::args::group::input::InputArgs;
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
        scenario.rules.agent.retrain_every = Span::Steps(retrain_every);
    }
    if let Some(share) = args.liars {
        let lies = if args.adversary.is_empty() { LIES.to_vec() } else { args.adversary.clone() };
        scenario.set_liars(share, &lies);
    }
    scenario.check()?;
    let seed = args.seed.or(scenario.seed).or(config.simulation.random_seed).unwrap_or_else(drawn_seed);
    let runs = Path::new("runs");
    let out = args.out.clone().unwrap_or_else(|| {
        let place = if args.force { default_place } else { free_place };
        place(runs, &scenario.name, seed)
    });
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

/// The first of `runs/<scenario>-<seed>`, `runs/<scenario>-<seed>-2`, … where no run is and none is under way.
fn free_place(runs: &Path, name: &str, seed: u64) -> PathBuf {
    let place = default_place(runs, name, seed);
    let numbered = |number: u32| PathBuf::from(format!("{}-{number}", place.display()));
    let is_free = |place: &PathBuf| place.symlink_metadata().is_err() && unfinished_of(place).is_empty();
    if is_free(&place) { place } else { (2..u32::MAX).map(numbered).find(is_free).unwrap_or(place) }
}

/// `runs/<scenario>-<seed>`, with nothing in the name that a path could not hold.
fn default_place(runs: &Path, name: &str, seed: u64) -> PathBuf {
    runs.join(format!("{}-{seed}", folder_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_folder() {
        let place = |name| default_place(Path::new("runs"), name, 7);
        assert_eq!(place("../a b/c"), PathBuf::from("runs/a-b-c-7"));
        assert_eq!(place("nsl-kdd"), PathBuf::from("runs/nsl-kdd-7"));
    }

    #[test]
    fn a_second_run_of_the_same_name_has_a_number() {
        let runs = tempfile::tempdir().unwrap();
        let place = || free_place(runs.path(), "office", 7);
        let names = ["office-7", "office-7-2", "office-7-3"].map(|name| runs.path().join(name));
        assert_eq!(place(), names[0]);
        std::fs::create_dir(&names[0]).unwrap();
        assert_eq!(place(), names[1]);
        let under_way = RunFolder::begin(&names[1], false).unwrap();
        assert_eq!(place(), names[2]);
        drop(under_way);
        assert_eq!(place(), names[1]);
    }
}
