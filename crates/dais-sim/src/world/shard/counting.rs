//! A shard counts what really happened at its sites: the only code beside an agent that sees labels.

use dais_protocol::SignatureId;
use dais_traffic::{FamilyId, Label, Observation};

use super::{Shard, State};
use crate::agent::observe::Observed;
use crate::exchange::message::Counted;
use crate::params::mode::Mode;
use crate::truth::tally::{Contact, Fate, SignatureTruth, StepTally};
use crate::world::shard_error::{ShardError, Turn};

impl Shard {
    /// What was counted in step `t`, between observing and voting. `truths` are about what was accepted before it.
    pub(super) fn count(&mut self, t: u32, truths: &[(SignatureId, SignatureTruth)]) -> Result<Counted, ShardError> {
        self.expect(Turn::Validate(t))?;
        let State { in_force, truths: known, .. } = &mut self.state;
        known.extend(truths.iter().copied());
        if known.len() > in_force.adopted.len() {
            known.retain(|id, _| in_force.adopted.iter().any(|adopted| adopted.id == *id));
        }
        let mut counted = std::mem::take(&mut self.counted);
        self.count_protected(&mut counted.tally);
        Ok(counted)
    }

    /// Counts the flows that an agent observed.
    pub(super) fn count_flows(&mut self, place: usize, t: u32, observation: &Observation, observed: &Observed) {
        let Self { state, setting, counted, .. } = self;
        let agent = &state.agents[place];
        let blocks = if setting.mode == Mode::Isolated { &agent.own_blocks } else { &state.in_force.blocks };
        let endpoints = observation.batch.endpoints();
        for (row, &label) in observation.truth.labels().iter().enumerate() {
            let source = endpoints.map(|all| all.source[row]);
            let block = source.filter(|_| observed.blocked[row]).and_then(|source| blocks.find(source));
            let blocked_since = block.map(|block| block.since_step);
            let alerted = observed.p[row] <= setting.common.params.detector.alert_p;
            let fate = Fate { p: observed.p[row], alerted, matched: observed.matched[row], blocked_since };
            state.evaluation.count(&mut counted.tally, place, t, label, fate);
            if let (Label::Attack(_), Some(source)) = (label, source) {
                let time_s = observation.batch.time_s().map(|all| all[row]);
                let contact = Contact { agent: agent.id.0, step: t, time_s, blocked_since };
                state.evaluation.contact(place, source, contact);
            }
        }
    }

    /// Counts the agents that have met each family, and those that apply a signature of it.
    fn count_protected(&self, tally: &mut StepTally) {
        let State { agents, evaluation, in_force, truths, own_truths, .. } = &self.state;
        let shared: Vec<SignatureTruth> =
            in_force.adopted.iter().map(|adopted| truths.get(&adopted.id).copied().unwrap_or_default()).collect();
        for (place, agent) in agents.iter().enumerate() {
            let truths = if self.setting.mode == Mode::Isolated { &own_truths[place] } else { &shared };
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
