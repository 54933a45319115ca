//! A shard lets its agents observe a step, and gathers what they say.

use std::sync::Arc;

use dais_protocol::{AgentId, Challenge, Sighting, Signature};
use dais_traffic::Observation;

use super::Shard;
use crate::adversary::Sight;
use crate::agent::adopted::Adopted;
use crate::agent::observe::{Finding, Observed};
use crate::agent::{Agent, StepFailed};
use crate::exchange::in_force::Learned;
use crate::exchange::message::{Counted, Decisions, Said, Words};
use crate::exchange::statement::{Stated, sealed};
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;
use crate::world::shard_error::{ShardError, Turn};

/// Signatures of its own that an agent uses beside those that others have accepted.
const OWN_MAX: usize = 32;

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
            let mut observation = setting.source.observe(site, t, &mut self.state.contexts[place]);
            if let Some(liar) = setting.liar(AgentId(site)) {
                let moved = liar.sees(t, setting.source.schema(), &observation.batch);
                observation.batch = moved.unwrap_or(observation.batch);
            }
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
        Ok(said)
    }

    /// Runs one agent's step.
    fn observe(&mut self, place: usize, t: u32, observation: &Observation) -> Result<Observed, StepFailed> {
        let Self { state, setting, workspace, .. } = self;
        let (agent, batch, common) = (&mut state.agents[place], &observation.batch, &setting.common);
        if !common.alone {
            return agent.observe(t, batch, &state.in_force.adopted, &state.in_force.blocks, common, workspace);
        }
        // Alone an agent's own signatures are all there are: what they match is not found again.
        let (own, blocks) = (std::mem::take(&mut agent.own), std::mem::take(&mut agent.own_blocks));
        let observed = agent.observe(t, batch, &own, &blocks, common, workspace);
        (agent.own, agent.own_blocks) = (own, blocks);
        observed
    }

    /// Counts what an agent observed and collects what it has to say.
    fn take(&mut self, place: usize, t: u32, observation: &Observation, mut observed: Observed, said: &mut Said) {
        self.count_flows(place, t, observation, &observed);
        if self.setting.mode == Mode::Collaborative {
            self.use_own(place, t, &observed);
        }
        if let Some(liar) = self.setting.liar(self.state.agents[place].id) {
            let suspect_p = self.setting.common.params.detector.suspect_p;
            let sight = Sight { batch: &observation.batch, adopted: &self.state.in_force.adopted, suspect_p };
            liar.says(t, &sight, &mut observed);
        }
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
        self.counted.truths.extend(found.iter().map(|(signature, truth)| (signature.id(), *truth)));
        let offers = found.into_iter().map(|(signature, _)| signature).collect();
        let Observed { sightings, challenges, .. } = observed;
        said.words.extend(self.state(place, t, offers, sightings, challenges));
    }

    /// What an agent says, with its seal over its own bytes; nothing where it has nothing to say.
    fn state(
        &self,
        place: usize,
        t: u32,
        offers: Vec<Arc<Signature>>,
        sightings: Vec<Sighting>,
        challenges: Vec<Challenge>,
    ) -> Option<Words> {
        let agent = self.state.agents[place].id;
        let mut words = Words { agent, offers, sightings, challenges, seal: None };
        let withheld = self.setting.liar(agent).is_some_and(|liar| liar.withholds_seal(t));
        let log = self.setting.log.as_ref().filter(|_| !withheld);
        words.seal = log.map(|log| sealed(&words, t, log.origin.as_str(), &self.keys[place]));
        (!words.is_empty()).then_some(words)
    }

    /// An agent uses at its own site what it found itself, and blocks what it found or sighted: own evidence needs
    /// nobody's consent, and no liar can take it away.
    fn use_own(&mut self, place: usize, t: u32, observed: &Observed) {
        let Self { state, setting, workspace, .. } = self;
        let (common, agent) = (&setting.common, &mut state.agents[place]);
        let params = &common.params;
        let found = observed.findings.iter().map(|finding| (finding.signature.id(), &finding.signature.sources));
        let sighted = observed.sightings.iter().map(|sighting| (sighting.signature, &sighting.sources));
        for (signature, sources) in found.chain(sighted) {
            for &source in sources {
                agent.own_blocks.block(source, signature, t + 1, params.block_ttl.steps(), params.blocks_max);
            }
        }
        for Finding { signature, .. } in &observed.findings {
            let own = Adopted::new(signature, signature.radius, t + 1 + params.local_ttl.steps());
            agent.adopt_own(own, OWN_MAX, common, workspace);
        }
    }

    /// An agent on its own adopts what it found, without asking anybody.
    fn keep(&mut self, place: usize, t: u32, found: &[(Arc<Signature>, SignatureTruth)]) {
        let Self { state, setting, workspace, .. } = self;
        let (common, truths) = (&setting.common, &mut state.own_truths[place]);
        let params = &common.params;
        let agent: &mut Agent = &mut state.agents[place];
        for (signature, truth) in found {
            let adopted = Adopted::new(signature, signature.radius, t + 1 + params.local_ttl.steps());
            if agent.own.len() >= params.signatures_max {
                truths.remove(0);
            }
            for &source in &signature.sources {
                agent.own_blocks.block(source, adopted.id, t + 1, params.block_ttl.steps(), params.blocks_max);
            }
            agent.adopt_own(adopted, params.signatures_max, common, workspace);
            truths.push(*truth);
        }
    }
}
