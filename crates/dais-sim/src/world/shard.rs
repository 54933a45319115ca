//! A contiguous block of agents with their state.
//!
//! A shard answers these calls, each checked against the step and phase it expects: `step(t, decisions) -> said`,
//! `validate(t, question) -> voted`, between steps `testify(t, heads) -> testimony` and `compare(t, checkpoints) -> proofs`
//! of the witnesses among its agents, and `snapshot() -> bytes` and `restore(bytes)`.
//! What it computes depends on nothing but its agents and the arguments, so shards may be cut anywhere and run anywhere.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use dais_ledger::{Checkpoint, HeadVerifier, Origin, SplitView};
use dais_protocol::{AgentId, SealKey, Sighting, Signature, SignatureId, Statement, seal};
use dais_traffic::{Context, FamilyId, Label, Observation, Source};
use serde::{Deserialize, Serialize};

use crate::adversary::Behaviour;
use crate::agent::adopted::Adopted;
use crate::agent::blocklist::Blocklist;
use crate::agent::lifecycle::{Cause, Lifecycle};
use crate::agent::model::Workspace;
use crate::agent::observe::Observed;
use crate::agent::vote::Question;
use crate::agent::{Agent, Common, StepFailed};
use crate::exchange::message::{Decisions, Proposal, Said, Voted};
use crate::exchange::record;
use crate::params::mode::Mode;
use crate::seed::Purpose;
use crate::truth::tally::{Contact, Evaluation, Fate, SignatureTruth, StepTally};
use crate::witness::agent_witness::{AgentWitness, Memory};
use crate::witness::message::{Shown, Testimony};

/// What a shard expects to be asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    /// `step` with this number.
    Step(u32),
    /// `validate` with this number.
    Validate(u32),
}

/// A call out of turn, or a snapshot that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The coordinator asked for something else than the shard expects.
    #[error("shard expects {expected:?}, was asked for {asked:?}")]
    OutOfTurn {
        /// What the shard expects.
        expected: Turn,
        /// What it was asked for.
        asked: Turn,
    },
    /// It was asked to stop in the middle of a step.
    #[error("stopped in the middle of a step")]
    Stopped,
    /// The bytes of a snapshot do not decode.
    #[error("snapshot of a shard cannot be read: {0}")]
    Snapshot(String),
}

/// The state of a shard that a snapshot holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    turn: Turn,
    agents: Vec<Agent>,
    contexts: Vec<Context>,
    adopted: Vec<Adopted>,
    blocks: Blocklist,
    /// Families of the adopted signatures, in their order; of each agent's own signatures where there is no sharing.
    truths: Vec<SignatureTruth>,
    own_truths: Vec<Vec<SignatureTruth>>,
    evaluation: Evaluation,
    /// Agents whose code failed while they voted; it is their failure of the next step.
    crashed: BTreeSet<AgentId>,
}

/// A contiguous block of agents.
#[derive(Debug)]
pub(crate) struct Shard {
    mode: Mode,
    common: Arc<Common>,
    first: u32,
    keys: Vec<SealKey>,
    state: State,
    /// Sightings of the current step, to be sealed with the votes.
    sightings: Vec<Sighting>,
    witnesses: Vec<AgentWitness>,
    workspace: Workspace,
}

impl Shard {
    /// Agents `first..first + behaviours.len()`, which have seen nothing yet.
    pub(crate) fn new(
        mode: Mode,
        common: Arc<Common>,
        first: u32,
        behaviours: Vec<Vec<Behaviour>>,
        families: usize,
    ) -> Self {
        let count = behaviours.len();
        let ids = first..first + count as u32;
        let agents = ids.clone().zip(behaviours);
        let agents: Vec<Agent> = agents.map(|(id, behaviours)| Agent::new(AgentId(id), behaviours, &common)).collect();
        let keys = ids.map(|id| SealKey::from_seed(common.seed.key(Purpose::AgentKey, id))).collect();
        let state = State {
            turn: Turn::Step(0),
            agents,
            contexts: vec![Context::default(); count],
            adopted: Vec::new(),
            blocks: Blocklist::default(),
            truths: Vec::new(),
            own_truths: vec![Vec::new(); count],
            evaluation: Evaluation::new(count, families),
            crashed: BTreeSet::new(),
        };
        let (sightings, witnesses, workspace) = (Vec::new(), Vec::new(), Workspace::default());
        Self { mode, common, first, keys, state, sightings, witnesses, workspace }
    }

    /// Starts each agent from its site's baseline.
    pub(crate) fn begin(mut self, source: &dyn Source) -> Self {
        for agent in &mut self.state.agents {
            let baseline = source.baseline(agent.id.0, self.common.params.baseline_rows);
            agent.begin(&baseline, &self.common, &mut self.workspace);
        }
        self
    }

    /// How many agents it has.
    pub(crate) fn agents(&self) -> usize {
        self.state.agents.len()
    }

    /// The states of its agents' lives.
    pub(crate) fn lives(&self) -> impl Iterator<Item = Lifecycle> {
        self.state.agents.iter().map(Agent::lifecycle)
    }

    /// Makes those of its agents that are among `drawn` witnesses of the log of this name and key.
    pub(crate) fn appoint(&mut self, drawn: &[AgentId], origin: &Origin, log: HeadVerifier) {
        let own = self.first..self.first + self.state.agents.len() as u32;
        let seed = self.common.seed;
        let drawn = drawn.iter().filter(|agent| own.contains(&agent.0));
        self.witnesses = drawn.map(|&agent| AgentWitness::new(seed, agent, origin, log)).collect();
    }

    /// Learns what was decided, then observes the flows of step `t`.
    pub(crate) fn step(&mut self, t: u32, decisions: &Decisions, source: &dyn Source) -> Result<Said, ShardError> {
        self.take_turn(Turn::Step(t), Turn::Validate(t))?;
        self.learn(t, decisions);
        let mut said = Said { tally: self.state.evaluation.blank(), ..Said::default() };
        for place in 0..self.state.agents.len() {
            if self.common.stop.asked() {
                return Err(ShardError::Stopped);
            }
            if self.state.agents[place].is_failed() {
                continue;
            }
            let site = self.first + place as u32;
            let observation = source.observe(site, t, &mut self.state.contexts[place]);
            match self.observe(place, t, &observation) {
                Ok(observed) => self.take(place, t, &observation, observed, &mut said),
                Err(failed) => {
                    let common = Arc::clone(&self.common);
                    self.state.agents[place].fail(t, failed.0, &common);
                    let blind = Observed::blind(observation.batch.rows());
                    self.count(place, t, &observation, &blind, &mut said.tally);
                }
            }
        }
        for agent in &mut self.state.agents {
            said.events.extend(agent.take_events());
        }
        said.active = self.state.agents.iter().filter(|agent| agent.is_active()).map(|agent| agent.id).collect();
        self.count_protected(&mut said.tally);
        self.sightings.clone_from(&said.sightings);
        Ok(said)
    }

    /// Votes on the open ballots and seals all that each agent says in step `t`.
    pub(crate) fn validate(&mut self, t: u32, question: &Question) -> Result<Voted, ShardError> {
        self.take_turn(Turn::Validate(t), Turn::Step(t + 1))?;
        let mut voted = Voted::default();
        for (agent, key) in self.state.agents.iter().zip(&self.keys).filter(|(agent, _)| agent.may_speak()) {
            if self.common.stop.asked() {
                return Err(ShardError::Stopped);
            }
            let vote = || agent.vote(t, question, &self.state.adopted, &self.common, &mut self.workspace);
            let votes = catch_unwind(AssertUnwindSafe(vote)).unwrap_or_else(|_| {
                self.state.crashed.insert(agent.id);
                Vec::new()
            });
            let published = question.published_by(agent.id, t);
            let sighted = self.sightings.iter().filter(|sighting| sighting.agent == agent.id);
            let digests = record::statement(published, sighted, votes.iter());
            if !digests.is_empty() {
                let statement = Statement { agent: agent.id, step: t, digests: &digests };
                voted.seals.push((agent.id, seal(key, &statement)));
            }
            voted.votes.extend(votes);
        }
        Ok(voted)
    }

    /// Lets the witnesses among its agents check the heads they are shown before step `t`; retired agents do not answer.
    pub(crate) fn testify(&mut self, t: u32, shown: &[Shown], time_s: u64) -> Result<Testimony, ShardError> {
        self.take_turn(Turn::Step(t), Turn::Step(t))?;
        let mut testimony = Testimony::default();
        for witness in &mut self.witnesses {
            let agent = witness.agent();
            if self.state.agents[(agent.0 - self.first) as usize].is_failed() {
                continue;
            }
            for shown in shown.iter().filter(|shown| shown.witness == agent) {
                testimony.answers.push(witness.check(shown, time_s));
                testimony.seen.push(shown.checkpoint.clone());
            }
        }
        Ok(testimony)
    }

    /// Lets its witnesses compare what all witnesses were shown; returns the proofs they hold against the log.
    pub(crate) fn compare(&mut self, t: u32, seen: &[Checkpoint]) -> Result<Vec<SplitView>, ShardError> {
        self.take_turn(Turn::Step(t), Turn::Step(t))?;
        Ok(self.witnesses.iter_mut().filter_map(|witness| witness.compare(seen).cloned()).collect())
    }

    /// All state as bytes.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, ShardError> {
        let memories: Vec<Memory> = self.witnesses.iter().map(AgentWitness::memory).collect();
        postcard::to_allocvec(&(&self.state, memories)).map_err(|error| ShardError::Snapshot(error.to_string()))
    }

    /// Goes back to the state of a snapshot.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> Result<(), ShardError> {
        let (state, memories): (State, Vec<Memory>) =
            postcard::from_bytes(bytes).map_err(|error| ShardError::Snapshot(error.to_string()))?;
        if state.agents.len() != self.state.agents.len() {
            return Err(ShardError::Snapshot(format!("it has {} agents", state.agents.len())));
        }
        if memories.len() != self.witnesses.len() {
            return Err(ShardError::Snapshot(format!("it has {} witnesses", memories.len())));
        }
        for (witness, memory) in self.witnesses.iter_mut().zip(&memories) {
            witness.restore(memory).map_err(ShardError::Snapshot)?;
        }
        self.state = state;
        self.sightings.clear();
        Ok(())
    }

    /// Ends the agents' lives.
    pub(crate) fn stop(&mut self, t: u32) -> Vec<crate::LifecycleEvent> {
        self.state.agents.iter_mut().for_each(|agent| agent.stop(t));
        self.state.agents.iter_mut().flat_map(Agent::take_events).collect()
    }

    pub(crate) fn evaluation(&self) -> &Evaluation {
        &self.state.evaluation
    }

    pub(crate) fn verifying_keys(&self) -> impl Iterator<Item = (AgentId, dais_protocol::VerifyingKey)> {
        self.state.agents.iter().zip(&self.keys).map(|(agent, key)| (agent.id, key.verifying_key()))
    }

    fn take_turn(&mut self, asked: Turn, next: Turn) -> Result<(), ShardError> {
        let expected = self.state.turn;
        if expected != asked {
            return Err(ShardError::OutOfTurn { expected, asked });
        }
        self.state.turn = next;
        Ok(())
    }

    /// Runs one agent's step; a panic in it is that agent's failure, not the run's.
    fn observe(&mut self, place: usize, t: u32, observation: &Observation) -> Result<Observed, StepFailed> {
        let Self { state, common, workspace, mode, .. } = self;
        let agent = &mut state.agents[place];
        if state.crashed.remove(&agent.id) {
            return Err(StepFailed(Cause::Crash));
        }
        let batch = &observation.batch;
        let run = || {
            if *mode == Mode::Isolated {
                let (own, blocks) = (std::mem::take(&mut agent.own), std::mem::take(&mut agent.own_blocks));
                let observed = agent.observe(t, batch, &own, &blocks, common, workspace);
                (agent.own, agent.own_blocks) = (own, blocks);
                observed
            } else {
                agent.observe(t, batch, &state.adopted, &state.blocks, common, workspace)
            }
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(StepFailed(Cause::Crash)))
    }

    /// Counts what an agent observed and collects what it has to say.
    fn take(&mut self, place: usize, t: u32, observation: &Observation, observed: Observed, said: &mut Said) {
        self.count(place, t, observation, &observed, &mut said.tally);
        let with_truth = observed.findings.into_iter().map(|finding| {
            let truth = SignatureTruth::of(&observation.truth, &finding.rows);
            (Arc::new(finding.signature), truth)
        });
        if self.mode == Mode::Isolated {
            let with_truth: Vec<(Arc<Signature>, SignatureTruth)> = with_truth.collect();
            self.keep(place, t, &with_truth);
            return;
        }
        let agent = self.state.agents[place].id;
        said.proposals.extend(with_truth.map(|(signature, truth)| Proposal { id: signature.id(), signature, truth }));
        said.sightings.extend(observed.sightings);
        said.challenges.extend(observed.challenges.into_iter().map(|signature| (agent, signature)));
    }

    /// An agent on its own adopts what it found, without asking anybody.
    fn keep(&mut self, place: usize, t: u32, findings: &[(Arc<Signature>, SignatureTruth)]) {
        let Self { state, common, workspace, .. } = self;
        let params = &common.params;
        let agent = &mut state.agents[place];
        for (signature, truth) in findings {
            let adopted = Adopted::new(signature, signature.radius, t + 1 + params.signature_ttl_steps);
            if agent.own.len() >= params.signatures_max {
                agent.own.remove(0);
                agent.drop_adopted(0);
                state.own_truths[place].remove(0);
            }
            agent.adopt(&adopted, common, workspace);
            for &source in &signature.sources {
                agent.own_blocks.block(source, adopted.id, t + 1, params.block_ttl_steps, params.blocks_max);
            }
            agent.own.push(adopted);
            state.own_truths[place].push(*truth);
        }
    }

    fn learn(&mut self, t: u32, decisions: &Decisions) {
        let common = Arc::clone(&self.common);
        let params = &common.params;
        self.state.blocks.expire(t);
        self.state.agents.iter_mut().for_each(|agent| agent.own_blocks.expire(t));
        let expired: Vec<SignatureId> =
            self.state.adopted.iter().filter(|adopted| adopted.expires_step <= t).map(|adopted| adopted.id).collect();
        for id in expired.iter().chain(&decisions.withdrawn) {
            self.withdraw(*id);
        }
        for adoption in &decisions.adopted {
            let adopted = Adopted::new(&adoption.signature, adoption.radius, t + params.signature_ttl_steps);
            if self.state.adopted.len() >= params.signatures_max {
                let first = self.state.adopted[0].id;
                self.withdraw(first);
            }
            for agent in self.state.agents.iter_mut().filter(|agent| !agent.is_failed()) {
                agent.adopt(&adopted, &common, &mut self.workspace);
            }
            self.state.adopted.push(adopted);
            self.state.truths.push(adoption.truth);
        }
        for &(source, signature) in &decisions.blocks {
            self.state.blocks.block(source, signature, t, params.block_ttl_steps, params.blocks_max);
        }
        for &(author, signature, outcome) in &decisions.answers {
            let place = author.0.checked_sub(self.first).and_then(|place| self.state.agents.get_mut(place as usize));
            if let Some(agent) = place {
                agent.answered(signature, outcome);
            }
        }
    }

    fn withdraw(&mut self, id: SignatureId) {
        let Some(place) = self.state.adopted.iter().position(|adopted| adopted.id == id) else { return };
        self.state.adopted.remove(place);
        self.state.truths.remove(place);
        self.state.blocks.withdraw(id);
        for agent in self.state.agents.iter_mut().filter(|agent| !agent.is_failed()) {
            agent.drop_adopted(place);
        }
    }

    fn count(&mut self, place: usize, t: u32, observation: &Observation, observed: &Observed, tally: &mut StepTally) {
        let Self { state, common, mode, .. } = self;
        let blocks = if *mode == Mode::Isolated { &state.agents[place].own_blocks } else { &state.blocks };
        let endpoints = observation.batch.endpoints();
        let mut hits = Vec::new();
        for (row, &label) in observation.truth.labels().iter().enumerate() {
            let source = endpoints.map(|all| all.source[row]);
            let block = source.filter(|_| observed.blocked[row]).and_then(|source| blocks.find(source));
            let blocked_since = block.map(|block| block.since_step);
            let alerted = observed.p[row] <= common.params.detector.alert_p;
            let fate = Fate { p: observed.p[row], alerted, matched: observed.matched[row], blocked_since };
            state.evaluation.count(tally, place, t, label, fate);
            if let (Label::Attack(_), Some(source)) = (label, source) {
                let time_s = observation.batch.time_s().map(|all| all[row]);
                let contact = Contact { agent: state.agents[place].id.0, step: t, time_s, blocked_since };
                state.evaluation.contact(place, source, contact);
            }
            hits.extend(source.filter(|_| blocked_since.is_some()));
        }
        let blocks = if *mode == Mode::Isolated { &mut state.agents[place].own_blocks } else { &mut state.blocks };
        for source in hits {
            blocks.hit(source);
        }
    }

    /// Counts the agents that have met each family, and those that apply a signature of it.
    fn count_protected(&self, tally: &mut StepTally) {
        let State { agents, evaluation, truths, own_truths, .. } = &self.state;
        for (place, agent) in agents.iter().enumerate() {
            let truths = if self.mode == Mode::Isolated { &own_truths[place] } else { truths };
            let mut protected = vec![false; tally.families.len()];
            for (index, truth) in truths.iter().enumerate() {
                if let Some(FamilyId(family)) = truth.family.filter(|_| agent.applies(index)) {
                    protected[usize::from(family)] = true;
                }
            }
            for (family, first) in evaluation.first_sights[place].iter().enumerate() {
                tally.reached[family] += u32::from(first.seen.is_some());
                tally.protected[family] += u32::from(protected[family]);
            }
        }
    }
}

impl Question {
    /// Signatures that `author` published in step `t` and whose ballots are open.
    fn published_by(&self, author: AgentId, t: u32) -> impl Iterator<Item = &Signature> {
        let opened = self.ballots.iter().filter(move |ballot| ballot.is_new_from(author, t));
        opened.map(|ballot| ballot.signature.as_ref())
    }
}
