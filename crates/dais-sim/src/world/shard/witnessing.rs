//! The witnesses among a shard's agents, between two steps.

use dais_ledger::{Checkpoint, SplitView};

use super::Shard;
use crate::witness::message::{Answer, Shown, Testimony};
use crate::world::shard_error::{ShardError, Turn};

impl Shard {
    /// Lets the witnesses among its agents check the heads they are shown before step `t`; retired agents do not answer.
    pub(super) fn testify(&mut self, t: u32, shown: &[Shown], time_s: u64) -> Result<Testimony, ShardError> {
        self.expect(Turn::Step(t))?;
        let mut testimony = Testimony::default();
        for witness in &mut self.witnesses {
            let agent = witness.agent();
            if self.state.agents[(agent.0 - self.first) as usize].is_failed() {
                continue;
            }
            for shown in shown.iter().filter(|shown| shown.witness == agent) {
                testimony.answers.push(Answer { witness: agent, checked: witness.check(shown, time_s).into() });
                testimony.seen.push(shown.checkpoint.clone());
            }
        }
        Ok(testimony)
    }

    /// Lets its witnesses compare what all witnesses were shown; returns the proofs they hold against the log.
    pub(super) fn compare(&mut self, t: u32, seen: &[Checkpoint]) -> Result<Vec<SplitView>, ShardError> {
        self.expect(Turn::Step(t))?;
        Ok(self.witnesses.iter_mut().filter_map(|witness| witness.compare(seen).cloned()).collect())
    }
}
