//! A shard lets its agents observe a step, and gathers what they say.

use std::sync::Arc;

use dais_protocol::Signature;
use dais_traffic::Observation;

use super::Shard;
use crate::agent::adopted::Adopted;
use crate::agent::observe::Observed;
use crate::agent::{Agent, StepFailed};
use crate::exchange::in_force::Learned;
use crate::exchange::message::{Counted, Decisions, Said};
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;
use crate::world::shard_error::{ShardError, Turn};

impl Shard {
    /// Learns what was decided, then observes the flows of step `t`.
    pub(super) fn step(
        &mut self,
        t: u32,
        decisions: &Decisions,
        learned: Option<&Learned>,
    ) -> Result<Said, ShardError> {
        self.take_turn(Turn::Step(t), Turn::Validate(t))?;
        self.learn(t, decisions, learned);
        self.counted = Counted { tally: self.state.evaluation.blank(), truths: Vec::new() };
        let setting = Arc::clone(&self.setting);
        let mut said = Said::default();
        for place in 0..self.state.agents.len() {
            if setting.common.stop.asked() {
                return Err(ShardError::Stopped);
            }
            if self.state.agents[place].is_failed() {
                continue;
            }
            let site = self.first + place as u32;
            let observation = setting.source.observe(site, t, &mut self.state.contexts[place]);
            match self.observe(place, t, &observation) {
                Ok(observed) => self.take(place, t, &observation, observed, &mut said),
                Err(failed) => {
                    self.state.agents[place].fail(t, failed.0, &setting.common);
                    self.count_flows(place, t, &observation, &Observed::blind(observation.batch.rows()));
                }
            }
        }
        for agent in &mut self.state.agents {
            said.events.extend(agent.take_events());
        }
        said.active = self.state.agents.iter().filter(|agent| agent.is_active()).map(|agent| agent.id).collect();
        self.sightings.clone_from(&said.sightings);
        Ok(said)
    }

    /// Runs one agent's step.
    fn observe(&mut self, place: usize, t: u32, observation: &Observation) -> Result<Observed, StepFailed> {
        let Self { state, setting, workspace, .. } = self;
        let (agent, batch, common) = (&mut state.agents[place], &observation.batch, &setting.common);
        if setting.mode != Mode::Isolated {
            return agent.observe(t, batch, &state.in_force.adopted, &state.in_force.blocks, common, workspace);
        }
        let (own, blocks) = (std::mem::take(&mut agent.own), std::mem::take(&mut agent.own_blocks));
        let observed = agent.observe(t, batch, &own, &blocks, common, workspace);
        (agent.own, agent.own_blocks) = (own, blocks);
        observed
    }

    /// Counts what an agent observed and collects what it has to say.
    fn take(&mut self, place: usize, t: u32, observation: &Observation, observed: Observed, said: &mut Said) {
        self.count_flows(place, t, observation, &observed);
        let found: Vec<(Arc<Signature>, SignatureTruth)> = observed
            .findings
            .into_iter()
            .map(|finding| {
                let truth = SignatureTruth::of(&observation.truth, &finding.rows);
                (Arc::new(finding.signature), truth)
            })
            .collect();
        if self.setting.mode == Mode::Isolated {
            self.keep(place, t, &found);
            return;
        }
        let agent = self.state.agents[place].id;
        self.counted.truths.extend(found.iter().map(|(signature, truth)| (signature.id(), *truth)));
        said.offers.extend(found.into_iter().map(|(signature, _)| signature));
        said.sightings.extend(observed.sightings);
        said.challenges.extend(observed.challenges.into_iter().map(|signature| (agent, signature)));
    }

    /// An agent on its own adopts what it found, without asking anybody.
    fn keep(&mut self, place: usize, t: u32, found: &[(Arc<Signature>, SignatureTruth)]) {
        let Self { state, setting, workspace, .. } = self;
        let (common, truths) = (&setting.common, &mut state.own_truths[place]);
        let params = &common.params;
        let agent: &mut Agent = &mut state.agents[place];
        for (signature, truth) in found {
            let adopted = Adopted::new(signature, signature.radius, t + 1 + params.signature_ttl_steps);
            if agent.own.len() >= params.signatures_max {
                agent.own.remove(0);
                agent.drop_adopted(0);
                truths.remove(0);
            }
            agent.adopt(&adopted, common, workspace);
            for &source in &signature.sources {
                agent.own_blocks.block(source, adopted.id, t + 1, params.block_ttl_steps, params.blocks_max);
            }
            agent.own.push(adopted);
            truths.push(*truth);
        }
    }
}
