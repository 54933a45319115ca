//! Carrying out a run, from its first step or from a checkpoint, to its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use dais_lab::{
    CheckpointError, History, Loaded, Material, OnFailure, Run, RunError, Scenario, Traffic, report_html, series,
    summarise,
};
use dais_ledger::{Durability, LedgerError, MemoryStorage, Storage, StorageOptions};
use dais_sim::{Execution, Mode, ShardError, Witnessed, WorldError};

use crate::checkpoint::Checkpoints;
use crate::error::ConductError;
use crate::event::{Concluded, Event, Left, Observer, Step, micros};
use crate::file::{CHECKPOINT, CHECKPOINT_STATE, REPORT, SCENARIO, SPLIT_VIEW, SUMMARY, write_whole};
use crate::folder::{FolderError, RunFolder};
use crate::ledger::RunLedger;
use crate::limit::Limits;
use crate::memory::peak_rss_mb;
use crate::place::{self, Login};
use crate::safety::Safety;
use crate::stopper::{Asked, Stopper};

/// How durable ledgers in files are. A run that ends by a loss of power is gone on with from a checkpoint that its ledger
/// reaches, so the ledger need not wait for the disk after every step: this survives the end of the process, which is
/// enough.
pub const DURABILITY: Durability = Durability::Normal;

/// A run that is to be carried out. Dropped before its end, it leaves nothing behind, unless it can be gone on with.
#[derive(Debug)]
pub struct Conduct {
    scenario: Scenario,
    seed: u64,
    execution: Execution,
    folder: RunFolder,
    ledger: RunLedger,
    options: StorageOptions,
    /// Whether it was begun before.
    begun: bool,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Its files are in their place; the history may be short, where it was stopped.
    Complete(Box<Concluded>),
    /// It can be gone on with.
    Left(Left),
}

impl Conduct {
    /// A run before its first step.
    #[must_use]
    pub fn new(scenario: Scenario, seed: u64, folder: RunFolder, ledger: RunLedger) -> Self {
        let options = StorageOptions { durability: DURABILITY, ..StorageOptions::default() };
        Self { scenario, seed, execution: Execution::default(), folder, ledger, options, begun: false }
    }

    /// A run whose process ended before its time: the one that lies, or is to lie, at `named`. The connection string
    /// `given`, or `login`, has the user and password of a ledger on a server.
    ///
    /// # Errors
    /// Nothing that can be gone on with, a run that another process carries out, files that were altered.
    pub fn resume(named: &Path, given: Option<&str>, login: &Login) -> Result<Self, ConductError> {
        let (folder, note) = RunFolder::take_over(named)?;
        let path = folder.file(SCENARIO);
        let scenario = Scenario::read(&path)?;
        let seed = scenario.seed.ok_or(ConductError::Seedless { path })?;
        let ledger = RunLedger::again(&note, given, login)?;
        let mut conduct = Self::new(scenario, seed, folder, ledger);
        conduct.begun = true;
        Ok(conduct)
    }

    /// The same run, carried out in this way.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.execution = execution;
        self
    }

    /// The same run, its ledger opened in this way.
    #[must_use]
    pub fn with_options(mut self, options: StorageOptions) -> Self {
        self.options = options;
        self
    }

    /// Its scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Its scenario, to make the choices that depend on what its files hold.
    pub fn scenario_mut(&mut self) -> &mut Scenario {
        &mut self.scenario
    }

    /// Its seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Its ledger.
    #[must_use]
    pub fn ledger(&self) -> &RunLedger {
        &self.ledger
    }

    /// How its ledger is opened.
    #[must_use]
    pub fn options(&self) -> &StorageOptions {
        &self.options
    }

    /// Whether agents share what they find, so that there is a ledger.
    #[must_use]
    pub fn shares(&self) -> bool {
        self.scenario.worlds.contains(&Mode::Collaborative)
    }

    /// Whether what was recorded is kept, so that the run can be gone on with.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.folder.is_kept()
    }

    /// The folders to be removed by whoever ends the process at once, unless the file [`CHECKPOINT_STATE`] is there.
    #[must_use]
    pub fn leftovers(&self) -> Vec<PathBuf> {
        [self.folder.staging()].into_iter().chain(self.ledger.unfinished()).map(Path::to_owned).collect()
    }

    /// The checkpoint that the run can be gone on with from, once it is there.
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.folder.file(CHECKPOINT_STATE)
    }

    /// Reads the files of the run's traffic.
    ///
    /// # Errors
    /// Files that cannot be read or understood.
    pub fn read(&self, observer: &mut dyn Observer) -> Result<Material, ConductError> {
        let files = match &self.scenario.traffic {
            Traffic::Files(files) => files.paths.len() as u64,
            Traffic::Synthetic(_) => 0,
        };
        observer.event(&Event::Reading { files });
        Ok(Material::read(&self.scenario.traffic)?)
    }

    /// Carries the run out on what [`Conduct::read`] read, and writes its files. `safety` is asked before every step.
    ///
    /// # Errors
    /// Traffic that cannot be played, places that cannot be written; [`Conduct::is_kept`] then tells whether the run can be
    /// gone on with.
    pub fn carry_out(
        &mut self,
        material: Material,
        stopper: &Stopper,
        safety: &dyn Fn() -> Safety,
        observer: &mut dyn Observer,
    ) -> Result<Ended, ConductError> {
        let played = self.play(material, stopper, safety, observer)?;
        match played {
            Played::Told(history) => {
                observer.event(&Event::Concluding);
                let concluded = Box::new(self.conclude(*history)?);
                observer.event(&Event::Complete(concluded.clone()));
                Ok(Ended::Complete(concluded))
            }
            Played::Left(why) => {
                self.folder.keep();
                observer.event(&Event::Left { why });
                Ok(Ended::Left(why))
            }
        }
    }

    fn play(
        &mut self,
        material: Material,
        stopper: &Stopper,
        safety: &dyn Fn() -> Safety,
        observer: &mut dyn Observer,
    ) -> Result<Played, ConductError> {
        self.scenario.seed = Some(self.seed);
        observer.event(&Event::Preparing);
        let resumable = self.announce()?;
        let loaded = material.load(&self.scenario.traffic, self.seed)?;
        let mut checkpoints = Checkpoints::new(self.folder.staging());
        let mut run = self.begin(&loaded, &checkpoints, observer)?;
        if resumable {
            stopper.may_break_off(run.stop());
        }
        let limits = Limits::watch(run.stop());
        observer.event(&began(&self.scenario, &loaded));
        loop {
            let safety = safety();
            limits.step(&safety);
            run.on_failure(if safety.stop_on_error { OnFailure::Stop } else { OnFailure::GoOn });
            let began = Instant::now();
            let (world, step) = match run.step() {
                Ok(Some(progress)) => {
                    let took = began.elapsed();
                    observer.step(&progress, took);
                    observer.event(&Event::Step(Box::new(Step::of(&progress, took))));
                    (progress.mode, progress.steps_done)
                }
                Ok(None) => break,
                Err(error) => return self.broken_off(error, &limits, stopper),
            };
            match stopper.asked() {
                Asked::Leave if resumable => {
                    checkpoints.write(&run)?;
                    return Ok(Played::Left(Left::Asked));
                }
                Asked::Stop | Asked::Leave => break,
                Asked::Nothing => {}
            }
            let began = Instant::now();
            if resumable && checkpoints.after_step(&run, &safety)? {
                observer.event(&Event::Checkpoint { world, step, took_us: micros(began.elapsed()) });
                self.folder.keep();
            }
        }
        drop(limits);
        run.finish().map(|history| Played::Told(Box::new(history))).map_err(|error| self.explained(error))
    }

    /// Writes down what is needed to go on with the run, where that is possible.
    fn announce(&self) -> Result<bool, ConductError> {
        let from_pipe = match &self.scenario.traffic {
            Traffic::Files(files) => files.paths.iter().any(|path| path == Path::new("-")),
            Traffic::Synthetic(_) => false,
        };
        if from_pipe || (self.shares() && !self.ledger.outlives()) {
            return Ok(false);
        }
        let mut scenario = self.scenario.clone();
        make_paths_absolute(&mut scenario);
        write_whole(&self.folder.file(SCENARIO), &scenario.to_yaml()).map_err(|source| {
            let (path, name) = (self.folder.target().to_owned(), SCENARIO.to_owned());
            FolderError::FileUnwritten { path, name, source }
        })?;
        self.folder.announce(self.ledger.note())?;
        Ok(true)
    }

    /// The run before its next step: from the newest checkpoint that its ledger reaches, else from the beginning.
    fn begin(
        &self,
        loaded: &Loaded,
        checkpoints: &Checkpoints,
        observer: &mut dyn Observer,
    ) -> Result<Run, ConductError> {
        let (scenario, seed, execution) = (&self.scenario, self.seed, self.execution);
        for path in if self.begun { checkpoints.candidates() } else { Vec::new() } {
            let bytes = fs::read(&path).map_err(|source| ConductError::Unread { path: path.clone(), source })?;
            let storage = observer.storage(self.storage()?);
            match Run::resume(scenario, loaded.clone(), seed, execution, storage, &bytes) {
                Err(error) if goes_further_back(&error) => {
                    observer.event(&Event::GoingBack { checkpoint: path, why: error.to_string() });
                }
                resumed => return resumed.map_err(|error| self.explained(error)),
            }
        }
        let storage = observer.storage(self.storage()?);
        Run::new(scenario, loaded.clone(), seed, execution, storage).map_err(|error| self.explained(error))
    }

    fn storage(&self) -> Result<Box<dyn Storage>, ConductError> {
        if !self.shares() {
            return Ok(Box::new(MemoryStorage::new()));
        }
        let (folder, options) = (&self.folder, &self.options);
        Ok(if self.begun { self.ledger.open(folder, options) } else { self.ledger.create(folder, options) }?)
    }

    /// What an error in the middle of a step means.
    fn broken_off(&self, error: RunError, limits: &Limits, stopper: &Stopper) -> Result<Played, ConductError> {
        if let RunError::World(WorldError::Shard(ShardError::Stopped)) = error {
            if let Some(exceeded) = limits.exceeded() {
                return Ok(Played::Left(Left::Limit(exceeded)));
            }
            if stopper.asked() == Asked::Leave {
                return Ok(Played::Left(Left::Asked));
            }
        }
        Err(self.explained(error))
    }

    fn explained(&self, error: RunError) -> ConductError {
        let RunError::World(WorldError::Ledger(error)) = error else { return error.into() };
        // Going on finds out whether a batch in doubt is stored: it is compared, or appended.
        if let LedgerError::InDoubt { source } = error {
            self.ledger.unwritable(&self.folder, source).into()
        } else {
            self.ledger.unwritable(&self.folder, error).into()
        }
    }

    /// Writes the files of a run that has a history.
    fn conclude(&self, history: History) -> Result<Concluded, ConductError> {
        let (mut summary, series) = (summarise(&history, peak_rss_mb()), series(&history));
        let mut scenario = history.scenario.clone();
        let kept = history.worlds.contains_key(&Mode::Collaborative).then_some(&self.ledger);
        summary.ledger_location = kept.and_then(RunLedger::location);
        let witnessed = history.worlds.get(&Mode::Collaborative).map(|world| world.finished.witnessed.clone());
        // Closes the ledger, so that all of it is in the one file.
        drop(history);
        if let Some(location) = kept.and_then(|ledger| ledger.readable(&self.folder)) {
            place::close_file(&location).map_err(|error| self.ledger.unwritable(&self.folder, error))?;
        }
        make_paths_absolute(&mut scenario);
        self.folder.write(SCENARIO, &scenario.to_yaml())?;
        self.folder.write(SUMMARY, &(serde_json::to_string_pretty(&summary)? + "\n"))?;
        self.folder.write(REPORT, &report_html(&summary, &series)?)?;
        kept.map_or(Ok(()), |ledger| ledger.finish(&self.folder))?;
        let of_witnesses = self.write_witnessed(&witnessed.unwrap_or_default())?;
        self.folder.commit()?;
        let of_ledger = kept.and_then(RunLedger::file);
        let files = [REPORT, SUMMARY].into_iter().chain(of_ledger).chain(of_witnesses).chain([SCENARIO]);
        Ok(Concluded { folder: self.folder.target().to_owned(), files: files.map(str::to_owned).collect(), summary })
    }

    /// Writes what witnesses left behind; returns the names of the files.
    fn write_witnessed(&self, witnessed: &Witnessed) -> Result<Vec<&'static str>, ConductError> {
        let mut files = Vec::new();
        if let Some(checkpoint) = &witnessed.checkpoint {
            self.folder.write(CHECKPOINT, &checkpoint.to_string())?;
            files.push(CHECKPOINT);
        }
        if let Some(proof) = witnessed.split_views.first() {
            self.folder.write(SPLIT_VIEW, &proof.to_string())?;
            files.push(SPLIT_VIEW);
        }
        Ok(files)
    }
}

impl Drop for Conduct {
    fn drop(&mut self) {
        self.ledger.clear(&self.folder);
    }
}

/// How the steps of a run ended.
enum Played {
    /// It has a history, though perhaps a short one.
    Told(Box<History>),
    /// It can be gone on with.
    Left(Left),
}

fn began(scenario: &Scenario, loaded: &Loaded) -> Event {
    Event::Began {
        agents: loaded.source.sites() as u64,
        steps: loaded.steps,
        worlds: scenario.worlds.clone(),
        families: loaded.source.families().iter().map(|family| family.name.clone()).collect(),
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
