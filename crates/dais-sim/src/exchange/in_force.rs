//! Signatures and blocks in force, as they follow from the decisions.

use std::sync::Arc;

use dais_protocol::SignatureId;
use serde::{Deserialize, Serialize};

use crate::agent::adopted::Adopted;
use crate::agent::blocklist::Blocklist;
use crate::exchange::message::Decisions;
use crate::params::agent::AgentParams;

/// What everybody who learns the same decisions applies: the adopted signatures, the oldest first, and the blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct InForce {
    pub(crate) adopted: Vec<Adopted>,
    pub(crate) blocks: Blocklist,
}

/// A change of the adopted signatures.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// This one was added at the end.
    Adopted(Adopted),
    /// The one at this place was taken away.
    Dropped(usize),
}

/// What a step's decisions make of what was in force: worked out once, and shared by all shards of a process.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    pub(crate) in_force: Arc<InForce>,
    /// What changed, in order.
    pub(crate) changes: Arc<Vec<Change>>,
}

impl InForce {
    /// What is in force in step `t`, after the decisions of the step before.
    pub(crate) fn after(&self, t: u32, decisions: &Decisions, params: &AgentParams) -> Learned {
        let mut next = self.clone();
        let changes = next.learn(t, decisions, params);
        Learned { in_force: Arc::new(next), changes: Arc::new(changes) }
    }

    /// Learns at the beginning of step `t` what was decided in the one before. A full set drops its oldest signature.
    pub(crate) fn learn(&mut self, t: u32, decisions: &Decisions, params: &AgentParams) -> Vec<Change> {
        let mut changes = Vec::new();
        self.blocks.expire(t);
        let expired = self.adopted.iter().filter(|adopted| adopted.expires_step <= t).map(|adopted| adopted.id);
        let gone: Vec<SignatureId> = expired.chain(decisions.withdrawn.iter().copied()).collect();
        changes.extend(gone.into_iter().filter_map(|id| self.drop(id)));
        for adoption in &decisions.adopted {
            let adopted = Adopted::new(&adoption.signature, adoption.radius, t + params.signature_ttl.steps());
            if self.adopted.len() >= params.signatures_max {
                let oldest = self.adopted[0].id;
                changes.extend(self.drop(oldest));
            }
            self.adopted.push(adopted.clone());
            changes.push(Change::Adopted(adopted));
        }
        for &(source, signature) in &decisions.blocks {
            self.blocks.block(source, signature, t, params.block_ttl.steps(), params.blocks_max);
        }
        changes
    }

    /// Drops a signature and the blocks that rest on it.
    fn drop(&mut self, id: SignatureId) -> Option<Change> {
        let place = self.adopted.iter().position(|adopted| adopted.id == id)?;
        self.adopted.remove(place);
        self.blocks.withdraw(id);
        Some(Change::Dropped(place))
    }
}
