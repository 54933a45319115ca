//! Fragments of IP packets: only the first names the ports, so it is remembered for those that follow.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Packets in fragments that are remembered; the oldest is forgotten first.
const FRAGMENTED_MAX: usize = 8_192;
/// How long an identification stands for the same packet, as systems do when they put fragments together.
const LIFE_NS: u64 = 30_000_000_000;

/// What the fragments of one packet share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fragment {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) id: u32,
    pub(super) protocol: u8,
}

/// The ports of packets whose first fragment was seen.
#[derive(Default)]
pub(super) struct Fragments {
    ports: BTreeMap<Fragment, ((u16, u16), u64)>,
    order: VecDeque<Fragment>,
}

impl Fragments {
    /// Remembers the ports of a first fragment.
    pub(super) fn first(&mut self, of: Fragment, ports: (u16, u16), at_ns: u64) {
        if self.ports.insert(of, (ports, at_ns)).is_none() {
            self.order.push_back(of);
        }
        if self.order.len() > FRAGMENTED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ports.remove(&oldest);
        }
    }

    /// The ports of the packet that a later fragment belongs to.
    pub(super) fn ports(&self, of: &Fragment, at_ns: u64) -> Option<(u16, u16)> {
        let &(ports, first_ns) = self.ports.get(of)?;
        (at_ns.saturating_sub(first_ns) <= LIFE_NS).then_some(ports)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn fragment(id: u32) -> Fragment {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Fragment { source: address, destination: address, id, protocol: 17 }
    }

    #[test]
    fn ports_are_known_for_as_long_as_an_identification_lasts() {
        let mut fragments = Fragments::default();
        fragments.first(fragment(1), (53, 4_000), 5);
        assert_eq!(fragments.ports(&fragment(1), 5 + LIFE_NS), Some((53, 4_000)));
        assert_eq!(fragments.ports(&fragment(1), 6 + LIFE_NS), None);
        assert_eq!(fragments.ports(&fragment(2), 5), None);
    }

    #[test]
    fn the_oldest_packet_is_forgotten_at_the_bound() {
        let mut fragments = Fragments::default();
        for id in 0..=FRAGMENTED_MAX as u32 {
            fragments.first(fragment(id), (1, 2), 0);
        }
        assert_eq!((fragments.ports.len(), fragments.order.len()), (FRAGMENTED_MAX, FRAGMENTED_MAX));
        assert_eq!(fragments.ports(&fragment(0), 0), None);
        assert!(fragments.ports(&fragment(1), 0).is_some());
    }
}
