//! A contiguous block of agents with their state.
//!
//! A shard answers the calls of [`Request`], each checked against the step and phase it expects. What it computes depends on
//! nothing but its agents and the calls, so shards may be cut anywhere and run anywhere.

mod counting;
mod learning;
mod observing;
mod saving;
mod voting;
mod witnessing;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use dais_protocol::{AgentId, SealKey, SignatureId};
use dais_traffic::Context;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::agent::lifecycle::LifecycleEvent;
use crate::agent::model::Workspace;
use crate::exchange::in_force::{InForce, Learned};
use crate::exchange::message::Counted;
use crate::seed::Purpose;
use crate::truth::tally::{Evaluation, SignatureTruth};
use crate::witness::agent_witness::AgentWitness;
use crate::world::call::{Request, Response};
use crate::world::setting::Setting;
use crate::world::shard_error::{ShardError, Turn};

/// The state of a shard that a snapshot holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    turn: Turn,
    agents: Vec<Agent>,
    contexts: Vec<Context>,
    in_force: Arc<InForce>,
    /// The truth about the signatures in force; about each agent's own, in their order, where there is no sharing.
    truths: BTreeMap<SignatureId, SignatureTruth>,
    own_truths: Vec<Vec<SignatureTruth>>,
    evaluation: Evaluation,
}

/// A contiguous block of agents.
#[derive(Debug)]
pub(crate) struct Shard {
    setting: Arc<Setting>,
    first: u32,
    keys: Vec<SealKey>,
    state: State,
    /// What was counted in the current step and not asked for yet.
    counted: Counted,
    witnesses: Vec<AgentWitness>,
    workspace: Workspace,
}

impl Shard {
    /// These agents, which have seen nothing yet.
    pub(crate) fn new(setting: Arc<Setting>, agents: Range<u32>) -> Self {
        let (first, count) = (agents.start, agents.len());
        let common = &setting.common;
        let new = |id: u32| Agent::new(AgentId(id), common);
        let state = State {
            turn: Turn::Step(0),
            agents: agents.clone().map(new).collect(),
            contexts: vec![Context::default(); count],
            in_force: Arc::default(),
            truths: BTreeMap::new(),
            own_truths: vec![Vec::new(); count],
            evaluation: Evaluation::new(count, setting.source.families().len()),
        };
        let keys = agents.clone().map(|id| SealKey::from_seed(common.seed.key(Purpose::AgentKey, id))).collect();
        let witnesses = setting.log.iter().flat_map(|log| {
            let own = log.witnesses.iter().filter(|agent| agents.contains(&agent.0));
            own.map(|&agent| AgentWitness::new(common.seed, agent, &log.origin, log.key))
        });
        let witnesses = witnesses.collect();
        let (counted, workspace) = (Counted::default(), Workspace::default());
        Self { setting, first, keys, state, counted, witnesses, workspace }
    }

    /// Answers a call. `learned` is what [`Shard::learned`] made of it, where that was worked out already.
    pub(crate) fn answer(&mut self, request: Request, learned: Option<&Learned>) -> Result<Response, ShardError> {
        Ok(match request {
            Request::Begin => {
                self.begin();
                Response::Done
            }
            Request::Keys => Response::Keys(self.keys.iter().map(|key| *key.verifying_key().as_bytes()).collect()),
            Request::Lives => Response::Lives(self.state.agents.iter().map(Agent::lifecycle).collect()),
            Request::Step { t, decisions } => Response::Said(self.step(t, &decisions, learned)?),
            Request::Count { t, truths } => Response::Counted(self.count(t, &truths)?),
            Request::Validate { t, question } => Response::Voted(self.validate(t, &question)?),
            Request::Testify { t, shown, time_s, .. } => Response::Testimony(self.testify(t, &shown, time_s)?),
            Request::Compare { t, seen } => Response::Compared(self.compare(t, &seen)?),
            Request::Snapshot => Response::Snapshot(self.snapshot()?),
            Request::Restore(bytes) => {
                self.restore(&bytes)?;
                Response::Done
            }
            Request::Stop { t } => Response::Stopped(self.stop(t)),
            Request::Evaluate => Response::Evaluation(std::mem::take(&mut self.state.evaluation)),
        })
    }

    /// Starts each agent from its site's baseline.
    fn begin(&mut self) {
        let Self { setting, state, workspace, .. } = self;
        let common = &setting.common;
        for agent in &mut state.agents {
            let baseline = setting.source.baseline(agent.id.0, common.params.vouched_rows);
            agent.begin(&baseline, common, workspace);
        }
    }

    /// Ends the agents' lives.
    fn stop(&mut self, t: u32) -> Vec<LifecycleEvent> {
        self.state.agents.iter_mut().for_each(|agent| agent.stop(t));
        self.state.agents.iter_mut().flat_map(Agent::take_events).collect()
    }

    /// Checks that the shard is asked in its turn.
    fn expect(&self, asked: Turn) -> Result<(), ShardError> {
        let expected = self.state.turn;
        if expected == asked { Ok(()) } else { Err(ShardError::OutOfTurn { expected, asked }) }
    }

    fn take_turn(&mut self, asked: Turn, next: Turn) -> Result<(), ShardError> {
        self.expect(asked)?;
        self.state.turn = next;
        Ok(())
    }
}
