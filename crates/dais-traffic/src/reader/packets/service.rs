//! The application protocol of a flow, by what its first payload looks like and by its ports.

use etherparse::IpNumber;

use crate::Service;

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
