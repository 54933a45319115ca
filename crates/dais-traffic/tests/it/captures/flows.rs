//! Where flows begin and end, who began them, and how they went.

use dais_traffic::{ConnState, Flow, ReadOptions, Service};

use super::build::{By, HOST, Packets, SECOND, SERVER, flows, flows_as_they_end, quick, tcp, udp};

/// TCP packets of one connection: `>` or `<` for who sends, then the flags.
fn dialogue(packets: &str) -> Packets {
    quick(packets.split_whitespace().map(|packet| {
        let by = if packet.starts_with('>') { By::Host } else { By::Server };
        tcp(by, 80, &packet[1..], b"")
    }))
}

#[test]
fn each_ending_of_a_connection_has_its_state() {
    for (packets, state) in [
        (">S", ConnState::S0),
        (">S <SA >A", ConnState::S1),
        (">S <SA >A >FA <A <FA >A", ConnState::Sf),
        (">S <RA", ConnState::Rej),
        (">S <SA >A >FA <A", ConnState::S2),
        (">S <SA >A <FA >A", ConnState::S3),
        (">S <SA >A >RA", ConnState::Rsto),
        (">S <SA >A <RA", ConnState::Rstr),
        (">S >R", ConnState::Rstos0),
        ("<SA <R", ConnState::Rstrh),
        (">S >F", ConnState::Sh),
        ("<SA <F", ConnState::Shr),
        (">A <A", ConnState::Oth),
    ] {
        let flows = flows(&dialogue(packets));
        let [flow] = flows.as_slice() else { panic!("{packets}: {flows:?}") };
        let sent = packets.matches('>').count() as u64;
        assert_eq!((flow.state, flow.packets_out), (state, sent), "{packets}");
        assert_eq!((flow.source, flow.destination), (HOST.into(), SERVER.into()), "{packets}");
    }
}

#[test]
fn the_first_sender_is_the_originator_unless_it_answers() {
    for (packets, originator) in
        [("<A >A", HOST), ("<S >SA", SERVER), ("<SA >A", HOST), (">SA <A", SERVER), (">A <A", HOST)]
    {
        assert_eq!(flows(&dialogue(packets))[0].source, std::net::IpAddr::from(originator), "{packets}");
    }
}

fn packets_by_flow(flows: &[Flow]) -> Vec<u64> {
    flows.iter().map(|flow| flow.packets_out + flow.packets_in).collect()
}

#[test]
fn a_silence_beyond_the_limit_of_the_protocol_ends_a_flow() {
    let udp = |at: u64| (at * SECOND, udp(By::Host, 53, b"a"));
    assert_eq!(packets_by_flow(&flows(&vec![udp(0), udp(60), udp(120)])), [3]);
    assert_eq!(packets_by_flow(&flows(&vec![udp(0), udp(61), udp(121)])), [1, 2]);
    let tcp = |at: u64, flags| (at * SECOND, tcp(By::Host, 53, flags, b""));
    assert_eq!(packets_by_flow(&flows(&vec![tcp(0, "A"), tcp(300, "A")])), [2]);
    assert_eq!(packets_by_flow(&flows(&vec![tcp(0, "A"), tcp(301, "A")])), [1, 1]);
    assert_eq!(packets_by_flow(&flows(&vec![tcp(0, "S"), tcp(5, "S"), tcp(11, "S")])), [2, 1]);
}

#[test]
fn a_new_syn_begins_a_new_flow_once_the_old_one_is_closed() {
    assert_eq!(packets_by_flow(&flows(&dialogue(">S <RA >S <RA"))), [2, 2]);
    assert_eq!(packets_by_flow(&flows(&dialogue(">S <SA >A >FA <FA >A >S <SA >A"))), [6, 3]);
    assert_eq!(packets_by_flow(&flows(&dialogue(">S <SA >A >S"))), [4], "the old one is not closed");
    assert_eq!(packets_by_flow(&flows(&dialogue(">S <SA >R <A >FA"))), [5], "stragglers after a reset");
}

#[test]
fn flows_come_in_the_order_of_their_ends() {
    let packets = vec![
        (0, tcp(By::Host, 1, "A", b"")),
        (SECOND, udp(By::Host, 2, b"")),
        (2 * SECOND, tcp(By::Host, 3, "S", b"")),
        (3 * SECOND, tcp(By::Server, 3, "RA", b"")),
        (70 * SECOND, tcp(By::Host, 4, "A", b"")),
    ];
    let ports: Vec<u16> =
        flows_as_they_end(&packets, &ReadOptions::default()).iter().map(|flow| flow.destination_port).collect();
    assert_eq!(ports, [3, 2, 1, 4]);
}

#[test]
fn time_may_go_back_a_little_and_a_great_leap_begins_anew() {
    let at = |seconds: u64, port| (seconds * SECOND, udp(By::Host, port, b"a"));
    let little = flows(&vec![at(1_000, 53), at(990, 53), at(1_010, 53)]);
    assert_eq!(packets_by_flow(&little), [3]);
    assert!((little[0].time_s - 1_700_000_990.0).abs() < 1e-6 && (little[0].duration_s - 20.0).abs() < 1e-6);
    let leap = flows(&vec![at(1_000, 53), at(1_000, 54), at(0, 53), at(30, 53), at(100, 53)]);
    assert_eq!(packets_by_flow(&leap), [2, 1, 1, 1]);
}

#[test]
fn services_are_told_by_payload_before_ports_and_never_without_payload() {
    let service = |port: u16, flags: &str, payload: &[u8]| {
        flows(&quick([tcp(By::Host, port, "S", b""), tcp(By::Host, port, flags, payload)]))[0].service
    };
    for (port, payload, expected) in [
        (902, &b"SSH-2.0-x"[..], Service::Ssh),
        (4_444, b"\x16\x03\x01\x00\x40\x01\x00", Service::Tls),
        (443, b"\x16\x03\x01\x00\x40\x01\x00", Service::Tls),
        (443, b"raw commands", Service::None),
        (21, b"USER anonymous", Service::Ftp),
        (80, b"", Service::None),
    ] {
        assert_eq!(service(port, "A", payload), expected, "{port}");
    }
    let midstream = flows(&quick([tcp(By::Host, 443, "A", b"\x17\x03\x03")]));
    assert_eq!(midstream[0].service, Service::Tls, "the port decides where the beginning was not seen");
    assert_eq!(flows(&quick([udp(By::Server, 53, b"answer")]))[0].service, Service::Dns);
}
