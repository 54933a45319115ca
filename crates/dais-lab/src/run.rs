//! Running the worlds of a scenario on the same traffic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dais_ledger::{MemoryStorage, Origin, Storage};
use dais_sim::{
    Behaviour, ExchangeCounts, Execution, Finished, GENESIS_FORMAT, Genesis, Mode, Phase, Plan, ScenarioError, Seed,
    StepTally, Watch, World, WorldError, appointed, behaviours,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::load::{LoadError, Loaded, load};
use crate::scenario::{Scenario, Traffic};

/// A run that cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The traffic cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A world cannot go on.
    #[error(transparent)]
    World(#[from] WorldError),
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
    /// What happened in the step.
    pub tally: &'a StepTally,
    /// What happened on the exchange so far.
    pub counts: ExchangeCounts,
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
    /// Counts by step.
    pub steps: Vec<StepTally>,
    /// Mean trust of honest agents and of liars by step.
    pub trust: Vec<(Option<f64>, Option<f64>)>,
    /// Time spent by phase.
    pub phases: BTreeMap<Phase, Duration>,
    /// What the world left behind.
    pub finished: Finished,
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
    let began = Instant::now();
    let plan = plan(scenario, &loaded, seed, execution);
    plan.rules.check()?;
    let behaviours = behaviours(&plan, loaded.source.sites());
    let mut modes = scenario.worlds.clone();
    modes.sort_by_key(|mode| (*mode != Mode::Collaborative, *mode));
    let mut worlds = BTreeMap::new();
    let mut interrupted = false;
    let mut storage = Some(storage);
    for mode in modes {
        if interrupted {
            break;
        }
        let storage = if mode == Mode::Collaborative { storage.take() } else { None };
        let storage = storage.unwrap_or_else(|| Box::new(MemoryStorage::new()));
        let world = World::new(mode, &plan, Arc::clone(&loaded.source), storage)?;
        let (history, next) = live(world, loaded.steps, &behaviours, each_step)?;
        interrupted = next == Next::Stop;
        worlds.insert(mode, history);
    }
    let scenario = Scenario { seed: Some(seed), traffic: loaded.traffic.clone(), ..scenario.clone() };
    let steps_planned = loaded.steps;
    Ok(History { scenario, seed, loaded, behaviours, steps_planned, worlds, interrupted, wall: began.elapsed() })
}

/// Steps one world to its end, or to where it is stopped.
fn live(
    mut world: World,
    steps: u32,
    behaviours: &[Vec<Behaviour>],
    each_step: &mut dyn FnMut(Progress<'_>) -> Next,
) -> Result<(WorldHistory, Next), RunError> {
    let mut clock = Clock::default();
    let mut tallies = Vec::with_capacity(steps as usize);
    let mut trust = Vec::with_capacity(steps as usize);
    let mut next = Next::Continue;
    while world.next_step() < steps && next == Next::Continue {
        let tally = world.step(&mut clock)?;
        trust.push(mean_trust(&world.trust(), behaviours));
        let (mode, steps_done, counts) = (world.mode(), world.next_step(), world.counts());
        next = each_step(Progress { mode, steps_done, steps, tally: &tally, counts });
        tallies.push(tally);
    }
    let next = if world.next_step() < steps { next } else { Next::Continue };
    let finished = world.finish()?;
    Ok((WorldHistory { steps: tallies, trust, phases: clock.spent, finished }, next))
}

/// Mean trust of honest agents and of liars.
pub(crate) fn mean_trust(trust: &[f32], behaviours: &[Vec<Behaviour>]) -> (Option<f64>, Option<f64>) {
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
    spent: BTreeMap<Phase, Duration>,
}

impl Watch for Clock {
    fn begin(&mut self, _: Phase) {
        self.began = Some(Instant::now());
    }

    fn end(&mut self, phase: Phase) {
        if let Some(began) = self.began.take() {
            *self.spent.entry(phase).or_default() += began.elapsed();
        }
    }
}

fn plan(scenario: &Scenario, loaded: &Loaded, seed: u64, execution: Execution) -> Plan {
    let mut traffic = loaded.traffic.clone();
    if let Traffic::Files(files) = &mut traffic {
        files.paths.clear();
        files.schema = None;
    }
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
        rules: scenario.rules.clone(),
        witnesses: witnesses.iter().map(ToString::to_string).collect(),
    };
    let genesis = genesis.encode();
    let origin = Origin::new(format!("dais/run/{}", hex::encode(&Sha256::digest(&genesis)[..8])));
    let origin = origin.expect("hex digits and slashes name a log");
    Plan { seed: Seed(seed), rules: scenario.rules.clone(), execution, origin, genesis }
}

/// SHA-256 of the JSON of a value, in hex.
pub(crate) fn digest(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).expect("plain data with string keys");
    hex::encode(Sha256::digest(&json))
}
