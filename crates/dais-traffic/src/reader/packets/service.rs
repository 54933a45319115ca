//! The application protocol of a flow, by what its first payload looks like and by its ports.

use etherparse::IpNumber;

use crate::Service;

use super::segment::Segment;
use super::tcp::{ACK, SYN};

/// What payload beyond doubt is, by its first bytes.
pub(super) fn by_payload(protocol: IpNumber, payload: &[u8]) -> Option<Service> {
    const HTTP: [&[u8]; 9] =
        [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"CONNECT ", b"PRI * HT", b"HTTP/1."];
    if protocol != IpNumber::TCP {
        return None;
    }
    match payload {
        // A handshake record of TLS with the greeting of a client or a server.
        [0x16, 0x03, 0..=4, _, _, 1 | 2, ..] => Some(Service::Tls),
        [b'S', b'S', b'H', b'-', ..] => Some(Service::Ssh),
        _ => HTTP.iter().any(|start| payload.starts_with(start)).then_some(Service::Http),
    }
}

/// Whether a protocol is one that [`by_payload`] never misses at the beginning of a connection.
pub(super) fn is_telling(service: Service) -> bool {
    matches!(service, Service::Http | Service::Tls | Service::Ssh)
}

/// What a port is registered for, or commonly used for; `None` for any other.
fn by_port(protocol: IpNumber, port: u16) -> Service {
    match (protocol, port) {
        (IpNumber::TCP | IpNumber::UDP, 53) | (IpNumber::UDP, 5353 | 5355) => Service::Dns,
        (IpNumber::TCP, 80 | 3128 | 8000 | 8008 | 8080 | 8888) => Service::Http,
        (IpNumber::TCP, 443 | 853 | 8443) | (IpNumber::UDP, 443 | 853) => Service::Tls,
        (IpNumber::TCP, 22) => Service::Ssh,
        (IpNumber::TCP, 25 | 465 | 587) => Service::Smtp,
        (IpNumber::TCP, 110 | 143 | 993 | 995) => Service::Mailbox,
        (IpNumber::TCP, 20 | 21 | 990) | (IpNumber::UDP, 69) => Service::Ftp,
        (IpNumber::TCP | IpNumber::UDP, 88 | 135 | 137..=139 | 389 | 445 | 464)
        | (IpNumber::TCP, 636 | 3268 | 3269) => Service::Windows,
        (IpNumber::TCP | IpNumber::UDP, 3389) | (IpNumber::TCP, 5900..=5903) => Service::Rdp,
        (IpNumber::TCP, 1433 | 1521 | 3306 | 5432 | 6379 | 27017) => Service::Database,
        (IpNumber::TCP, 1883 | 8883) | (IpNumber::UDP, 5683 | 5684) => Service::Iot,
        (IpNumber::UDP, 123) => Service::Ntp,
        (IpNumber::UDP, 67 | 68 | 546 | 547) => Service::Dhcp,
        (IpNumber::UDP, 161 | 162) => Service::Snmp,
        _ => Service::None,
    }
}

/// Ports on which servers listen in all likelihood: those that Zeek takes for that.
const TCP_SERVERS: [u16; 49] = [
    21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587, 614, 631, 636, 989,
    990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668,
    6669, 8000, 8080, 8888, 20_000,
];
const UDP_SERVERS: [u16; 24] = [
    53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3389, 3544, 4011, 4754, 4789, 5060, 5072, 5353,
    5355, 6081, 20_000,
];

fn is_server(protocol: IpNumber, port: u16) -> bool {
    match protocol {
        IpNumber::TCP => TCP_SERVERS.binary_search(&port).is_ok(),
        IpNumber::UDP => UDP_SERVERS.binary_search(&port).is_ok(),
        _ => false,
    }
}

/// Whether the first packet of a flow was sent by the responder, by its ports: as Zeek guesses where no SYN tells.
pub(super) fn answers(segment: &Segment<'_>) -> bool {
    let (source, destination) = (segment.source_port, segment.destination_port);
    let flags = segment.tcp.map_or(0, |header| header.flags & (SYN | ACK));
    if flags == SYN || !is_server(segment.protocol, source) || is_broadcast(segment) {
        return false;
    }
    let neither_syn = segment.protocol == IpNumber::TCP && flags & SYN == 0;
    // Of two servers that with the lower port is the likelier one.
    !is_server(segment.protocol, destination) || (neither_syn && source < destination)
}

/// Whether a packet is for everybody, so that nobody can have asked for it.
fn is_broadcast(segment: &Segment<'_>) -> bool {
    matches!(segment.destination, std::net::IpAddr::V4(address) if address.is_broadcast())
}

/// What the first of two ports with a known use is for.
pub(in crate::reader) fn by_ports(protocol: IpNumber, ports: [u16; 2]) -> Service {
    let services = ports.map(|port| by_port(protocol, port));
    services.into_iter().find(|service| *service != Service::None).unwrap_or(Service::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_ports_do_not() {
        for (payload, service) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00"[..], Some(Service::Tls)),
            (b"SSH-2.0-OpenSSH", Some(Service::Ssh)),
            (b"GET / HTTP/1.1", Some(Service::Http)),
            (b"HTTP/1.0 200 OK", Some(Service::Http)),
            (b"220 ready", None),
            (b"\x16\x03", None),
            (b"", None),
        ] {
            assert_eq!(by_payload(IpNumber::TCP, payload), service, "{payload:?}");
        }
        assert_eq!(by_payload(IpNumber::UDP, b"GET / HTTP/1.1"), None);
    }

    #[test]
    fn ports_count_by_their_protocol() {
        assert_eq!(by_port(IpNumber::UDP, 123), Service::Ntp);
        assert_eq!(by_port(IpNumber::TCP, 123), Service::None);
        assert_eq!(by_port(IpNumber::GRE, 53), Service::None);
    }
}
