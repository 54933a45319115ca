//! A world: one history of all agents over the same traffic, stepped phase by phase.

pub(crate) mod error;
pub(crate) mod finished;
mod founding;
pub(crate) mod phase;
pub(crate) mod plan;
pub(crate) mod shard;
mod snapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dais_ledger::{Checkpoint, Entry, SignedHead, SplitView, Storage};
use dais_traffic::Source;

use crate::adversary::Behaviour;
use crate::agent::Common;
use crate::agent::lifecycle::Lifecycle;
use crate::agent::vote::Question;
use crate::exchange::coordinator::Coordinator;
use crate::exchange::counts::ExchangeCounts;
use crate::exchange::logbook::Logbook;
use crate::exchange::message::{Decisions, Said, Voted};
use crate::exchange::record;
use crate::exchange::report::StepReport;
use crate::params::error::ScenarioError;
use crate::params::mode::Mode;
use crate::params::rules::Rules;
use crate::truth::tally::{Curve, StepTally};
use crate::witness::cosigning::{Cosigning, Witnessed};
use crate::witness::message::{Answer, Shown, Testimony};
use crate::workers::Workers;

use error::WorldError;
use finished::Finished;
use founding::{found_exchange, shard_sizes};
use phase::{Phase, Watch};
use plan::{Plan, blocks_of};
use shard::{Shard, ShardError};

/// How often a head is shown to a witness at most: once more where it remembers another size than the coordinator does.
const SHOWN_MAX: usize = 2;

/// One history of all agents.
pub struct World {
    mode: Mode,
    source: Arc<dyn Source>,
    shards: Vec<Shard>,
    coordinator: Coordinator,
    cosigning: Option<Cosigning>,
    decisions: Decisions,
    next_step: u32,
    witness_steps: u32,
    split_views: Vec<SplitView>,
    workers: Workers,
    report: StepReport,
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
        let blocks = blocks_of(mode, plan, &shard_sizes(agents, plan.execution.threads));
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
        let workers = Workers::start(plan.execution.threads_for(source.sites()))?;
        let families = source.families().len();
        let found = |(first, block): (u32, Vec<Vec<Behaviour>>)| {
            begin(Shard::new(mode, Arc::clone(&common), first, block, families), &*source)
        };
        let mut shards: Vec<Shard> = workers.map(blocks, found);
        let (coordinator, cosigning) = found_exchange(mode, plan, &*source, &mut shards, storage)?;
        Ok(Self {
            mode,
            source,
            shards,
            coordinator,
            cosigning,
            decisions: Decisions::default(),
            next_step: 0,
            witness_steps: plan.rules.exchange.witness_steps,
            split_views: Vec::new(),
            workers,
            report: StepReport::default(),
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
        self.report = StepReport { active, events, learned, ..self.coordinator.take_report() };
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
        let mut shown = self.show()?;
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
            shown = self.hear_witnesses(answers)?;
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

    /// The present head for every witness.
    fn show(&mut self) -> Result<Vec<Shown>, WorldError> {
        match (self.coordinator.ledger(), &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => Ok(cosigning.show(ledger)?),
            _ => Ok(Vec::new()),
        }
    }

    /// Takes what witnesses answer; returns what is to be shown to some of them once more.
    fn hear_witnesses(&mut self, answers: Vec<Answer>) -> Result<Vec<Shown>, WorldError> {
        match (self.coordinator.ledger(), &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => Ok(cosigning.hear(ledger, answers)?),
            _ => Ok(Vec::new()),
        }
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
    pub fn report(&self) -> &StepReport {
        &self.report
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
        let ledger = self.coordinator.finish()?;
        let witnessed = self.cosigning.map(Cosigning::finish).unwrap_or_default();
        let witnessed = Witnessed { split_views: self.split_views, ..witnessed };
        Ok(Finished { curve, first_sights, contacts, counts, trust, ledger, witnessed })
    }
}
