//! A shard lets its agents vote, and seals what they say.

use dais_protocol::{AgentId, Signature, Statement, seal};

use super::Shard;
use crate::agent::vote::Question;
use crate::exchange::message::Voted;
use crate::exchange::record;
use crate::world::shard_error::{ShardError, Turn};

impl Shard {
    /// Votes on the open ballots and seals all that each agent says in step `t`.
    pub(super) fn validate(&mut self, t: u32, question: &Question) -> Result<Voted, ShardError> {
        self.take_turn(Turn::Validate(t), Turn::Step(t + 1))?;
        let Self { state, setting, workspace, keys, sightings, .. } = self;
        let mut voted = Voted::default();
        for (agent, key) in state.agents.iter().zip(keys.iter()).filter(|(agent, _)| agent.may_speak()) {
            if setting.common.stop.asked() {
                return Err(ShardError::Stopped);
            }
            let votes = agent.vote(t, question, &state.in_force.adopted, &setting.common, workspace);
            let published = published_by(question, agent.id, t);
            let sighted = sightings.iter().filter(|sighting| sighting.agent == agent.id);
            let digests = record::statement(published, sighted, votes.iter());
            if !digests.is_empty() {
                let statement = Statement { agent: agent.id, step: t, digests: &digests };
                voted.seals.push((agent.id, seal(key, &statement)));
            }
            voted.votes.extend(votes);
        }
        Ok(voted)
    }
}

/// Signatures that `author` published in step `t` and whose ballots are open.
fn published_by(question: &Question, author: AgentId, t: u32) -> impl Iterator<Item = &Signature> {
    let opened = question.ballots.iter().filter(move |ballot| ballot.is_new_from(author, t));
    opened.map(|ballot| ballot.signature.as_ref())
}
