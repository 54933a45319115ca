//! Carrying out a run, from its first step or from a checkpoint, to its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow};
use dais_config::Live;
use dais_lab::{
    CheckpointError, History, Loaded, Material, OnFailure, Run, RunError, Scenario, Series, Summary, Traffic, series,
    summarise,
};
use dais_ledger::{Durability, LedgerError, MemoryStorage, Storage, StorageOptions};
use dais_sim::{Execution, Mode, ShardError, WorldError};

use crate::checkpoints::Checkpoints;
use crate::conduct_args::ConductArgs;
use crate::interrupt::{Asked, EXIT_TERMINATED, Interrupt, Unfinished};
use crate::limits::Limits;
use crate::memory::peak_rss_mb;
use crate::operations::{Operations, Watched};
use crate::output::{self, Ink};
use crate::progress::Line;
use crate::run_folder::{self, RunFolder};
use crate::run_ledger::RunLedger;
use crate::settings::Safety;
use crate::{screen, witnesses};

/// How durable ledgers in files are. A run that ends by a loss of power is gone on with from a checkpoint that its ledger
/// reaches, so the ledger need not wait for the disk after every step: this survives the end of the process, which is
/// enough.
const DURABILITY: Durability = Durability::Normal;

/// Exit code of a run that was stopped at a limit and can be gone on with.
const EXIT_LIMIT: u8 = 3;

/// A run that is to be carried out.
pub(crate) struct Conduct<'a> {
    /// Its scenario, before its files are read.
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    /// Makes the choices that depend on what the files hold.
    pub(crate) complete: &'a dyn Fn(&mut Scenario, &Material) -> anyhow::Result<()>,
    pub(crate) execution: Execution,
    /// The run's folder as its user named it.
    pub(crate) place: PathBuf,
    pub(crate) folder: RunFolder,
    pub(crate) ledger: RunLedger,
    /// Whether it was begun before.
    pub(crate) begun: bool,
    pub(crate) args: &'a ConductArgs,
    /// The configuration, which may change while the run goes on.
    pub(crate) live: Arc<Live>,
}

/// How a run ended.
enum Ended {
    /// It has a history, though perhaps a short one.
    Told(Box<History>),
    /// It can be gone on with.
    Left(Left),
}

/// Why a run was left to be gone on with.
enum Left {
    /// The system told the process to end.
    Terminated,
    /// A step exceeded a limit.
    Limit(crate::limits::Exceeded),
}

impl Conduct<'_> {
    /// Carries the run out and writes its files.
    ///
    /// # Errors
    /// Traffic that cannot be read, places that cannot be written.
    pub(crate) fn carry_out(mut self) -> anyhow::Result<ExitCode> {
        let outcome = self.try_carry_out();
        self.ledger.clear(&self.folder);
        let kept =
            self.folder.is_kept().then(|| format!("what was recorded is kept: {} goes on", self.resume_command()));
        outcome.map_err(|error| if let Some(kept) = kept { error.context(kept) } else { error })
    }

    fn try_carry_out(&mut self) -> anyhow::Result<ExitCode> {
        let folders = [self.folder.staging()].into_iter().chain(self.ledger.unfinished());
        let interrupt = Interrupt::listen(Unfinished {
            folders: folders.map(Path::to_owned).collect(),
            resumable: Some(self.folder.file(run_folder::CHECKPOINT_STATE)),
        })?;
        let mut line = Line::new(self.args.quiet, self.scenario.worlds.len());
        let mut operations = Operations::begin(&self.live, line.console(), &self.watched())?;
        let ended = operations.span().in_scope(|| self.play(&interrupt, &mut line, &mut operations));
        line.clear();
        operations.ended(ended.as_ref().err());
        let ended = ended?;
        match ended {
            Ended::Told(history) => self.tell(*history),
            Ended::Left(left) => {
                self.folder.keep();
                let command = self.resume_command();
                Ok(match left {
                    Left::Terminated => {
                        output::say(&format!("ended by SIGTERM; {command} goes on"));
                        ExitCode::from(u8::try_from(EXIT_TERMINATED).unwrap_or(1))
                    }
                    Left::Limit(exceeded) => {
                        output::say(&format!("stopped in the middle of a step: {exceeded}; {command} goes on"));
                        ExitCode::from(EXIT_LIMIT)
                    }
                })
            }
        }
    }

    fn watched(&self) -> Watched<'_> {
        let shares = self.scenario.worlds.contains(&Mode::Collaborative);
        Watched {
            name: &self.scenario.name,
            seed: self.seed,
            folder: &self.folder,
            ledger: self.ledger.readable(&self.folder).filter(|_| shares),
            options: self.options(),
        }
    }

    /// How the ledger is opened.
    fn options(&self) -> StorageOptions {
        self.args.server.options_over(DURABILITY, &self.live.current().config.database)
    }

    /// How the run is kept safe at this moment.
    fn safety(&self) -> Safety {
        self.args.safety.over(&self.live.current())
    }

    fn resume_command(&self) -> String {
        format!("`dais resume {}`", self.place.display())
    }

    /// Reads the files and runs the worlds.
    fn play(&mut self, interrupt: &Interrupt, line: &mut Line, operations: &mut Operations) -> anyhow::Result<Ended> {
        if let Traffic::Files(files) = &self.scenario.traffic {
            line.reading(files.paths.len());
        }
        let material = Material::read(&self.scenario.traffic)?;
        (self.complete)(&mut self.scenario, &material)?;
        self.scenario.seed = Some(self.seed);
        line.preparing();
        let resumable = self.announce()?;
        let loaded = material.load(&self.scenario.traffic, self.seed)?;
        let mut checkpoints = Checkpoints::new(self.folder.staging());
        let mut run = self.begin(&loaded, &checkpoints, operations)?;
        if resumable {
            interrupt.may_break_off(run.stop());
        }
        let limits = Limits::watch(run.stop());
        operations.started(loaded.source.as_ref(), loaded.steps);
        loop {
            let safety = self.safety();
            limits.step(&safety);
            run.on_failure(if safety.stop_on_error { OnFailure::Stop } else { OnFailure::GoOn });
            let began = Instant::now();
            let steps_done = match run.step() {
                Ok(Some(progress)) => {
                    operations.step(&progress, began.elapsed());
                    line.step(&progress);
                    progress.steps_done
                }
                Ok(None) => break,
                Err(error) => return self.broken_off(error, &limits, interrupt),
            };
            match interrupt.asked() {
                Asked::Leave if resumable => {
                    checkpoints.write(&run)?;
                    return Ok(Ended::Left(Left::Terminated));
                }
                Asked::Stop | Asked::Leave => break,
                Asked::Nothing => {}
            }
            let began = Instant::now();
            if resumable && checkpoints.after_step(&run, &safety)? {
                operations.checkpoint(steps_done, began.elapsed());
                self.folder.keep();
            }
        }
        drop(limits);
        run.finish().map(|history| Ended::Told(Box::new(history))).map_err(|error| self.explained(error))
    }

    /// Writes down what is needed to go on with the run, where that is possible.
    fn announce(&self) -> anyhow::Result<bool> {
        let from_pipe = match &self.scenario.traffic {
            Traffic::Files(files) => files.paths.iter().any(|path| path == Path::new("-")),
            Traffic::Synthetic(_) => false,
        };
        let shares = self.scenario.worlds.contains(&Mode::Collaborative);
        if from_pipe || (shares && !self.ledger.outlives()) {
            return Ok(false);
        }
        let mut scenario = self.scenario.clone();
        make_paths_absolute(&mut scenario);
        run_folder::write_whole(&self.folder.file(run_folder::SCENARIO), &scenario.to_yaml())?;
        self.folder.announce(self.ledger.note())?;
        Ok(true)
    }

    /// The run before its next step: from the newest checkpoint that its ledger reaches, else from the beginning.
    fn begin(&self, loaded: &Loaded, checkpoints: &Checkpoints, operations: &Operations) -> anyhow::Result<Run> {
        let (scenario, seed, execution) = (&self.scenario, self.seed, self.execution);
        for path in if self.begun { checkpoints.candidates() } else { Vec::new() } {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let storage = operations.measured(self.storage()?);
            let resumed = Run::resume(scenario, loaded.clone(), seed, execution, storage, &bytes);
            match resumed {
                Err(error) if goes_further_back(&error) => {
                    output::say(&format!("{}: {error}; going further back", path.display()));
                }
                resumed => return resumed.map_err(|error| self.explained(error)),
            }
        }
        let storage = operations.measured(self.storage()?);
        Run::new(scenario, loaded.clone(), seed, execution, storage).map_err(|error| self.explained(error))
    }

    fn storage(&self) -> anyhow::Result<Box<dyn Storage>> {
        if !self.scenario.worlds.contains(&Mode::Collaborative) {
            return Ok(Box::new(MemoryStorage::new()));
        }
        let options = self.options();
        if self.begun { self.ledger.open(&self.folder, &options) } else { self.ledger.create(&self.folder, &options) }
    }

    /// What an error in the middle of a step means.
    fn broken_off(&self, error: RunError, limits: &Limits, interrupt: &Interrupt) -> anyhow::Result<Ended> {
        if let RunError::World(WorldError::Shard(ShardError::Stopped)) = error {
            if let Some(exceeded) = limits.exceeded() {
                return Ok(Ended::Left(Left::Limit(exceeded)));
            }
            if interrupt.asked() == Asked::Leave {
                return Ok(Ended::Left(Left::Terminated));
            }
        }
        Err(self.explained(error))
    }

    fn explained(&self, error: RunError) -> anyhow::Error {
        let RunError::World(WorldError::Ledger(error)) = error else { return error.into() };
        // Going on finds out whether a batch in doubt is stored: it is compared, or appended.
        let error =
            if let LedgerError::InDoubt { source } = error { source.into() } else { anyhow::Error::from(error) };
        error.context(self.ledger.unwritable(&self.folder))
    }

    /// Writes the files of a run that has a history, and shows its summary.
    fn tell(&self, history: History) -> anyhow::Result<ExitCode> {
        let (mut summary, series) = (summarise(&history, peak_rss_mb()), series(&history));
        let mut scenario = history.scenario.clone();
        let kept = history.worlds.contains_key(&Mode::Collaborative).then_some(&self.ledger);
        summary.ledger_location = kept.and_then(RunLedger::location);
        let witnessed = history.worlds.get(&Mode::Collaborative).map(|world| world.finished.witnessed.clone());
        // Closes the ledger, so that all of it is in the one file.
        drop(history);
        make_paths_absolute(&mut scenario);
        write(&self.folder, &summary, &series, &scenario)?;
        kept.map_or(Ok(()), |ledger| ledger.finish(&self.folder))?;
        let of_witnesses = witnesses::write(&self.folder, &witnessed.unwrap_or_default())?;
        self.folder.commit()?;
        let of_ledger = kept.and_then(RunLedger::file);
        let files = [run_folder::REPORT, run_folder::SUMMARY].into_iter().chain(of_ledger).chain(of_witnesses);
        let files: Vec<&str> = files.chain([run_folder::SCENARIO]).collect();
        self.show(&summary, &files)?;
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, summary: &Summary, files: &[&str]) -> anyhow::Result<()> {
        let quiet = self.args.quiet;
        if !self.args.json {
            let screen = || screen::summary(summary, &self.place, files, Ink::of_stdout());
            return if quiet { Ok(()) } else { output::print(&screen()) };
        }
        output::print(&(serde_json::to_string(summary)? + "\n"))?;
        if !quiet {
            let stopped = if summary.interrupted { "stopped before its end; " } else { "" };
            output::say(&format!("{stopped}files in {}: {}", self.place.display(), files.join(", ")));
            if let Some(line) = screen::ledger(summary) {
                output::say(&line);
            }
        }
        Ok(())
    }
}

/// Whether an earlier checkpoint, or the beginning, may do where this one did not.
fn goes_further_back(error: &RunError) -> bool {
    match error {
        RunError::Checkpoint(CheckpointError::OtherRun { .. }) => false,
        RunError::Checkpoint(_)
        | RunError::World(
            WorldError::LedgerBehind { .. } | WorldError::Snapshot(_) | WorldError::Shard(ShardError::Snapshot(_)),
        ) => true,
        RunError::World(_) | RunError::Load(_) | RunError::AgentFailed { .. } | RunError::Unwritten(_) => false,
    }
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
            if let Ok(absolute) = fs::canonicalize(&*path).or_else(|_| std::path::absolute(&*path)) {
                *path = absolute;
            }
        }
    }
}

/// The scenario of an unfinished run, which has every choice made.
///
/// # Errors
/// A file that is not there or was altered.
pub(crate) fn unfinished_scenario(folder: &RunFolder) -> anyhow::Result<(Scenario, u64)> {
    let path = folder.file(run_folder::SCENARIO);
    let scenario = Scenario::read(&path)?;
    let seed = scenario.seed.ok_or_else(|| anyhow!("{}: it has no `seed`, which the run wrote", path.display()))?;
    Ok((scenario, seed))
}
