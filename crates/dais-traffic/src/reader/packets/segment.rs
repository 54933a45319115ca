//! What one IP packet says about its flow: addresses, ports, TCP flags, payload.

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv6ExtensionSlice, LaxIpSlice, LenSource};

use super::super::error::Flaw;
use super::super::window::ByteOrder;
use super::fragment::{Fragment, Fragments};
use super::{icmp, tcp};

/// One packet, as far as a flow needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// Ports; for ICMP what [`icmp::ports`] makes of type and code, for other protocols 0.
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    /// Number of the transport protocol.
    pub(super) protocol: IpNumber,
    /// What the TCP header says, where it is at hand.
    pub(super) tcp: Option<tcp::Header>,
    /// Bytes behind the transport header by the lengths in the headers, captured or not.
    pub(super) payload_bytes: u64,
    /// What was captured of them.
    pub(super) payload: &'a [u8],
}

/// What an IP packet turned out to be.
pub(super) enum Decoded<'a> {
    Segment(Segment<'a>),
    /// A later fragment whose first one was not seen.
    Stray,
}

/// Reads the headers of an IP packet that had `wire_bytes` on the wire, captured or not, at `at_ns`.
pub(super) fn decode<'a>(
    data: &'a [u8],
    wire_bytes: usize,
    at_ns: u64,
    fragments: &mut Fragments,
) -> Result<Decoded<'a>, Flaw> {
    let (ip, stopped) =
        LaxIpSlice::from_slice(data).map_err(|error| Flaw::row("a whole IP header", error.to_string()))?;
    if let Some((error, _)) = stopped {
        return Err(Flaw::row("whole extension headers", error.to_string()));
    }
    let captured = ip.payload();
    let claimed = payload_length(&ip, wire_bytes)?;
    let mut segment = Segment {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        source_port: 0,
        destination_port: 0,
        protocol: captured.ip_number,
        tcp: None,
        payload_bytes: claimed as u64,
        payload: captured.payload,
    };
    let fragment = if captured.fragmented { fragment(&ip) } else { None };
    if let Some((of, offset)) = fragment
        && offset > 0
    {
        return Ok(match fragments.ports(&of, at_ns) {
            Some((source_port, destination_port)) => {
                Decoded::Segment(Segment { source_port, destination_port, payload: &[], ..segment })
            }
            None => Decoded::Stray,
        });
    }
    transport(&mut segment, claimed, fragment.is_some())?;
    if let Some((of, _)) = fragment {
        fragments.first(of, (segment.source_port, segment.destination_port), at_ns);
    }
    Ok(Decoded::Segment(segment))
}

/// Bytes behind the IP headers by what the IP header claims.
fn payload_length(ip: &LaxIpSlice<'_>, wire_bytes: usize) -> Result<usize, Flaw> {
    let captured = ip.payload();
    let headers = match ip {
        LaxIpSlice::Ipv4(ip) => {
            ip.header().slice().len() + ip.extensions().auth.map_or(0, |header| header.slice().len())
        }
        LaxIpSlice::Ipv6(ip) => ip.header().slice().len() + ip.extensions().slice().len(),
    };
    if !captured.incomplete {
        // A network card that cuts segments itself is handed lengths of 0: then the packet ends where the frame does.
        let open = captured.len_source == LenSource::Slice;
        return Ok(if open { wire_bytes.saturating_sub(headers) } else { captured.payload.len() });
    }
    let claimed = match ip {
        LaxIpSlice::Ipv4(ip) => usize::from(ip.header().total_len()),
        LaxIpSlice::Ipv6(ip) => usize::from(ip.header().payload_length()) + 40,
    };
    if claimed > wire_bytes {
        return Err(Flaw::row(format!("an IP packet of {claimed} bytes"), format!("one of {wire_bytes}")));
    }
    Ok(claimed.saturating_sub(headers))
}

/// Which packet this is a fragment of, and where in it.
fn fragment(ip: &LaxIpSlice<'_>) -> Option<(Fragment, u16)> {
    let (source, destination) = (ip.source_addr(), ip.destination_addr());
    let protocol = ip.payload().ip_number.0;
    match ip {
        LaxIpSlice::Ipv4(ip) => {
            let id = u32::from(ip.header().identification());
            Some((Fragment { source, destination, id, protocol }, ip.header().fragments_offset().value()))
        }
        LaxIpSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|header| match header {
            Ipv6ExtensionSlice::Fragment(header) => {
                let (id, protocol) = (header.identification(), header.next_header().0);
                Some((Fragment { source, destination, id, protocol }, header.fragment_offset().value()))
            }
            Ipv6ExtensionSlice::HopByHop(_)
            | Ipv6ExtensionSlice::Routing(_)
            | Ipv6ExtensionSlice::DestinationOptions(_)
            | Ipv6ExtensionSlice::Authentication(_) => None,
        }),
    }
}

/// Reads the transport header; where a packet or its capture ends within it, what there is of it counts.
fn transport(segment: &mut Segment<'_>, claimed: usize, fragmented: bool) -> Result<(), Flaw> {
    let header = segment.payload;
    let (least, name) = match segment.protocol {
        IpNumber::TCP => (20, "a TCP header of at least 20 bytes"),
        IpNumber::UDP => (8, "a UDP header of 8 bytes"),
        IpNumber::ICMP | IpNumber::IPV6_ICMP => (8, "an ICMP header of 8 bytes"),
        _ => return Ok(()),
    };
    // The first of very small fragments may hold the ports and little more.
    if header.len() < 4 || (claimed < least && !fragmented) {
        return Err(Flaw::row(name, format!("{} bytes", claimed.min(header.len()))));
    }
    let [source_port, destination_port] = [0, 2].map(|at| ByteOrder::Big.u16(header, at));
    (segment.source_port, segment.destination_port) = match segment.protocol {
        IpNumber::ICMP => icmp::ports(icmp::VERSION_4, header[0], header[1]),
        IpNumber::IPV6_ICMP => icmp::ports(icmp::VERSION_6, header[0], header[1]),
        _ => (source_port, destination_port),
    };
    let length = if segment.protocol == IpNumber::TCP {
        segment.tcp = header.get(13).map(|&flags| {
            let [sequence, acknowledged] = [4, 8].map(|at| ByteOrder::Big.u32(header, at));
            tcp::Header { flags, sequence, acknowledged }
        });
        let length = header.get(12).map_or(least, |offset| usize::from(offset >> 4) * 4);
        if length < least || (length > claimed && !fragmented) {
            return Err(Flaw::row(name, format!("a data offset of {length} bytes in a segment of {claimed}")));
        }
        length
    } else {
        least
    };
    segment.payload_bytes = claimed.saturating_sub(length) as u64;
    segment.payload = header.get(length..).unwrap_or_default();
    Ok(())
}
