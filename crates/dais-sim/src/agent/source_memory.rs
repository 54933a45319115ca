//! The sources of ordinary flows, remembered longer than the flows themselves.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::agent::window::address_key;

/// Learned flows whose sources are remembered.
const FLOWS_MAX: usize = 4096;

/// The sources of the last 4,096 learned flows, vouched ones included.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SourceMemory {
    flows: VecDeque<u128>,
    counts: BTreeMap<u128, u32>,
}

impl SourceMemory {
    /// Remembers the source of a learned flow by its [`address_key`].
    pub(crate) fn learn(&mut self, source: u128) {
        if self.flows.len() >= FLOWS_MAX
            && let Some(oldest) = self.flows.pop_front()
            && let Some(count) = self.counts.get_mut(&oldest)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
        self.flows.push_back(source);
        *self.counts.entry(source).or_default() += 1;
    }

    /// How many remembered flows came from `source`.
    pub(crate) fn flows_from(&self, source: IpAddr) -> u32 {
        self.counts.get(&address_key(source)).copied().unwrap_or(0)
    }

    /// Whether `source` sent at least the share `least` of the remembered flows, and one at all.
    pub(crate) fn is_ordinary(&self, source: IpAddr, least: f32) -> bool {
        let flows = self.flows_from(source);
        flows > 0 && flows as f32 >= least * self.flows.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_few_polite_flows_make_no_ordinary_source() {
        let mut memory = SourceMemory::default();
        (0..500).for_each(|k| memory.learn(address_key(address(k as u8 % 20))));
        (0..3).for_each(|_| memory.learn(address_key(address(99))));
        assert!(memory.is_ordinary(address(7), 0.01) && !memory.is_ordinary(address(99), 0.01));
        assert!(memory.is_ordinary(address(99), 0.0) && !memory.is_ordinary(address(98), 0.0));
    }

    #[test]
    fn sources_are_forgotten_with_their_last_flow() {
        let mut memory = SourceMemory::default();
        memory.learn(address_key(address(1)));
        (0..FLOWS_MAX).for_each(|_| memory.learn(address_key(address(2))));
        assert_eq!((memory.flows_from(address(1)), memory.counts.len()), (0, 1));
    }
}
