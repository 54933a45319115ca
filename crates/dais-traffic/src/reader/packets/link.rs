//! What a packet begins with, by where it was captured.

use std::borrow::Cow;

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
    /// A protocol number, which an address and a control byte may come before.
    Ppp,
    /// A session of PPP over Ethernet without the Ethernet header.
    PppOe,
    Mpls,
    /// Radio frames (IEEE 802.11).
    Wireless,
    /// Radio frames behind what the receiver says of them, whose length is its third and fourth byte.
    ReceivedWireless,
    /// Radio frames behind something else that the receiver says: counted, not read.
    OtherWireless,
    /// Any other: counted, not read.
    Unknown(u16),
}

/// What lies behind the link layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Ip(&'a [u8]),
    /// Something else, which this tells.
    Other(Other),
    /// The packet ends within the link layer.
    Short,
}

/// What a frame holds that is no IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// By a type of Ethernet.
    Type(u16),
    /// By a link layer.
    Link(u16),
    /// By its name.
    Named(&'static str),
}

impl Other {
    /// A name to count by.
    pub(super) fn name(self) -> Cow<'static, str> {
        match self {
            Self::Named(name) => name.into(),
            Self::Link(number) => format!("link type {number}").into(),
            Self::Type(number) => match known(number) {
                Some(name) => name.into(),
                None => format!("Ethernet type 0x{number:04x}").into(),
            },
        }
    }
}

/// Names of common types of Ethernet, with the standards of those that hold further packets which are not looked at.
fn known(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0806 => "ARP",
        0x0842 => "wake-on-LAN",
        0x22f3 => "TRILL",
        0x8035 => "RARP",
        0x8137 | 0x8138 => "IPX",
        0x8809 => "slow protocols",
        0x8863 => "PPPoE discovery",
        0x888e => "EAPOL",
        0x8892 => "PROFINET",
        0x88a4 => "EtherCAT",
        0x88b8 => "GOOSE",
        0x88cc => "LLDP",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        0x8902 => "CFM",
        0x8903 => "FabricPath",
        0x894f => "NSH",
        0x9000 => "loopback test",
        _ => return None,
    })
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE_SESSION: u16 = 0x8864;
/// What stands at the place of a type below it is a length (IEEE 802.3).
const TYPE_MIN: u16 = 0x600;

/// How far behind a type the next one is, where a tag stands between: of a virtual network, of a virtual port (VNTAG,
/// 802.1Qbh), or of a provider, with the whole header of the customer's frame (PBB, 802.1ah).
fn tag_bytes(kind: u16) -> Option<usize> {
    match kind {
        0x8100 | 0x88a8 | 0x9100 => Some(2),
        0x8926 => Some(4),
        0x88e7 => Some(16),
        _ => None,
    }
}

impl Link {
    pub(super) fn of(link_type: u16) -> Self {
        match link_type {
            0 | 108 => Self::Loopback,
            1 => Self::Ethernet,
            9 | 50 => Self::Ppp,
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            51 => Self::PppOe,
            105 => Self::Wireless,
            119 | 163 => Self::OtherWireless,
            127 | 192 => Self::ReceivedWireless,
            113 => Self::Cooked,
            219 => Self::Mpls,
            276 => Self::Cooked2,
            other => Self::Unknown(other),
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
                (Some(_), _) => Content::Other(Other::Named("another address family")),
                (None, _) => Content::Short,
            },
            Self::Cooked => behind_type(data, 14, 16),
            Self::Cooked2 => behind_type(data, 0, 20),
            Self::Ppp => ppp(data.strip_prefix(b"\xff\x03").unwrap_or(data)),
            Self::PppOe => session(data),
            Self::Mpls => labelled(data),
            Self::Wireless => wireless(data),
            Self::ReceivedWireless => {
                let length = usize::from(ByteOrder::Little.u16(data, 2));
                data.get(length.max(4)..).map_or(Content::Short, wireless)
            }
            Self::OtherWireless => Content::Other(Other::Named("802.11")),
            Self::Unknown(number) => Content::Other(Other::Link(number)),
        }
    }
}

/// What follows a header of `length` with the type of its content at `place`, behind tags.
#[inline]
fn behind_type(data: &[u8], place: usize, length: usize) -> Content<'_> {
    match behind_tags(data, place, length) {
        Some((IPV4 | IPV6, ip)) => Content::Ip(ip),
        Some((kind, rest)) => rare(kind, rest),
        None => Content::Short,
    }
}

/// The type of what is behind all tags, and that itself.
#[inline]
fn behind_tags(data: &[u8], place: usize, length: usize) -> Option<(u16, &[u8])> {
    let mut rest = data.get(length..)?;
    let mut kind = ByteOrder::Big.u16(data, place);
    while let Some(bytes) = tag_bytes(kind) {
        kind = ByteOrder::Big.u16(rest, bytes);
        rest = rest.get(bytes + 2..)?;
    }
    Some((kind, rest))
}

/// Types of content that are not IP itself.
#[cold]
fn rare(kind: u16, rest: &[u8]) -> Content<'_> {
    match kind {
        PPPOE_SESSION => session(rest),
        kind if MPLS.contains(&kind) => labelled(rest),
        kind if kind < TYPE_MIN => logical_link(rest),
        kind => Content::Other(Other::Type(kind)),
    }
}

/// Behind the header of a session of PPP over Ethernet (RFC 2516).
fn session(data: &[u8]) -> Content<'_> {
    data.get(6..).map_or(Content::Short, ppp)
}

/// Behind the protocol number of PPP, of which a zero at the beginning may be left out (RFC 1661).
fn ppp(data: &[u8]) -> Content<'_> {
    match data {
        [0x00, 0x21 | 0x57, ip @ ..] | [0x21 | 0x57, ip @ ..] => Content::Ip(ip),
        [0x02, 0x81, rest @ ..] => labelled(rest),
        [] => Content::Short,
        _ => Content::Other(Other::Named("PPP control")),
    }
}

/// Behind the labels of MPLS (RFC 3032): an IP packet, or an Ethernet frame after a control word (RFC 4448).
fn labelled(mut data: &[u8]) -> Content<'_> {
    loop {
        let Some((label, behind)) = data.split_first_chunk::<4>() else { return Content::Short };
        data = behind;
        if label[2] & 1 != 0 {
            break;
        }
    }
    match data.first().map(|first| first >> 4) {
        None => Content::Short,
        Some(4 | 6) => Content::Ip(data),
        // Pseudowires within pseudowires are not gone into.
        Some(0) => match data.get(4..).and_then(|frame| behind_tags(frame, 12, 14)) {
            Some((IPV4 | IPV6, ip)) => Content::Ip(ip),
            _ => Content::Other(Other::Named("MPLS pseudowire")),
        },
        Some(_) => Content::Other(Other::Named("MPLS pseudowire")),
    }
}

/// Behind the header of logical link control, which may hold a type again (IEEE 802.2, RFC 1042).
fn logical_link(data: &[u8]) -> Content<'_> {
    match data {
        [0xaa, 0xaa, 0x03, 0, 0, 0, high, low, rest @ ..] => match u16::from_be_bytes([*high, *low]) {
            IPV4 | IPV6 => Content::Ip(rest),
            kind => Content::Other(Other::Type(kind)),
        },
        [0x42, 0x42, ..] => Content::Other(Other::Named("spanning tree")),
        [_, _, _, ..] => Content::Other(Other::Named("LLC (802.2)")),
        _ => Content::Short,
    }
}

/// Behind the header of a radio frame that carries data in the clear.
fn wireless(data: &[u8]) -> Content<'_> {
    let &[control, flags, ..] = data else { return Content::Short };
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    let has = |flag: u8| flags & flag != 0;
    let quality = subtype & 8 != 0;
    let name = match kind {
        0 => "802.11 management",
        1 => "802.11 control",
        2 if subtype & 4 != 0 => "802.11 without data",
        2 if has(0x40) => "802.11 encrypted",
        2 => {
            // A fourth address between stations that forward, quality of service, and what it allows besides.
            let service = 24 + if flags & 3 == 3 { 6 } else { 0 };
            let length = service + if quality { 2 } else { 0 } + if quality && has(0x80) { 4 } else { 0 };
            let several = quality && data.get(service).is_some_and(|control| control & 0x80 != 0);
            match data.get(length..) {
                Some(_) if several => "802.11 aggregate",
                Some(rest) => return logical_link(rest),
                None => return Content::Short,
            }
        }
        _ => "802.11 extension",
    };
    Content::Other(Other::Named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: &[u8] = &[0x45, 0, 0, 20];

    fn ethernet(kind: u16, content: &[&[u8]]) -> Vec<u8> {
        [&[2; 6][..], &[4; 6], &kind.to_be_bytes(), &content.concat()].concat()
    }

    #[test]
    fn ip_is_found_behind_tags_labels_and_sessions() {
        let control_word = ethernet(0x0800, &[IP]);
        for frame in [
            ethernet(0x0800, &[IP]),
            ethernet(0x88a8, &[&[0, 5, 0x81, 0, 0, 6, 8, 0], IP]),
            ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 6, 0, 0x21], IP]),
            ethernet(0x8100, &[&[0, 5, 0x88, 0x64], &[0x11, 0, 0, 1, 0, 6, 0, 0x21], IP]),
            ethernet(0x8926, &[&[0, 5, 0, 7, 8, 0], IP]),
            ethernet(0x8926, &[&[0, 5, 0, 7, 0x81, 0], &[0, 6, 8, 0], IP]),
            ethernet(0x88e7, &[&[0, 0, 0, 9], &ethernet(0x8100, &[&[0, 6, 8, 0], IP])]),
            ethernet(0x8847, &[&[0, 1, 0x21, 64], IP]),
            ethernet(0x8847, &[&[0, 1, 0x20, 64, 0, 1, 0x31, 64], IP]),
            ethernet(0x8847, &[&[0, 1, 0x21, 64, 0, 0, 0, 0], &control_word]),
            ethernet(0x0014, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], IP]),
        ] {
            assert_eq!(Link::Ethernet.content(&frame), Content::Ip(IP), "{frame:x?}");
        }
        for (link, start) in [
            (9, &[0xff, 3, 0, 0x21][..]),
            (9, &[0x21]),
            (51, &[0x11, 0, 0, 1, 0, 6, 0, 0x21]),
            (219, &[0, 1, 0x21, 64]),
        ] {
            assert_eq!(Link::of(link).content(&[start, IP].concat()), Content::Ip(IP), "link type {link}");
        }
    }

    #[test]
    fn whatever_else_there_is_has_a_name() {
        let name = |content: Content<'_>| match content {
            Content::Other(other) => other.name().into_owned(),
            content => panic!("{content:?}"),
        };
        for (kind, content, expected) in [
            (0x0806, &[0; 28][..], "ARP"),
            (0x8863, &[0; 40], "PPPoE discovery"),
            (0x8864, &[0x11, 0, 0, 1, 0, 6, 0xc0, 0x21, 1], "PPP control"),
            (0x8847, &[0, 1, 0x21, 64, 0xff], "MPLS pseudowire"),
            (0x0026, &[0x42, 0x42, 3, 0], "spanning tree"),
            (0x0026, &[0xf0, 0xf0, 3, 0], "LLC (802.2)"),
            (0xabcd, &[], "Ethernet type 0xabcd"),
        ] {
            assert_eq!(name(Link::Ethernet.content(&ethernet(kind, &[content]))), expected);
        }
        assert_eq!(name(Link::of(147).content(&[0; 9])), "link type 147");
    }

    #[test]
    fn radio_frames_are_read_where_they_are_in_the_clear() {
        let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], IP].concat();
        let frame =
            |control: u8, flags: u8, header: usize| [&[control, flags][..], &vec![0; header - 2], &snap].concat();
        for frame in [frame(0x08, 1, 24), frame(0x08, 3, 30), frame(0x88, 1, 26), frame(0x88, 0x81, 30)] {
            assert_eq!(Link::of(105).content(&frame), Content::Ip(IP), "{frame:x?}");
            let received = [&[0, 0, 9, 0, 0, 0, 0, 0, 7], &frame[..]].concat();
            assert_eq!(Link::of(127).content(&received), Content::Ip(IP), "{frame:x?}");
        }
        for (control, flags, name) in [
            (0x80, 0, "802.11 management"),
            (0xb4, 0, "802.11 control"),
            (0x48, 0, "802.11 without data"),
            (0x08, 0x41, "802.11 encrypted"),
            (0x0c, 0, "802.11 extension"),
        ] {
            let content = Content::Other(Other::Named(name));
            assert_eq!(Link::of(105).content(&frame(control, flags, 24)), content, "{control:x}");
        }
        let mut several = frame(0x88, 1, 26);
        several[24] = 0x80;
        assert_eq!(Link::of(105).content(&several), Content::Other(Other::Named("802.11 aggregate")));
        assert_eq!(Link::of(105).content(&frame(0x08, 1, 24)[..20]), Content::Short);
        assert_eq!(Link::of(119).content(&several), Content::Other(Other::Named("802.11")));
    }

    #[test]
    fn frames_that_end_within_the_link_layer_are_short() {
        for frame in [
            ethernet(0x8864, &[&[0x11, 0]]),
            ethernet(0x8847, &[&[0, 1, 0x20, 64]]),
            ethernet(0x8847, &[&[0, 1, 0x21, 64]]),
            ethernet(0x8100, &[&[0, 5]]),
            vec![2; 13],
        ] {
            assert_eq!(Link::Ethernet.content(&frame), Content::Short, "{frame:x?}");
        }
    }
}
