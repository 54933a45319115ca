//! A shard lets its agents vote, and each of them seals its votes.

use super::Shard;
use crate::agent::vote::Question;
use crate::exchange::message::{Ballots, Voted};
use crate::exchange::statement::sealed;
use crate::world::shard_error::{ShardError, Turn};

impl Shard {
    /// Votes on the open ballots of step `t`.
    pub(super) fn validate(&mut self, t: u32, question: &Question) -> Result<Voted, ShardError> {
        self.take_turn(Turn::Validate(t), Turn::Step(t + 1))?;
        let Self { state, setting, workspace, keys, .. } = self;
        let mut voted = Voted::default();
        for (agent, key) in state.agents.iter().zip(keys.iter()).filter(|(agent, _)| agent.is_active()) {
            if setting.common.stop.asked() {
                return Err(ShardError::Stopped);
            }
            let mut votes = agent.vote(t, question, &state.in_force.adopted, &setting.common, workspace);
            if let Some(liar) = setting.liar(agent.id) {
                liar.votes(t, question, &mut votes);
            }
            if votes.is_empty() {
                continue;
            }
            let mut ballots = Ballots { agent: agent.id, votes, seal: None };
            ballots.seal = setting.log.as_ref().map(|log| sealed(&ballots, t, log.origin.as_str(), key));
            voted.ballots.push(ballots);
        }
        Ok(voted)
    }
}
