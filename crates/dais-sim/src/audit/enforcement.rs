//! What agents without an allow-list block, as it follows from the decisions.

use dais_protocol::SignatureId;

use crate::agent::blocklist::Blocklist;
use crate::exchange::message::Decisions;
use crate::params::agent::AgentParams;

/// What agents without an allow-list block, as it follows from the decisions.
#[derive(Default)]
pub(super) struct Enforcement {
    adopted: Vec<(SignatureId, u32)>,
    pub(super) blocks: Blocklist,
}

impl Enforcement {
    /// Learns at the beginning of step `t` what was decided in the one before, as every shard does.
    pub(super) fn learn(&mut self, t: u32, decisions: &Decisions, params: &AgentParams) {
        self.blocks.expire(t);
        let expired: Vec<SignatureId> =
            self.adopted.iter().filter(|(_, expires_step)| *expires_step <= t).map(|(id, _)| *id).collect();
        for id in expired.iter().chain(&decisions.withdrawn) {
            self.withdraw(*id);
        }
        for adoption in &decisions.adopted {
            if self.adopted.len() >= params.signatures_max {
                self.withdraw(self.adopted[0].0);
            }
            self.adopted.push((adoption.signature.id(), t + params.signature_ttl_steps));
        }
        for &(source, signature) in &decisions.blocks {
            self.blocks.block(source, signature, t, params.block_ttl_steps, params.blocks_max);
        }
    }

    fn withdraw(&mut self, id: SignatureId) {
        let Some(place) = self.adopted.iter().position(|(known, _)| *known == id) else { return };
        self.adopted.remove(place);
        self.blocks.withdraw(id);
    }
}
