//! A shard learns what was decided.

use std::sync::Arc;

use super::Shard;
use crate::exchange::in_force::{Change, Learned};
use crate::exchange::message::Decisions;
use crate::world::call::Request;

impl Shard {
    /// What the decisions that a call brings make of what is in force; `None` where it brings none.
    pub(crate) fn learned(&self, request: &Request) -> Option<Learned> {
        let Request::Step { t, decisions } = request else { return None };
        Some(self.learned_from(*t, decisions))
    }

    fn learned_from(&self, t: u32, decisions: &Decisions) -> Learned {
        self.state.in_force.after(t, decisions, &self.setting.common.params)
    }

    /// Takes into use what is in force in step `t`, and tells authors what became of their signatures.
    pub(super) fn learn(&mut self, t: u32, decisions: &Decisions, learned: Option<&Learned>) {
        let Learned { in_force, changes } = learned.cloned().unwrap_or_else(|| self.learned_from(t, decisions));
        let Self { setting, first, state, workspace, .. } = self;
        let common = &setting.common;
        state.agents.iter_mut().for_each(|agent| agent.own_blocks.expire(t));
        for (agent, truths) in state.agents.iter_mut().zip(&mut state.own_truths) {
            let expired = agent.expire_own(t);
            truths.drain(..expired.min(truths.len()));
        }
        for agent in state.agents.iter_mut().filter(|agent| !agent.is_failed()) {
            for change in changes.iter() {
                match change {
                    Change::Adopted(adopted) => agent.adopt(adopted, common, workspace),
                    Change::Dropped(place) => agent.drop_adopted(*place),
                }
            }
        }
        state.in_force = Arc::clone(&in_force);
        for &(author, signature, outcome) in &decisions.answers {
            let place = author.0.checked_sub(*first).and_then(|place| state.agents.get_mut(place as usize));
            if let Some(agent) = place {
                agent.answered(signature, outcome);
            }
        }
    }
}
