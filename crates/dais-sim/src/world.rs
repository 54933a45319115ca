//! A world: one history of all agents over the same traffic, stepped phase by phase.

pub(crate) mod call;
pub(crate) mod error;
pub(crate) mod finished;
mod founding;
pub(crate) mod local_shards;
pub(crate) mod phase;
pub(crate) mod plan;
mod question_wire;
mod setting;
mod shard;
pub(crate) mod shard_error;
pub(crate) mod shard_host;
pub(crate) mod shards;
mod snapshot;
mod watching;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dais_ledger::{Entry, SignedHead, SplitView, Storage};
use dais_protocol::{SignatureId, VerifyingKey};
use dais_traffic::Source;

use crate::adversary::network::Network;
use crate::agent::lifecycle::{Lifecycle, LifecycleEvent};
use crate::agent::vote::Question;
use crate::exchange::coordinator::Coordinator;
use crate::exchange::counts::ExchangeCounts;
use crate::exchange::logbook::Logbook;
use crate::exchange::message::{Counted, Decisions, Said, Voted};
use crate::exchange::record;
use crate::exchange::report::StepReport;
use crate::invariant::{Broken, Invariants, View};
use crate::params::agent::AgentParams;
use crate::params::error::ScenarioError;
use crate::params::mode::Mode;
use crate::truth::tally::{Curve, Evaluation, SignatureTruth, StepTally};
use crate::witness::cosigning::{Cosigning, Witnessed};
use crate::workers::Workers;

use call::{Call, Reply, Request, Response};
use error::WorldError;
use finished::Finished;
use founding::found_exchange;
use local_shards::LocalShards;
use phase::{Phase, Watch};
use plan::{Plan, behaviours};
use shard_error::ShardError;
use shards::Shards;

/// One history of all agents.
pub struct World {
    mode: Mode,
    source: Arc<dyn Source>,
    shards: Box<dyn Shards>,
    /// The states of all agents' lives, by number.
    lives: Vec<Lifecycle>,
    coordinator: Coordinator,
    /// What lies between agents and coordinator.
    network: Network,
    cosigning: Option<Cosigning>,
    /// What agents are to learn at the start of the next step, and the truth about what was accepted.
    decisions: Arc<Decisions>,
    truths: Arc<Vec<(SignatureId, SignatureTruth)>>,
    next_step: u32,
    agent_params: AgentParams,
    witness_steps: u32,
    split_views: Vec<SplitView>,
    workers: Workers,
    report: StepReport,
}

/// Takes the answer of one kind out of a response.
macro_rules! answer {
    (Done) => {
        |response| matches!(response, Response::Done).then_some(())
    };
    ($kind:ident) => {
        |response| if let Response::$kind(answer) = response { Some(answer) } else { None }
    };
}
use answer;

/// Asks every shard the same; the answers are in their order.
fn ask<T>(shards: &dyn Shards, request: &Request, take: fn(Response) -> Option<T>) -> Result<Vec<T>, ShardError> {
    ask_each(shards, vec![Call(request.clone()); shards.sizes().len()], take)
}

/// Asks every shard its own; the answers are in their order.
fn ask_each<T>(shards: &dyn Shards, calls: Vec<Call>, take: fn(Response) -> Option<T>) -> Result<Vec<T>, ShardError> {
    let asked = calls.len();
    let replies = shards.call(calls);
    if replies.len() != asked {
        return Err(ShardError::Message(format!("{} replies came to {asked} calls", replies.len())));
    }
    let other = || ShardError::Message("the reply is to another call".to_owned());
    replies.into_iter().map(|reply| reply.and_then(|Reply(response)| take(response).ok_or_else(other))).collect()
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
        let workers = Workers::start(plan.execution.threads_for(agents))?;
        let shards = LocalShards::new(mode, plan, &source, workers.clone());
        Self::begun(mode, plan, source, storage, Box::new(shards), workers)
    }

    /// A world at its beginning whose shards are somewhere else: together they have one agent for each site, in order, of
    /// the same plan and traffic.
    ///
    /// # Errors
    /// As [`World::new`]; shards that do not answer, or have other agents than the traffic has sites.
    pub fn with_shards(
        mode: Mode,
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        shards: Box<dyn Shards>,
    ) -> Result<Self, WorldError> {
        plan.rules.check()?;
        let (agents, held) = (source.sites(), shards.sizes().iter().sum::<usize>());
        if agents == 0 || held != agents {
            let found = format!("they have {held} agents, the traffic has {agents} sites");
            return Err(ShardError::Message(found).into());
        }
        let workers = Workers::start(plan.execution.threads_for(agents))?;
        Self::begun(mode, plan, source, storage, shards, workers)
    }

    /// A world whose agents have started from their baselines.
    fn begun(
        mode: Mode,
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        shards: Box<dyn Shards>,
        workers: Workers,
    ) -> Result<Self, WorldError> {
        let _: Vec<()> = ask(&*shards, &Request::Begin, answer!(Done))?;
        Self::found(mode, plan, source, storage, shards, workers)
    }

    /// A world of these shards, with the ledger begun.
    fn found(
        mode: Mode,
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        shards: Box<dyn Shards>,
        workers: Workers,
    ) -> Result<Self, WorldError> {
        let keys = ask(&*shards, &Request::Keys, answer!(Keys))?.into_iter().flatten();
        let keys: Result<Vec<VerifyingKey>, _> = keys.map(VerifyingKey::from_bytes).collect();
        let keys = keys.map_err(|error| ShardError::Message(error.to_string()))?;
        let lives = ask(&*shards, &Request::Lives, answer!(Lives))?.concat();
        let agents = source.sites();
        let (coordinator, cosigning) = found_exchange(mode, plan, &*source, keys, storage)?;
        Ok(Self {
            mode,
            source,
            shards,
            lives,
            coordinator,
            network: Network::new(&behaviours(plan, agents)),
            cosigning,
            decisions: Arc::default(),
            truths: Arc::default(),
            next_step: 0,
            agent_params: plan.rules.agent.clone(),
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
        let said: Vec<Said> = self.ask(&Request::Step { t, decisions }, answer!(Said))?;
        let truths = std::mem::take(&mut self.truths);
        let counted: Vec<Counted> = self.ask(&Request::Count { t, truths }, answer!(Counted))?;
        watch.end(Phase::Observe);
        let events: Vec<LifecycleEvent> = said.iter().flat_map(|shard| &shard.events).copied().collect();
        self.follow_lives(&events);
        let active = said.iter().map(|shard| shard.active.len() as u32).sum();
        self.share(t, said, &counted, watch)?;
        self.report = StepReport { active, events, learned, ..self.coordinator.take_report() };
        self.next_step += 1;
        if self.next_step.is_multiple_of(self.witness_steps) {
            watch.begin(Phase::Resolve);
            self.watch_ledger()?;
            watch.end(Phase::Resolve);
        }
        let mut tally = StepTally::default();
        for shard in &counted {
            tally.add(&shard.tally);
        }
        Ok(tally)
    }

    /// Publishes, votes and resolves in step `t`. In isolation nobody votes on anything.
    fn share(
        &mut self,
        t: u32,
        mut said: Vec<Said>,
        counted: &[Counted],
        watch: &mut dyn Watch,
    ) -> Result<(), WorldError> {
        if self.mode == Mode::Isolated {
            let question = Arc::new(Question::default());
            let _: Vec<Voted> = self.ask(&Request::Validate { t, question }, answer!(Voted))?;
            return Ok(());
        }
        watch.begin(Phase::Publish);
        let truths = counted.iter().flat_map(|shard| &shard.truths).copied().collect();
        self.network.carry_words(&mut said);
        let question = Arc::new(self.coordinator.open(t, said, &truths, &self.workers));
        watch.end(Phase::Publish);
        watch.begin(Phase::Vote);
        let voted: Vec<Voted> = self.ask(&Request::Validate { t, question }, answer!(Voted))?;
        watch.end(Phase::Vote);
        watch.begin(Phase::Resolve);
        let ballots = voted.into_iter().flat_map(|shard| shard.ballots).collect();
        let ballots = self.network.carry_votes(t, ballots);
        self.decisions = Arc::new(self.coordinator.close(t, ballots, &self.workers)?);
        self.truths = Arc::new(self.coordinator.take_truths());
        watch.end(Phase::Resolve);
        Ok(())
    }

    /// Asks every shard the same; the answers are in their order.
    fn ask<T>(&self, request: &Request, take: fn(Response) -> Option<T>) -> Result<Vec<T>, ShardError> {
        ask(&*self.shards, request, take)
    }

    fn follow_lives(&mut self, events: &[LifecycleEvent]) {
        for event in events {
            if let Some(state) = self.lives.get_mut(event.agent as usize) {
                *state = event.to;
            }
        }
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

    /// Checks what must hold after every step. `memory` begins with the run and goes along with it.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check(&self, memory: &mut Invariants) -> Result<(), Broken> {
        let (assembly, ledger) = (self.coordinator.assembly(), self.coordinator.ledger());
        let view = View {
            ballots: assembly.open_ballots().collect(),
            decided: self.report.decided.iter().map(|decided| &decided.decision).collect(),
            trust: assembly.weights(),
            in_force: assembly.ids_in_force().collect(),
            bounds: assembly.bounds(),
            decisions: &self.decisions,
            head: ledger.map(|ledger| ledger.head().head),
            params: &self.agent_params,
        };
        let prove = |size| ledger.and_then(|ledger| ledger.prove_consistency(size).ok());
        memory.check(self.next_step.saturating_sub(1), &view, &prove)
    }

    /// Agents by the state of their lives.
    #[must_use]
    pub fn lives(&self) -> BTreeMap<Lifecycle, u32> {
        let mut lives = BTreeMap::new();
        for &state in &self.lives {
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
        let events: Vec<LifecycleEvent> = self.ask(&Request::Stop { t }, answer!(Stopped))?.concat();
        let entries: Vec<Entry> = events.chunk_by(|a, b| a.agent == b.agent).filter_map(record::lifecycle).collect();
        self.coordinator.record(&entries)?;
        self.watch_ledger()?;
        let mut curve = Curve::default();
        let mut first_sights = Vec::new();
        let mut contacts = Vec::new();
        let evaluations: Vec<Evaluation> = self.ask(&Request::Evaluate, answer!(Evaluation))?;
        for evaluation in evaluations {
            curve.add(&evaluation.curve);
            first_sights.extend(evaluation.first_sights);
            contacts.extend(evaluation.contacts.into_iter().flatten());
        }
        let (counts, trust) = (self.counts(), self.trust());
        let ledger = self.coordinator.finish()?;
        let witnessed = self.cosigning.map(Cosigning::finish).unwrap_or_default();
        let witnessed = Witnessed { split_views: self.split_views, ..witnessed };
        Ok(Finished { curve, first_sights, contacts, counts, trust, ledger, witnessed })
    }
}
