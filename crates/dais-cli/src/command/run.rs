//! `dais run`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dais_lab::{History, Material, Next, RunError, Scenario, Series, Summary, Traffic, run_loaded, series, summarise};
use dais_ledger::{Durability, LedgerError, MemoryStorage, Storage};
use dais_sim::{Mode, WorldError};

use crate::args::RunArgs;
use crate::interrupt::Interrupt;
use crate::memory::peak_rss_mb;
use crate::output::{self, Ink};
use crate::progress::Line;
use crate::run_folder::{self, RunFolder, folder_name};
use crate::run_ledger::RunLedger;
use crate::{choice, screen, witnesses};

/// How durable ledgers in files are. A run that ends by a loss of power is run again from its seed, so the ledger need
/// not wait for the disk after every step: this survives the end of the process, which is enough.
const DURABILITY: Durability = Durability::Normal;

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
    let unfinished = [folder.staging()].into_iter().chain(ledger.unfinished());
    let interrupt = Interrupt::listen(unfinished.map(Path::to_owned).collect())?;
    let mut line = Line::new(args.quiet, scenario.worlds.len());

    let history = play(args, scenario, seed, (&folder, &ledger), &interrupt, &mut line)?;
    let (mut summary, series) = (summarise(&history, peak_rss_mb()), series(&history));
    let mut scenario = history.scenario.clone();
    let kept = history.worlds.contains_key(&Mode::Collaborative).then_some(&ledger);
    summary.ledger_location = kept.and_then(RunLedger::location);
    let witnessed = history.worlds.get(&Mode::Collaborative).map(|world| world.finished.witnessed.clone());
    // Closes the ledger, so that all of it is in the one file.
    drop(history);
    make_paths_absolute(&mut scenario);
    write(&folder, &summary, &series, &scenario)?;
    kept.map_or(Ok(()), |ledger| ledger.finish(&folder))?;
    let of_witnesses = witnesses::write(&folder, &witnessed.unwrap_or_default())?;
    folder.commit()?;

    let of_ledger = kept.and_then(RunLedger::file);
    let files = [run_folder::REPORT, run_folder::SUMMARY].into_iter().chain(of_ledger).chain(of_witnesses);
    let files: Vec<&str> = files.chain([run_folder::SCENARIO]).collect();
    if args.json {
        output::print(&(serde_json::to_string(&summary)? + "\n"))?;
        if !args.quiet {
            let stopped = if summary.interrupted { "stopped before its end; " } else { "" };
            output::say(&format!("{stopped}files in {}: {}", place.display(), files.join(", ")));
            if let Some(line) = screen::ledger(&summary) {
                output::say(&line);
            }
        }
    } else if !args.quiet {
        output::print(&screen::summary(&summary, &place, &files, Ink::of_stdout()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the files and runs the worlds.
fn play(
    args: &RunArgs,
    mut scenario: Scenario,
    seed: u64,
    (folder, ledger): (&RunFolder, &RunLedger),
    interrupt: &Interrupt,
    line: &mut Line,
) -> anyhow::Result<History> {
    if let Traffic::Files(files) = &scenario.traffic {
        line.reading(files.paths.len());
    }
    let material = Material::read(&scenario.traffic)?;
    choice::complete(&mut scenario, &material, &args.input)?;
    line.preparing();
    let storage: Box<dyn Storage> = if scenario.worlds.contains(&Mode::Collaborative) {
        ledger.create(folder, &args.server.options(DURABILITY))?
    } else {
        Box::new(MemoryStorage::new())
    };
    let loaded = material.load(&scenario.traffic, seed)?;
    let mut each_step = |progress: dais_lab::Progress<'_>| {
        line.step(&progress);
        if interrupt.asked() { Next::Stop } else { Next::Continue }
    };
    let history = run_loaded(&scenario, loaded, seed, choice::execution(&args.input), storage, &mut each_step);
    line.clear();
    history.map_err(|error| match error {
        // A run is not gone on with, so that nobody appends the last batch again to find out.
        RunError::World(WorldError::Ledger(LedgerError::InDoubt { source })) => {
            anyhow::Error::from(source).context(ledger.unwritable(folder))
        }
        error @ RunError::World(WorldError::Ledger(_)) => anyhow::Error::from(error).context(ledger.unwritable(folder)),
        error @ (RunError::World(_) | RunError::Load(_)) => error.into(),
    })
}

fn write(folder: &RunFolder, summary: &Summary, series: &Series, scenario: &Scenario) -> anyhow::Result<()> {
    folder.write(run_folder::SCENARIO, &scenario.to_yaml())?;
    folder.write(run_folder::SUMMARY, &(serde_json::to_string_pretty(summary)? + "\n"))?;
    folder.write(run_folder::REPORT, &dais_lab::report_html(summary, series)?)
}

/// Paths that hold wherever the scenario is run again.
fn make_paths_absolute(scenario: &mut Scenario) {
    if let Traffic::Files(files) = &mut scenario.traffic {
        for path in files.paths.iter_mut().chain(&mut files.schema) {
            if let Ok(absolute) = std::fs::canonicalize(&*path).or_else(|_| std::path::absolute(&*path)) {
                *path = absolute;
            }
        }
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
