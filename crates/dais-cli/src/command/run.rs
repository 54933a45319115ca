//! `dais run`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::args::RunArgs;
use crate::choice;
use crate::conduct::Conduct;
use crate::run_folder::{RunFolder, folder_name};
use crate::run_ledger::RunLedger;

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let mut scenario = choice::describe(&args.input)?;
    if let Some(alert_p) = args.alert_p {
        scenario.set_alert_level(alert_p);
        scenario.check()?;
    }
    let seed = args.seed.or(scenario.seed).unwrap_or_else(drawn_seed);
    let place = args.out.clone().unwrap_or_else(|| default_place(&scenario.name, seed));
    let ledger = RunLedger::at(args.ledger.as_deref())?;
    let folder = RunFolder::begin(&place, args.force)?;
    let conduct = Conduct {
        scenario,
        seed,
        complete: &|scenario, material| choice::complete(scenario, material, &args.input),
        execution: choice::execution(&args.input),
        place,
        folder,
        ledger,
        begun: false,
        args: &args.conduct,
    };
    conduct.carry_out()
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
