//! What agents learned from one another: accepted signatures and blocked addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dais_protocol::{Matcher, Signature, SignatureId};
use serde::{Deserialize, Serialize};

/// A signature in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Adopted {
    pub(crate) id: SignatureId,
    pub(crate) matcher: Matcher,
    pub(crate) radius: f32,
    pub(crate) expires_step: u32,
}

impl Adopted {
    pub(crate) fn new(signature: &Signature, radius: f32, expires_step: u32) -> Self {
        Self { id: signature.id(), matcher: Matcher::new(&signature.pattern), radius, expires_step }
    }
}

/// An agent's own measure of an adopted signature; its own data is the root of its trust.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The radius the agent applies: the accepted one, or less where its own baseline demands it; 0 = not applied.
    pub(crate) radius: f32,
    /// Flows matched so far.
    pub(crate) matches: u32,
    /// Matched flows that were otherwise ordinary.
    pub(crate) ordinary: u32,
    /// Whether the agent has asked for a revocation.
    pub(crate) challenged: bool,
}

/// Why and how long an address is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) signature: SignatureId,
    pub(crate) since_step: u32,
    pub(crate) expires_step: u32,
    pub(crate) hits: u64,
}

/// Addresses that agents block, with expiry and hit count.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Blocklist {
    blocks: BTreeMap<IpAddr, Block>,
}

impl Blocklist {
    /// Blocks `source`, or renews its block; a full list drops the block that expires first.
    pub(crate) fn block(&mut self, source: IpAddr, signature: SignatureId, step: u32, ttl_steps: u32, blocks_max: usize) {
        let expires_step = step.saturating_add(ttl_steps);
        if let Some(block) = self.blocks.get_mut(&source) {
            block.expires_step = block.expires_step.max(expires_step);
            return;
        }
        if self.blocks.len() >= blocks_max {
            let first = self.blocks.iter().min_by_key(|(address, block)| (block.expires_step, **address));
            let Some(address) = first.map(|(address, _)| *address) else { return };
            self.blocks.remove(&address);
        }
        self.blocks.insert(source, Block { signature, since_step: step, expires_step, hits: 0 });
    }

    /// The block in force for `source`.
    pub(crate) fn find(&self, source: IpAddr) -> Option<&Block> {
        self.blocks.get(&source)
    }

    /// Counts a flow that was blocked.
    pub(crate) fn hit(&mut self, source: IpAddr) {
        if let Some(block) = self.blocks.get_mut(&source) {
            block.hits += 1;
        }
    }

    /// Forgets what has expired before `step`.
    pub(crate) fn expire(&mut self, step: u32) {
        self.blocks.retain(|_, block| block.expires_step > step);
    }

    /// Lifts every block that rests on `signature`.
    pub(crate) fn withdraw(&mut self, signature: SignatureId) {
        self.blocks.retain(|_, block| block.signature != signature);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn signature() -> SignatureId {
        SignatureId::from_bytes([7; 32])
    }

    #[test]
    fn a_block_ends_with_its_time_to_live_unless_renewed() {
        let mut list = Blocklist::default();
        list.block(address(1), signature(), 0, 10, 8);
        list.block(address(2), signature(), 0, 10, 8);
        list.block(address(2), signature(), 5, 10, 8);
        list.expire(10);
        assert!(list.find(address(1)).is_none());
        assert_eq!(list.find(address(2)).map(|block| (block.since_step, block.expires_step)), Some((0, 15)));
    }

    #[test]
    fn a_full_list_drops_what_expires_first() {
        let mut list = Blocklist::default();
        list.block(address(1), signature(), 0, 50, 2);
        list.block(address(2), signature(), 0, 10, 2);
        list.block(address(3), signature(), 0, 20, 2);
        assert!(list.find(address(2)).is_none());
        assert!(list.find(address(1)).is_some() && list.find(address(3)).is_some());
    }

    #[test]
    fn a_withdrawn_signature_lifts_its_blocks() {
        let mut list = Blocklist::default();
        list.block(address(1), signature(), 0, 50, 2);
        list.withdraw(signature());
        assert!(list.is_empty());
    }
}
