//! Headers of the network and transport layers: fragments, extensions, packets cut short, other protocols.

use std::net::IpAddr;

use dais_traffic::{ConnState, Flow, Protocol};
use etherparse::PacketBuilder;

use super::build::{By, ETHERNET, RAW, ethernet, flows, gre, icmp, log, pcap, pcapng, quick, tcp, udp};

/// Splits an IPv4 packet without options behind `first` bytes of its payload.
fn fragments(packet: &[u8], first: usize) -> [Vec<u8>; 2] {
    let (header, payload) = packet.split_at(20);
    [(true, 0, &payload[..first]), (false, first, &payload[first..])].map(|(more, offset, part)| {
        let mut bytes = [header, part].concat();
        let length = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..6].copy_from_slice(&77_u16.to_be_bytes());
        let place = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        bytes[6..8].copy_from_slice(&place.to_be_bytes());
        bytes
    })
}

fn only(flows: &[Flow]) -> &Flow {
    let [flow] = flows else { panic!("{flows:?}") };
    flow
}

#[test]
fn later_fragments_are_counted_to_the_flow_of_the_first() {
    let [first, second] = fragments(&udp(By::Host, 53, &[1; 100]), 48);
    let log = log(&pcap(&quick([first.clone(), second.clone()]), RAW));
    let flow = only(&log.flows);
    assert_eq!((flow.bytes_out, flow.packets_out, flow.destination_port), (100, 2, 53));
    let stray = super::build::log(&pcap(&quick([second, first]), RAW));
    assert_eq!((only(&stray.flows).bytes_out, stray.stats.other_records()), (40, 1));
}

#[test]
fn the_first_of_tiny_fragments_names_the_ports() {
    let [first, second] = fragments(&tcp(By::Host, 22, "S", b""), 8);
    let flows = flows(&quick([first, second]));
    let flow = only(&flows);
    assert_eq!((flow.packets_out, flow.destination_port, flow.protocol), (2, 22, Protocol::Tcp));
}

/// An IPv6 packet of UDP with extension headers: each is its number and its bytes but the first, which names the next.
fn version_6(extensions: &[(u8, &[u8])], transport: &[u8]) -> Vec<u8> {
    let udp = 17;
    let mut numbers: Vec<u8> = extensions.iter().map(|(number, _)| *number).collect();
    numbers.push(udp);
    let mut rest = Vec::new();
    for (place, (_, bytes)) in extensions.iter().enumerate() {
        rest.push(numbers[place + 1]);
        rest.extend(*bytes);
    }
    rest.extend(transport);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((rest.len() as u16).to_be_bytes());
    packet.extend([numbers[0], 64]);
    packet.extend([&[0xfd; 16][..], &[0xfe; 16]].concat());
    packet.extend(rest);
    packet
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 8).to_be_bytes();
    [&[0x9c, 0x40, 0x00, 0x35][..], &length, &[0, 0], payload].concat()
}

#[test]
fn extension_headers_of_ip_version_6_are_passed_over() {
    let (hop_by_hop, destination) = ([0, 1, 4, 0, 0, 0, 0], [1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let packet = version_6(&[(0, &hop_by_hop), (60, &destination)], &datagram(b"12345"));
    let flows = flows(&quick([packet]));
    let flow = only(&flows);
    assert_eq!((flow.source, flow.destination_port, flow.bytes_out), (IpAddr::from([0xfd; 16]), 53, 5));
}

#[test]
fn fragments_of_ip_version_6_find_their_flow_as_well() {
    let whole = datagram(&[7; 40]);
    let fragment = |place: u16, part: &[u8]| {
        let [high, low] = place.to_be_bytes();
        version_6(&[(44, &[0, high, low, 0, 0, 0, 9])], part)
    };
    let flows = flows(&quick([fragment(1, &whole[..24]), fragment(24, &whole[24..])]));
    let flow = only(&flows);
    assert_eq!((flow.bytes_out, flow.packets_out, flow.source_port), (40, 2, 40_000));
}

#[test]
fn options_of_ip_and_padding_of_ethernet_are_no_payload() {
    let plain = udp(By::Host, 53, b"abc");
    let mut padded = ethernet(0x0800, &plain);
    padded.resize(60, 0xee);
    let mut options = plain[..20].to_vec();
    options[0] = 0x46;
    options[3] += 4;
    options.extend([1, 1, 1, 0]);
    options.extend(&plain[20..]);
    let log = log(&pcap(&quick([padded, ethernet(0x0800, &options)]), ETHERNET));
    assert_eq!((only(&log.flows).bytes_out, log.stats.bad_rows), (6, 0));
}

#[test]
fn bytes_that_were_not_captured_are_counted_by_the_headers() {
    let whole = tcp(By::Host, 443, "A", &[9; 1_000]);
    for kept in [24, 40, 60, whole.len()] {
        let flows = log(&cut_to(&whole, kept)).flows;
        assert_eq!((only(&flows).bytes_out, only(&flows).packets_out), (1_000, 1), "{kept} bytes kept");
    }
}

/// A capture that keeps the first bytes of one packet.
fn cut_to(packet: &[u8], kept: usize) -> Vec<u8> {
    let mut capture = pcap(&quick([packet[..kept].to_vec()]), RAW);
    capture[24 + 12..24 + 16].copy_from_slice(&(packet.len() as u32).to_le_bytes());
    capture
}

#[test]
fn segments_that_a_network_card_cuts_are_measured_by_their_frame() {
    let mut packet = tcp(By::Host, 443, "A", &[9; 3_000]);
    packet[2..4].copy_from_slice(&[0, 0]);
    for kept in [60, packet.len()] {
        assert_eq!(only(&log(&cut_to(&packet, kept)).flows).bytes_out, 3_000, "{kept} bytes kept");
    }
}

#[test]
fn an_echo_and_its_reply_are_one_flow_without_ports() {
    let ping = flows(&quick([icmp(By::Host, 8, 0, &[1; 48]), icmp(By::Server, 0, 0, &[1; 48])]));
    let flow = only(&ping);
    assert_eq!((flow.protocol, flow.state, flow.bytes_out, flow.bytes_in), (Protocol::Icmp, ConnState::Sf, 48, 48));
    assert_eq!((flow.source_port, flow.destination_port), (0, 0));
    let unreachable = flows(&quick([icmp(By::Host, 3, 3, &[1; 28]), icmp(By::Server, 3, 3, &[1; 28])]));
    assert_eq!(unreachable.iter().map(|flow| flow.state).collect::<Vec<_>>(), [ConnState::S0; 2]);
}

#[test]
fn neighbours_of_ip_version_6_are_paired_too() {
    let message = |from: u8, to: u8, kind: u8| {
        let mut bytes = Vec::new();
        let ip = PacketBuilder::ipv6([from; 16], [to; 16], 255);
        ip.icmpv6_raw(kind, 0, [0; 4]).write(&mut bytes, &[3; 16]).expect("memory takes bytes");
        bytes
    };
    let flows = flows(&quick([message(1, 2, 135), message(2, 1, 136)]));
    assert_eq!((only(&flows).packets_out, only(&flows).packets_in, only(&flows).bytes_in), (1, 1, 16));
}

#[test]
fn protocols_without_ports_are_flows_between_addresses() {
    let flows = flows(&quick([gre(By::Host, &[0; 30]), gre(By::Server, &[0; 10]), udp(By::Host, 0, b"")]));
    assert_eq!(flows.len(), 2);
    let tunnel = flows.iter().find(|flow| flow.protocol == Protocol::Other).expect("a tunnel");
    assert_eq!((tunnel.bytes_out, tunnel.bytes_in, tunnel.state), (30, 10, ConnState::Sf));
}

#[test]
fn packets_without_ip_are_other_records() {
    let arp = ethernet(0x0806, &[0; 28]);
    let log = log(&pcapng(&quick([arp.clone(), ethernet(0x0800, &udp(By::Host, 53, b"a")), arp]), ETHERNET, false));
    assert_eq!((log.stats.rows, log.stats.other_records(), log.flows.len()), (1, 2, 1));
}
