//! A run: the worlds of a scenario, one after the other, on the same traffic.

mod checkpoint;
mod course;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dais_ledger::{Origin, Storage};
use dais_protocol::{Motion, SignatureId};
use dais_sim::{
    Behaviour, Cause, ExchangeCounts, Execution, Finished, GENESIS_FORMAT, Genesis, Lifecycle, Mode, Phase, Plan,
    ScenarioError, Seed, StepReport, StepTally, Stop, Watch, World, WorldError, appointed, behaviours,
};
use dais_traffic::FamilyId;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::load::{LoadError, Loaded, load};
use crate::scenario::{Scenario, Traffic};

pub use checkpoint::CheckpointError;
pub use course::{Course, MeanTrust};

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The traffic cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A world cannot go on.
    #[error(transparent)]
    World(#[from] WorldError),
    /// An agent failed in a run that is to stop then.
    #[error("{world} world, step {step}: {agent} failed ({why}); the run was to stop on the first failure")]
    AgentFailed {
        /// The world.
        world: Mode,
        /// The step.
        step: u32,
        /// The agent.
        agent: dais_protocol::AgentId,
        /// Why, in words.
        why: &'static str,
    },
    /// The checkpoint cannot be used.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint cannot be written.
    #[error("checkpoint: {0}")]
    Unwritten(#[source] std::io::Error),
}

impl From<ScenarioError> for RunError {
    fn from(error: ScenarioError) -> Self {
        Self::World(error.into())
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The world that took a step.
    pub mode: Mode,
    /// Steps it has carried out.
    pub steps_done: u32,
    /// Steps it is to carry out.
    pub steps: u32,
    /// What was counted in the step.
    pub tally: &'a StepTally,
    /// What happened on the exchange so far.
    pub counts: ExchangeCounts,
    /// What happened in the step.
    pub facts: &'a StepReport,
    /// The world itself.
    pub world: &'a World,
    /// Time of each phase of the step.
    pub phases: &'a BTreeMap<Phase, Duration>,
}

/// Whether to go on after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// Stop cleanly here.
    Stop,
}

/// One world's history.
pub struct WorldHistory {
    /// What was counted in its steps.
    pub course: Course,
    /// Time spent by phase.
    pub phases: BTreeMap<Phase, Duration>,
    /// What the world left behind.
    pub finished: Finished,
    /// Agents by where they stood in their lives when it ended.
    pub lives: BTreeMap<Lifecycle, u32>,
    /// The attack family of most flows of each published signature, as the labels say; none where most are benign.
    pub truths: BTreeMap<SignatureId, Option<FamilyId>>,
}

/// The histories of a run.
pub struct History {
    /// Its scenario, with every choice made; running it again gives the same ledger head.
    pub scenario: Scenario,
    /// Its seed.
    pub seed: u64,
    /// Its traffic.
    pub loaded: Loaded,
    /// Behaviours of each agent; honest ones have none.
    pub behaviours: Vec<Vec<Behaviour>>,
    /// Steps that were asked for.
    pub steps_planned: u32,
    /// Worlds that were run, with their histories.
    pub worlds: BTreeMap<Mode, WorldHistory>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Time of the whole run.
    pub wall: Duration,
}

/// What to do when an agent fails for another reason than the scenario's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It recovers or is retired, and the others go on.
    #[default]
    GoOn,
    /// The run ends with [`RunError::AgentFailed`].
    Stop,
}

/// A world that is under way.
struct Living {
    world: World,
    clock: Clock,
    course: Course,
    /// What was counted in the last step.
    last: StepTally,
    /// As in [`WorldHistory`].
    truths: BTreeMap<SignatureId, Option<FamilyId>>,
}

/// A run that is carried out step by step: the worlds of a scenario on the same traffic, the collaborative one first.
///
/// | it has | [`Run::step`] |
/// |---|---|
/// | steps to take in the present world | takes one |
/// | come to the end of a world | ends it, begins the next one and takes its first step |
/// | come to the end of the last world | ends it and returns `None` |
pub struct Run {
    scenario: Scenario,
    seed: u64,
    plan: Plan,
    loaded: Loaded,
    behaviours: Vec<Vec<Behaviour>>,
    on_failure: OnFailure,
    /// The storage of the ledger, until the collaborative world takes it.
    storage: Option<Box<dyn Storage>>,
    to_come: VecDeque<Mode>,
    living: Option<Living>,
    done: BTreeMap<Mode, WorldHistory>,
    /// Time it took before it was resumed.
    earlier: Duration,
    began: Instant,
}

impl Run {
    /// A run before its first step.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn new(
        scenario: &Scenario,
        loaded: Loaded,
        seed: u64,
        execution: Execution,
        storage: Box<dyn Storage>,
    ) -> Result<Self, RunError> {
        let began = Instant::now();
        let plan = plan(scenario, &loaded, seed, execution);
        plan.rules.check()?;
        let behaviours = behaviours(&plan, loaded.source.sites());
        let mut modes = scenario.worlds.clone();
        modes.sort_by_key(|mode| (*mode != Mode::Collaborative, *mode));
        Ok(Self {
            scenario: scenario.clone(),
            seed,
            plan,
            loaded,
            behaviours,
            on_failure: OnFailure::default(),
            storage: Some(storage),
            to_come: modes.into(),
            living: None,
            done: BTreeMap::new(),
            earlier: Duration::ZERO,
            began,
        })
    }

    /// Says what to do from now on when an agent fails.
    pub fn on_failure(&mut self, on_failure: OnFailure) {
        self.on_failure = on_failure;
    }

    /// Asks the step under way, from any thread, to stop unfinished.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.plan.stop.clone()
    }

    /// Name of the run's ledger, which follows from seed, scenario and traffic.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.plan.origin
    }

    /// Steps of each world.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.loaded.steps
    }

    /// Takes the next step; `None` when there is none left.
    ///
    /// # Errors
    /// A ledger that cannot be written, a step that was stopped, an agent that failed where that ends the run.
    pub fn step(&mut self) -> Result<Option<Progress<'_>>, RunError> {
        if self.living.as_ref().is_none_or(|living| living.world.next_step() >= self.loaded.steps) {
            self.end_world()?;
            let Some(mode) = self.to_come.pop_front() else { return Ok(None) };
            self.living = Some(self.begin(mode)?);
        }
        let steps = self.loaded.steps;
        let Some(living) = self.living.as_mut().filter(|living| living.world.next_step() < steps) else {
            return Ok(None);
        };
        let Living { world, clock, course, last, truths } = living;
        clock.last.clear();
        *last = world.step(clock)?;
        course.push(last.clone(), mean_trust(&world.trust(), &self.behaviours));
        let adoptions = world.report().opened.iter().filter(|opened| opened.motion == Motion::Adopt);
        truths.extend(adoptions.map(|opened| (opened.signature, opened.family)));
        if self.on_failure == OnFailure::Stop {
            check_failures(world)?;
        }
        let (mode, steps_done, counts, facts) = (world.mode(), world.next_step(), world.counts(), world.report());
        Ok(Some(Progress { mode, steps_done, steps, tally: last, counts, facts, world, phases: &clock.last }))
    }

    fn begin(&mut self, mode: Mode) -> Result<Living, RunError> {
        let storage = self.storage_of(mode);
        let world = World::new(mode, &self.plan, Arc::clone(&self.loaded.source), storage)?;
        let (clock, course, last) = (Clock::default(), Course::default(), StepTally::default());
        Ok(Living { world, clock, course, last, truths: BTreeMap::new() })
    }

    /// Ends the world under way, if there is one.
    fn end_world(&mut self) -> Result<(), RunError> {
        if let Some(Living { world, clock, course, truths, .. }) = self.living.take() {
            let (mode, lives) = (world.mode(), world.lives());
            let finished = world.finish()?;
            self.done.insert(mode, WorldHistory { course, phases: clock.spent, finished, lives, truths });
        }
        Ok(())
    }

    /// Ends the run here; worlds that have not begun are left out.
    ///
    /// # Errors
    /// A ledger that cannot be written.
    pub fn finish(mut self) -> Result<History, RunError> {
        let ended = |living: &Living| living.world.next_step() >= self.loaded.steps;
        let interrupted = !(self.to_come.is_empty() && self.living.as_ref().is_none_or(ended));
        self.end_world()?;
        let traffic = self.loaded.traffic.clone();
        Ok(History {
            scenario: Scenario { seed: Some(self.seed), traffic, ..self.scenario },
            seed: self.seed,
            steps_planned: self.loaded.steps,
            loaded: self.loaded,
            behaviours: self.behaviours,
            worlds: self.done,
            interrupted,
            wall: self.earlier + self.began.elapsed(),
        })
    }
}

/// Finds an agent whose code or training failed in the last step; failures that a scenario injects are meant to be.
fn check_failures(world: &World) -> Result<(), RunError> {
    for event in &world.report().events {
        let why = match event.cause {
            Cause::Training => "its detector could not be trained",
            Cause::Crash => "its code panicked",
            Cause::Progress | Cause::Injected | Cause::RetriesSpent | Cause::EndOfRun => continue,
        };
        if matches!(event.to, Lifecycle::Recovering | Lifecycle::Failed) {
            let agent = dais_protocol::AgentId(event.agent);
            return Err(RunError::AgentFailed { world: world.mode(), step: event.step, agent, why });
        }
    }
    Ok(())
}

/// Runs every world of the scenario, the collaborative one first, on `storage`.
///
/// # Errors
/// Traffic that cannot be loaded, parameters out of range, a ledger that cannot be written.
pub fn run(
    scenario: &Scenario,
    seed: u64,
    execution: Execution,
    storage: Box<dyn Storage>,
    each_step: &mut dyn FnMut(Progress<'_>) -> Next,
) -> Result<History, RunError> {
    let loaded = load(&scenario.traffic, seed)?;
    run_loaded(scenario, loaded, seed, execution, storage, each_step)
}

/// [`run`] on traffic that is loaded already.
///
/// # Errors
/// Parameters out of range, a ledger that cannot be written.
pub fn run_loaded(
    scenario: &Scenario,
    loaded: Loaded,
    seed: u64,
    execution: Execution,
    storage: Box<dyn Storage>,
    each_step: &mut dyn FnMut(Progress<'_>) -> Next,
) -> Result<History, RunError> {
    let mut run = Run::new(scenario, loaded, seed, execution, storage)?;
    while let Some(progress) = run.step()? {
        if each_step(progress) == Next::Stop {
            break;
        }
    }
    run.finish()
}

/// Mean trust of honest agents and of liars.
pub(crate) fn mean_trust(trust: &[f32], behaviours: &[Vec<Behaviour>]) -> MeanTrust {
    let mean = |liars: bool| {
        let group = trust.iter().zip(behaviours).filter(|(_, lies)| lies.is_empty() != liars);
        let (sum, count) = group.fold((0.0, 0_u32), |(sum, count), (trust, _)| (sum + f64::from(*trust), count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    (mean(false), mean(true))
}

/// Measures the time of phases.
#[derive(Default)]
struct Clock {
    began: Option<Instant>,
    /// The times of the whole world.
    spent: BTreeMap<Phase, Duration>,
    /// The times of the last step.
    last: BTreeMap<Phase, Duration>,
}

impl Watch for Clock {
    fn begin(&mut self, _: Phase) {
        self.began = Some(Instant::now());
    }

    fn end(&mut self, phase: Phase) {
        if let Some(began) = self.began.take() {
            let spent = began.elapsed();
            *self.spent.entry(phase).or_default() += spent;
            *self.last.entry(phase).or_default() += spent;
        }
    }
}

fn plan(scenario: &Scenario, loaded: &Loaded, seed: u64, execution: Execution) -> Plan {
    let mut traffic = loaded.traffic.clone();
    if let Traffic::Files(files) = &mut traffic {
        files.paths.clear();
        files.schema = None;
    }
    let rules = scenario.rules.clone().settled(loaded.source.step_s());
    let schema = loaded.source.schema();
    let agents = u32::try_from(loaded.source.sites()).expect("sites are numbered with 32 bits");
    let witnesses = appointed(Seed(seed), agents, &scenario.rules.exchange);
    let genesis = Genesis {
        format: GENESIS_FORMAT.to_owned(),
        seed: Seed(seed),
        agents,
        steps: loaded.steps,
        scenario: digest(&(&traffic, &scenario.rules)),
        schema: digest(schema),
        features: schema.numeric.len(),
        categories: schema.categorical.len(),
        files: loaded.files.clone(),
        rules: rules.clone(),
        witnesses: witnesses.iter().map(ToString::to_string).collect(),
    };
    let genesis = genesis.encode();
    let origin = Origin::new(format!("dais/run/{}", hex::encode(&Sha256::digest(&genesis)[..8])));
    let origin = origin.expect("hex digits and slashes name a log");
    Plan { seed: Seed(seed), rules, execution, origin, genesis, stop: Stop::default() }
}

/// SHA-256 of the JSON of a value, in hex.
pub(crate) fn digest(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).expect("plain data with string keys");
    hex::encode(Sha256::digest(&json))
}
