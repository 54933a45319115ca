//! What a packet begins with, by where it was captured.

use super::super::window::ByteOrder;

/// Link layers that are understood, by their numbers in <https://www.tcpdump.org/linktypes.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// BSD loopback: the address family, in the byte order of the machine or of the network.
    Loopback,
    Ethernet,
    /// Nothing at all before the IP header.
    Raw,
    /// Linux's `any` interface.
    Cooked,
    /// Linux's `any` interface, second version.
    Cooked2,
}

/// What lies behind the link layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Ip(&'a [u8]),
    /// Address resolution, spanning tree and the like.
    Other,
    /// The packet ends within the link layer.
    Short,
}

const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

impl Link {
    pub(super) fn of(link_type: u16) -> Option<Self> {
        match link_type {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Self::Raw),
            113 => Some(Self::Cooked),
            276 => Some(Self::Cooked2),
            _ => None,
        }
    }

    /// The IP packet in a packet.
    #[inline]
    pub(super) fn content(self, data: &[u8]) -> Content<'_> {
        match self {
            Self::Ethernet => behind_type(data, 12, 14),
            Self::Raw if data.is_empty() => Content::Short,
            Self::Raw => Content::Ip(data),
            Self::Loopback => match (data.first_chunk(), data.get(4..)) {
                // AF_INET is 2 everywhere; AF_INET6 depends on the system.
                (Some([0, 0, 0, 2 | 10 | 24 | 28 | 30] | [2 | 10 | 24 | 28 | 30, 0, 0, 0]), Some(ip)) => {
                    Content::Ip(ip)
                }
                (Some(_), _) => Content::Other,
                (None, _) => Content::Short,
            },
            Self::Cooked => behind_type(data, 14, 16),
            Self::Cooked2 => behind_type(data, 0, 20),
        }
    }
}

/// What follows a header of `length` with the type of its content at `place`, behind tags of virtual networks.
#[inline]
fn behind_type(data: &[u8], place: usize, length: usize) -> Content<'_> {
    let Some(mut rest) = data.get(length..) else { return Content::Short };
    let mut kind = ByteOrder::Big.u16(data, place);
    while VLAN_TAGS.contains(&kind) {
        let Some(behind) = rest.get(4..) else { return Content::Short };
        kind = ByteOrder::Big.u16(rest, 2);
        rest = behind;
    }
    if matches!(kind, IPV4 | IPV6) { Content::Ip(rest) } else { Content::Other }
}
