//! Addresses that agents block.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use dais_protocol::SignatureId;
use serde::{Deserialize, Serialize};

use crate::agent::window::address_key;

/// Why and how long an address is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) signature: SignatureId,
    pub(crate) since_step: u32,
    pub(crate) expires_step: u32,
}

/// Addresses that agents block, with expiry.
///
/// Every flow of every agent is looked up: it is made for reading, and what expires is found without a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
        self.blocks.insert(source, Block { signature, since_step: step, expires_step });
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
