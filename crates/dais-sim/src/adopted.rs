//! What agents learned from one another: accepted signatures and blocked addresses.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use dais_protocol::{Matcher, Signature, SignatureId};
use serde::{Deserialize, Serialize};

use crate::window::address_key;

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
///
/// Every flow of every agent is looked up, and every shard keeps a list: it is made for reading, and what expires is
/// found without a search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Blocklist {
    /// By [`address_key`], which is quicker to compare than an address.
    blocks: BTreeMap<u64, Block>,
    /// Blocks in the order in which they expire. One that has been renewed or lifted since is still in its old place.
    expiry: VecDeque<(u32, u64)>,
}

impl Blocklist {
    /// Blocks `source`, or renews its block; a full list drops the block that expires first. All calls name the same
    /// `ttl_steps`, and no call an earlier step than the one before.
    pub(crate) fn block(
        &mut self,
        source: IpAddr,
        signature: SignatureId,
        step: u32,
        ttl_steps: u32,
        blocks_max: usize,
    ) {
        let expires_step = step.saturating_add(ttl_steps);
        let source = address_key(source);
        if let Some(block) = self.blocks.get_mut(&source) {
            if block.expires_step < expires_step {
                block.expires_step = expires_step;
                self.expect_expiry(expires_step, source);
            }
            return;
        }
        if self.blocks.len() >= blocks_max && !self.drop_first() {
            return;
        }
        self.blocks.insert(source, Block { signature, since_step: step, expires_step, hits: 0 });
        self.expect_expiry(expires_step, source);
    }

    fn expect_expiry(&mut self, step: u32, source: u64) {
        self.expiry.push_back((step, source));
        if self.expiry.len() > 2 * self.blocks.len() + STALE_MAX {
            self.expiry.retain(|(step, source)| is_current(&self.blocks, *step, *source));
        }
    }

    /// Drops the block that expires first; false when there is none.
    fn drop_first(&mut self) -> bool {
        while let Some((step, source)) = self.expiry.pop_front() {
            if is_current(&self.blocks, step, source) {
                return self.blocks.remove(&source).is_some();
            }
        }
        false
    }

    /// The block in force for `source`.
    pub(crate) fn find(&self, source: IpAddr) -> Option<&Block> {
        self.blocks.get(&address_key(source))
    }

    /// Counts a flow that was blocked.
    pub(crate) fn hit(&mut self, source: IpAddr) {
        if let Some(block) = self.blocks.get_mut(&address_key(source)) {
            block.hits += 1;
        }
    }

    /// Forgets what has expired before `step`.
    pub(crate) fn expire(&mut self, step: u32) {
        while let Some((expires_step, source)) = self.expiry.pop_front_if(|(expires_step, _)| *expires_step <= step) {
            if is_current(&self.blocks, expires_step, source) {
                self.blocks.remove(&source);
            }
        }
    }

    /// Lifts every block that rests on `signature`.
    pub(crate) fn withdraw(&mut self, signature: SignatureId) {
        self.blocks.retain(|_, block| block.signature != signature);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Outdated places in the order of expiry that are not worth clearing.
const STALE_MAX: usize = 64;

fn is_current(blocks: &BTreeMap<u64, Block>, expires_step: u32, source: u64) -> bool {
    blocks.get(&source).is_some_and(|block| block.expires_step == expires_step)
}

/// The sources that an agent has named in sightings of late.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sighted {
    /// The step in which each was named, by [`address_key`].
    named: BTreeMap<u64, u32>,
}

/// Sources remembered as named; when there are more, those of long ago are forgotten, or all.
const NAMED_MAX: usize = 4096;

impl Sighted {
    /// Whether the source was named less than `again_steps` before `step`.
    pub(crate) fn is_recent(&self, source: IpAddr, step: u32, again_steps: u32) -> bool {
        self.named.get(&address_key(source)).is_some_and(|&named| step - named < again_steps)
    }

    /// Remembers that the source is named in `step`.
    pub(crate) fn insert(&mut self, source: IpAddr, step: u32, again_steps: u32) {
        if self.named.len() >= NAMED_MAX {
            self.named.retain(|_, named| step - *named < again_steps);
        }
        if self.named.len() >= NAMED_MAX {
            self.named.clear();
        }
        self.named.insert(address_key(source), step);
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
        list.block(address(1), signature(), 0, 10, 2);
        list.block(address(2), signature(), 0, 10, 2);
        list.block(address(1), signature(), 5, 10, 2);
        list.block(address(3), signature(), 6, 10, 2);
        assert!(list.find(address(2)).is_none());
        assert!(list.find(address(1)).is_some() && list.find(address(3)).is_some());
    }

    #[test]
    fn a_named_source_is_recent_for_a_while_and_memory_is_bounded() {
        let mut sighted = Sighted::default();
        sighted.insert(address(1), 3, 5);
        assert!(sighted.is_recent(address(1), 7, 5) && !sighted.is_recent(address(1), 8, 5));
        assert!(!sighted.is_recent(address(2), 3, 5));
        for source in 0..=NAMED_MAX as u32 {
            sighted.insert(std::net::Ipv4Addr::from_bits(source).into(), 9, 5);
        }
        assert!(sighted.named.len() <= NAMED_MAX && sighted.is_recent([0, 0, 16, 0].into(), 9, 5));
    }

    #[test]
    fn renewals_leave_little_behind() {
        let mut list = Blocklist::default();
        for step in 0..1_000 {
            list.block(address(1), signature(), step, 2_000, 8);
            list.block(address(2), SignatureId::from_bytes([8; 32]), step, 2_000, 8);
        }
        assert!(list.expiry.len() <= 2 * 2 + STALE_MAX + 1, "{}", list.expiry.len());
        list.expire(2_998);
        assert!(!list.is_empty());
        list.expire(2_999);
        assert!(list.is_empty());
    }

    #[test]
    fn a_withdrawn_signature_lifts_its_blocks() {
        let mut list = Blocklist::default();
        list.block(address(1), signature(), 0, 50, 4);
        list.block(address(2), SignatureId::from_bytes([8; 32]), 0, 50, 4);
        list.withdraw(signature());
        assert!(list.find(address(1)).is_none() && list.find(address(2)).is_some());
        list.block(address(1), signature(), 7, 50, 4);
        list.expire(50);
        assert_eq!(list.find(address(1)).map(|block| block.since_step), Some(7));
        assert!(list.find(address(2)).is_none());
    }
}
