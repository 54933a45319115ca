//! A world: one history of all agents over the same traffic, stepped phase by phase.

mod snapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dais_ledger::{Checkpoint, Entry, HeadKey, Kind, LedgerError, SignedHead, SplitView, Storage};
use dais_protocol::{AgentId, VerifyingKey};
use dais_traffic::Source;
use serde::{Deserialize, Serialize};

use crate::adversary::Behaviour;
use crate::agent::{Common, Question};
use crate::assembly::Bylaws;
use crate::coordinator::{Coordinator, Founding, RunLedger};
use crate::cosigning::{Cosigning, Witnessed};
use crate::exchange::ExchangeCounts;
use crate::facts::StepFacts;
use crate::lifecycle::Lifecycle;
use crate::logbook::Logbook;
use crate::message::{Decisions, Said, Testimony, Voted};
use crate::record;
use crate::scenario::{Plan, Rules, ScenarioError};
use crate::seed::Purpose;
use crate::shard::{Shard, ShardError};
use crate::tally::{Contact, Curve, FirstSight, StepTally};
use crate::two_faced::SecondFace;
use crate::witness;
use crate::workers::Workers;

/// Whether and how agents share what they find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each agent keeps its own signatures; nothing is shared.
    Isolated,
    /// Signatures are shared and voted on over the ledger.
    Collaborative,
    /// Signatures are shared, and the truth decides on them in place of the votes.
    Oracle,
}

impl Mode {
    /// All worlds, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Isolated, Self::Collaborative, Self::Oracle];

    /// Name as shown to people and used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Collaborative => "collaborative",
            Self::Oracle => "oracle",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The phases of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Learning what was decided, observing, detecting, describing.
    Observe,
    /// Opening ballots.
    Publish,
    /// Measuring and voting.
    Vote,
    /// Checking seals, closing ballots, recording in the ledger.
    Resolve,
}

impl Phase {
    /// Name as shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Publish => "publish",
            Self::Vote => "vote",
            Self::Resolve => "resolve",
        }
    }
}

/// Told when a phase begins and ends; the place for clocks, which a world does not have.
pub trait Watch {
    /// A phase begins.
    fn begin(&mut self, phase: Phase);
    /// The phase that began last has ended.
    fn end(&mut self, phase: Phase);
}

impl Watch for () {
    fn begin(&mut self, _: Phase) {}
    fn end(&mut self, _: Phase) {}
}

/// Why a world cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A parameter that cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The ledger refused entries.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A shard was asked out of turn.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// The ledger holds something else than this history.
    #[error(
        "entry {index} of the ledger is not what this run records there: the ledger is of another run, or the traffic, \
         the scenario or the program is another than when it began"
    )]
    OtherHistory {
        /// Index of the first entry that differs.
        index: u64,
    },
    /// The ledger lacks entries that were recorded before the snapshot was taken.
    #[error("the ledger has {held} entries, and had {needed} when the snapshot was taken")]
    LedgerBehind {
        /// Entries it has.
        held: u64,
        /// Entries it must have.
        needed: u64,
    },
    /// The bytes of a snapshot do not decode, or are of another world.
    #[error("snapshot of a world cannot be used: {0}")]
    Snapshot(String),
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {cause}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        cause: String,
    },
}

/// Shards for each thread: several, so that threads finish together; few, since each holds a copy of what was accepted.
const SHARDS_PER_THREAD: usize = 8;

/// How often a head is shown to a witness at most: once more where it remembers another size than the coordinator does.
const SHOWN_MAX: usize = 2;

/// Shards are multiples of this many agents.
const SHARD_AGENTS: usize = 4;

/// One history of all agents.
pub struct World {
    mode: Mode,
    source: Arc<dyn Source>,
    shards: Vec<Shard>,
    coordinator: Coordinator,
    decisions: Decisions,
    next_step: u32,
    witness_steps: u32,
    split_views: Vec<SplitView>,
    workers: Workers,
    facts: StepFacts,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("mode", &self.mode).field("next_step", &self.next_step).finish_non_exhaustive()
    }
}

impl World {
    /// A world at its beginning: agents configured and started from their baselines, the ledger begun on `storage`. Where
    /// the storage holds entries of this history already, they are compared and not recorded twice.
    ///
    /// # Errors
    /// Parameters out of range, traffic without sites, a storage that cannot be written or holds another history.
    pub fn new(
        mode: Mode,
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
    ) -> Result<Self, WorldError> {
        plan.rules.check()?;
        let agents = source.sites();
        if agents == 0 {
            return Err(ScenarioError::Sites { sites: agents }.into());
        }
        let size = agents.div_ceil(plan.execution.threads.max(1) * SHARDS_PER_THREAD).next_multiple_of(SHARD_AGENTS);
        let sizes: Vec<usize> = (0..agents).step_by(size).map(|first| size.min(agents - first)).collect();
        let blocks = blocks_of(mode, plan, &sizes);
        Self::found(mode, plan, source, storage, blocks, |shard, source| shard.begin(source))
    }

    /// A world with these shards, made ready by `begin`.
    fn found(
        mode: Mode,
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        blocks: Vec<(u32, Vec<Vec<Behaviour>>)>,
        begin: impl Fn(Shard, &dyn Source) -> Shard + Sync + Send,
    ) -> Result<Self, WorldError> {
        let schema = source.schema();
        let Rules { agent, failure_rate, policy, .. } = &plan.rules;
        let common = Common::new(plan.seed, agent.clone(), schema, *failure_rate, policy.refinements_max);
        let common = Arc::new(Common { stop: plan.stop.clone(), ..common });
        let workers = Workers::start(plan, source.sites())?;
        let families = source.families().len();
        let found = |(first, block): (u32, Vec<Vec<Behaviour>>)| {
            begin(Shard::new(mode, Arc::clone(&common), first, block, families), &*source)
        };
        let mut shards: Vec<Shard> = workers.map(blocks, found);
        let coordinator = found_coordinator(mode, plan, &*source, &mut shards, storage)?;
        Ok(Self {
            mode,
            source,
            shards,
            coordinator,
            decisions: Decisions::default(),
            next_step: 0,
            witness_steps: plan.rules.exchange.witness_steps,
            split_views: Vec::new(),
            workers,
            facts: StepFacts::default(),
        })
    }

    /// Carries out the next step.
    ///
    /// # Errors
    /// The ledger refused entries.
    pub fn step(&mut self, watch: &mut dyn Watch) -> Result<StepTally, WorldError> {
        let t = self.next_step;
        watch.begin(Phase::Observe);
        let decisions = std::mem::take(&mut self.decisions);
        let learned = decisions.adopted.iter().map(|adoption| adoption.signature.id()).collect();
        let source = Arc::clone(&self.source);
        let mut said: Vec<Said> = self.each_shard(|shard| shard.step(t, &decisions, &*source))?;
        let mut tally = StepTally::default();
        for shard in &mut said {
            tally.add(&std::mem::take(&mut shard.tally));
        }
        watch.end(Phase::Observe);
        let events = said.iter().flat_map(|shard| &shard.events).copied().collect();
        let active = said.iter().map(|shard| shard.active.len() as u32).sum();
        if self.mode == Mode::Isolated {
            let _: Vec<Voted> = self.each_shard(|shard| shard.validate(t, &Question::default()))?;
        } else {
            watch.begin(Phase::Publish);
            let question = self.coordinator.open(t, said);
            watch.end(Phase::Publish);
            watch.begin(Phase::Vote);
            let voted: Vec<Voted> = self.each_shard(|shard| shard.validate(t, &question))?;
            watch.end(Phase::Vote);
            watch.begin(Phase::Resolve);
            self.decisions = self.coordinator.close(t, voted, &self.workers)?;
            watch.end(Phase::Resolve);
        }
        self.facts = StepFacts { active, events, learned, ..self.coordinator.take_facts() };
        self.next_step += 1;
        if self.next_step.is_multiple_of(self.witness_steps) {
            watch.begin(Phase::Resolve);
            self.witness()?;
            watch.end(Phase::Resolve);
        }
        Ok(tally)
    }

    /// Has the present head cosigned. What witnesses were shown goes from shard to shard, not through the coordinator:
    /// it is the one they watch.
    fn witness(&mut self) -> Result<(), WorldError> {
        let (t, time_s) = (self.next_step, self.simulated_s());
        let mut seen: Vec<Checkpoint> = Vec::new();
        let mut shown = self.coordinator.show()?;
        for _ in 0..SHOWN_MAX {
            if shown.is_empty() {
                break;
            }
            let testimonies: Vec<Testimony> = self.each_shard(|shard| shard.testify(t, &shown, time_s))?;
            let mut answers = Vec::new();
            for testimony in testimonies {
                answers.extend(testimony.answers);
                seen.extend(testimony.seen);
            }
            shown = self.coordinator.hear_witnesses(answers)?;
        }
        if seen.is_empty() {
            return Ok(());
        }
        for proof in self.each_shard(|shard| shard.compare(t, &seen))?.into_iter().flatten() {
            if !self.split_views.contains(&proof) {
                self.split_views.push(proof);
            }
        }
        Ok(())
    }

    /// Simulated time: seconds since the beginning of the run, a step counting one where the traffic does not say.
    fn simulated_s(&self) -> u64 {
        (f64::from(self.next_step) * self.source.step_s().unwrap_or(1.0)).round() as u64
    }

    /// Calls every shard, on the worker threads if there are any; results in shard order.
    fn each_shard<T: Send>(
        &mut self,
        call: impl Fn(&mut Shard) -> Result<T, ShardError> + Sync + Send,
    ) -> Result<Vec<T>, ShardError> {
        self.workers.map(self.shards.iter_mut().collect(), call).into_iter().collect()
    }

    /// Which world this is.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The step that comes next; so many have been carried out.
    #[must_use]
    pub fn next_step(&self) -> u32 {
        self.next_step
    }

    /// What happened on the exchange so far.
    #[must_use]
    pub fn counts(&self) -> ExchangeCounts {
        self.coordinator.counts()
    }

    /// Trust of each agent, in [0, 1].
    #[must_use]
    pub fn trust(&self) -> Vec<f32> {
        self.coordinator.trust()
    }

    /// The head of the ledger, where this world has one.
    #[must_use]
    pub fn head(&self) -> Option<&SignedHead> {
        self.coordinator.ledger().map(Logbook::head)
    }

    /// What happened in the last step.
    #[must_use]
    pub fn facts(&self) -> &StepFacts {
        &self.facts
    }

    /// Agents by the state of their lives.
    #[must_use]
    pub fn lives(&self) -> BTreeMap<Lifecycle, u32> {
        let mut lives = BTreeMap::new();
        for state in self.shards.iter().flat_map(Shard::lives) {
            *lives.entry(state).or_default() += 1;
        }
        lives
    }

    /// Ends the run: agents stop, the ledger gets its last entries, and the evaluation is handed out.
    ///
    /// # Errors
    /// The ledger refused entries.
    pub fn finish(mut self) -> Result<Finished, WorldError> {
        let t = self.next_step;
        let events: Vec<_> = self.shards.iter_mut().flat_map(|shard| shard.stop(t)).collect();
        let entries: Vec<Entry> = events.chunk_by(|a, b| a.agent == b.agent).filter_map(record::lifecycle).collect();
        self.coordinator.record(&entries)?;
        self.witness()?;
        let mut curve = Curve::default();
        let mut first_sights = Vec::new();
        let mut contacts = Vec::new();
        for evaluation in self.shards.iter().map(Shard::evaluation) {
            curve.add(&evaluation.curve);
            first_sights.extend_from_slice(&evaluation.first_sights);
            let seen = evaluation.contacts.iter().flatten();
            contacts.extend(seen.map(|(source, contact)| (*source, *contact)));
        }
        let (counts, trust) = (self.counts(), self.trust());
        let (ledger, witnessed) = self.coordinator.finish()?;
        let witnessed = Witnessed { split_views: self.split_views, ..witnessed };
        Ok(Finished { curve, first_sights, contacts, counts, trust, ledger, witnessed })
    }
}

/// What a world leaves behind.
pub struct Finished {
    /// Detection at other alert levels.
    pub curve: Curve,
    /// First meeting and first detection by agent and family.
    pub first_sights: Vec<Vec<FirstSight>>,
    /// First flows of attacking sources at sites.
    pub contacts: Vec<(std::net::IpAddr, Contact)>,
    /// What happened on the exchange.
    pub counts: ExchangeCounts,
    /// Trust of each agent at the end.
    pub trust: Vec<f32>,
    /// The ledger, where this world has one.
    pub ledger: Option<RunLedger>,
    /// What the agents that watch the ledger made of it.
    pub witnessed: Witnessed,
}

/// Agents that lie, drawn by the seed; the others have no behaviours.
#[must_use]
pub fn behaviours(plan: &Plan, agents: usize) -> Vec<Vec<Behaviour>> {
    let mut order: Vec<usize> = (0..agents).collect();
    let mut random = plan.seed.stream(Purpose::AdversaryDraw, 0, 0);
    for place in (1..agents).rev() {
        order.swap(place, random.bounded(place as u32 + 1) as usize);
    }
    let mut behaviours = vec![Vec::new(); agents];
    let mut drawn = order.into_iter();
    for group in &plan.rules.adversaries {
        let count = (group.share * agents as f64).round() as usize;
        for agent in drawn.by_ref().take(count) {
            behaviours[agent].clone_from(&group.behaviours);
        }
    }
    behaviours
}

/// The behaviours of the agents of each shard, with the number of its first agent.
fn blocks_of(mode: Mode, plan: &Plan, sizes: &[usize]) -> Vec<(u32, Vec<Vec<Behaviour>>)> {
    let agents = sizes.iter().sum();
    // Alone there is nobody to lie to.
    let behaviours = if mode == Mode::Isolated { vec![Vec::new(); agents] } else { behaviours(plan, agents) };
    let mut first = 0;
    let cut = sizes.iter().map(|size| {
        let block = behaviours[first..first + size].to_vec();
        let numbered = (first as u32, block);
        first += size;
        numbered
    });
    cut.collect()
}

fn found_coordinator(
    mode: Mode,
    plan: &Plan,
    source: &dyn Source,
    shards: &mut [Shard],
    storage: Box<dyn Storage>,
) -> Result<Coordinator, WorldError> {
    let members: Vec<_> = shards.iter().flat_map(Shard::verifying_keys).collect();
    let (ledger, cosigning) = match mode {
        Mode::Isolated | Mode::Oracle => (None, None),
        Mode::Collaborative => {
            let key = HeadKey::from_seed(plan.seed.key(Purpose::CoordinatorKey, 0));
            let genesis =
                Entry { kind: Kind::Genesis, step: 0, author: dais_ledger::COORDINATOR, body: plan.genesis.clone() };
            let members = members.iter().map(|(agent, key)| record::member(*agent, key));
            let founding: Vec<Entry> = std::iter::once(genesis).chain(members).collect();
            let mut cosigning = found_cosigning(plan, &key, founding.len() as u32 - 1, shards)?;
            let mut ledger = Logbook::begin(storage, plan.origin.clone(), key)?;
            ledger.write(&founding)?;
            cosigning.record(&founding)?;
            (Some(ledger), Some(cosigning))
        }
    };
    let keys: Vec<VerifyingKey> = members.into_iter().map(|(_, key)| key).collect();
    let schema = source.schema();
    let bylaws = Bylaws::of(&plan.rules, mode, (schema.numeric.len(), schema.categorical.len()));
    let committee_seed = plan.seed.key(Purpose::CoordinatorKey, 1);
    Ok(Coordinator::new(Founding { bylaws, committee_seed, keys, ledger, cosigning }))
}

/// Appoints the witnesses among the agents, and makes them known to the coordinator.
fn found_cosigning(plan: &Plan, key: &HeadKey, agents: u32, shards: &mut [Shard]) -> Result<Cosigning, WorldError> {
    let params = &plan.rules.exchange;
    let drawn: Vec<AgentId> = witness::draw(plan.seed, agents, params);
    let log = key.verifier();
    for shard in shards.iter_mut() {
        shard.appoint(&drawn, &plan.origin, log);
    }
    let second_face = params.two_faced_from.map(|step| SecondFace::new(step, plan.origin.clone(), key.clone()));
    let verifiers = drawn.iter().map(|&agent| (agent, witness::witness(plan.seed, agent).verifier()));
    Ok(Cosigning::new(log, verifiers, second_face.transpose()?))
}
