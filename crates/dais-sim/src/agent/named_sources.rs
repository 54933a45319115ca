//! The sources that an agent has named in sightings.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::agent::window::address_key;

/// The sources that an agent has named in sightings of late.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NamedSources {
    /// The step in which each was named, by [`address_key`].
    by_source: BTreeMap<u64, u32>,
}

/// Sources remembered as named; when there are more, those of long ago are forgotten, or all.
const NAMED_MAX: usize = 4096;

impl NamedSources {
    /// Whether the source was named less than `again_steps` before `step`.
    pub(crate) fn is_recent(&self, source: IpAddr, step: u32, again_steps: u32) -> bool {
        self.by_source.get(&address_key(source)).is_some_and(|&named| step - named < again_steps)
    }

    /// Remembers that the source is named in `step`.
    pub(crate) fn insert(&mut self, source: IpAddr, step: u32, again_steps: u32) {
        if self.by_source.len() >= NAMED_MAX {
            self.by_source.retain(|_, named| step - *named < again_steps);
        }
        if self.by_source.len() >= NAMED_MAX {
            self.by_source.clear();
        }
        self.by_source.insert(address_key(source), step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_source_is_recent_for_a_while_and_memory_is_bounded() {
        let mut named = NamedSources::default();
        named.insert([192, 0, 2, 1].into(), 3, 5);
        assert!(named.is_recent([192, 0, 2, 1].into(), 7, 5) && !named.is_recent([192, 0, 2, 1].into(), 8, 5));
        assert!(!named.is_recent([192, 0, 2, 2].into(), 3, 5));
        for source in 0..=NAMED_MAX as u32 {
            named.insert(std::net::Ipv4Addr::from_bits(source).into(), 9, 5);
        }
        assert!(named.by_source.len() <= NAMED_MAX && named.is_recent([0, 0, 16, 0].into(), 9, 5));
    }
}
