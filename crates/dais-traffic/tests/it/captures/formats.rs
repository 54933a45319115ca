//! One set of packets in every layout of file and link.

use std::io::Write;

use dais_traffic::{ConnState, Format, Protocol, Service};

use super::build::{
    By, ETHERNET, Packets, RAW, SECOND, START, block, enhanced, ethernet, interface, log, pcap, pcap_as, pcapng, quick,
    section, tcp, udp,
};

fn dialogue() -> Packets {
    quick([
        tcp(By::Host, 80, "S", b""),
        tcp(By::Server, 80, "SA", b""),
        tcp(By::Host, 80, "A", b"GET / HTTP/1.1\r\n\r\n"),
        tcp(By::Server, 80, "A", b"HTTP/1.1 200 OK\r\n\r\nhello"),
        tcp(By::Host, 80, "FA", b""),
        tcp(By::Server, 80, "FA", b""),
    ])
}

#[test]
fn both_byte_orders_and_both_resolutions_give_the_same_flow() {
    for (big, nanoseconds) in [(false, false), (false, true), (true, false), (true, true)] {
        let log = log(&pcap_as(&dialogue(), RAW, big, nanoseconds));
        let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
        assert_eq!((log.format, log.stats.rows, log.stats.bad_rows), (Format::Pcap, 6, 0));
        assert!((flow.time_s - 1.7e9).abs() < 1e-6 && (flow.duration_s - 0.005).abs() < 1e-6, "{flow:?}");
        assert_eq!((flow.protocol, flow.service, flow.state), (Protocol::Tcp, Service::Http, ConnState::Sf));
        assert_eq!((flow.source_port, flow.destination_port), (40_000, 80));
        assert_eq!((flow.bytes_out, flow.bytes_in, flow.packets_out, flow.packets_in), (18, 24, 3, 3));
    }
}

#[test]
fn the_newer_format_and_gzip_change_nothing() {
    let expected = log(&pcap(&dialogue(), RAW)).flows;
    for big in [false, true] {
        let newer = log(&pcapng(&dialogue(), RAW, big));
        assert_eq!((newer.format, &newer.flows), (Format::PcapNg, &expected));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&pcapng(&dialogue(), RAW, big)).expect("memory takes bytes");
        assert_eq!(log(&packed.finish().expect("memory takes bytes")).flows, expected);
    }
}

/// Puts an IP packet behind a link layer.
type Wrap = Box<dyn Fn(&[u8]) -> Vec<u8>>;

#[test]
fn every_link_layer_leads_to_the_same_flow() {
    let expected = log(&pcap(&dialogue(), RAW)).flows;
    let tagged = |ip: &[u8]| [&[0, 7, 0x08, 0x00][..], ip].concat();
    let cooked = |ip: &[u8]| [&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0][..], ip].concat();
    let cooked2 = |ip: &[u8]| [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0][..], ip].concat();
    let wraps: [(u32, Wrap); 9] = [
        (ETHERNET, Box::new(|ip| ethernet(0x0800, ip))),
        (ETHERNET, Box::new(move |ip| ethernet(0x8100, &tagged(ip)))),
        (ETHERNET, Box::new(move |ip| ethernet(0x88a8, &[&[0, 9, 0x81, 0x00][..], &tagged(ip)].concat()))),
        (228, Box::new(<[u8]>::to_vec)),
        (113, Box::new(cooked)),
        (276, Box::new(cooked2)),
        (0, Box::new(|ip| [&[2, 0, 0, 0][..], ip].concat())),
        (0, Box::new(|ip| [&[0, 0, 0, 2][..], ip].concat())),
        (108, Box::new(|ip| [&[0, 0, 0, 2][..], ip].concat())),
    ];
    for (link, wrap) in wraps {
        let packets: Packets = dialogue().into_iter().map(|(at, ip)| (at, wrap(&ip))).collect();
        let log = log(&pcap(&packets, link));
        assert_eq!((log.flows, log.stats.bad_rows), (expected.clone(), 0), "link {link}");
    }
}

#[test]
fn every_interface_has_its_own_link_layer_and_clock() {
    let host = udp(By::Host, 9_000, b"question");
    let server = udp(By::Server, 9_000, b"answer");
    for big in [false, true] {
        let offset = if big { 1_000_i64.to_be_bytes() } else { 1_000_i64.to_le_bytes() };
        let capture = [
            section(big),
            interface(ETHERNET, 0, &[(2, b"eth0"), (9, &[9]), (0, b"")], big),
            // Two to the tenth ticks a second, counted from 1,000 s later, and no end of the options.
            interface(RAW, 0, &[(9, &[0x8a]), (14, &offset)], big),
            interface(147, 0, &[], big),
            enhanced(0, START, &ethernet(0x0800, &host), big),
            block(0x0bad, b"some block that nobody knows", big),
            enhanced(1, (START / SECOND - 1_000) * 1_024 + 512, &server, big),
            enhanced(2, 0, b"an unknown link layer", big),
        ];
        let log = log(&capture.concat());
        let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
        assert!((flow.time_s - 1.7e9).abs() < 1e-6 && (flow.duration_s - 0.5).abs() < 1e-6, "{flow:?}");
        assert_eq!((flow.bytes_out, flow.bytes_in, flow.state), (8, 6, ConnState::Sf));
        assert_eq!((log.stats.rows, log.stats.other_records()), (2, 1));
    }
}

#[test]
fn a_new_section_may_have_another_byte_order_and_other_interfaces() {
    let one = pcapng(&dialogue(), RAW, false);
    let later: Packets = dialogue().into_iter().map(|(at, ip)| (at + 10 * SECOND, ethernet(0x0800, &ip))).collect();
    let log = log(&[one, pcapng(&later, ETHERNET, true)].concat());
    let starts: Vec<u64> = log.flows.iter().map(|flow| flow.time_s as u64).collect();
    assert_eq!(starts, [1_700_000_000, 1_700_000_010]);
}

#[test]
fn simple_and_old_packet_blocks_are_read() {
    let (host, server) = (udp(By::Host, 9_000, b"question"), udp(By::Server, 9_000, b"answer"));
    let ticks = START / 1_000;
    let old = |packet: &[u8]| {
        let words = [0, (ticks >> 32) as u32, ticks as u32, packet.len() as u32, packet.len() as u32];
        block(2, &[&words.map(u32::to_le_bytes).concat()[..], packet].concat(), false)
    };
    // A simple packet says only how long it was on the wire: kept are the 30 bytes of the snap length.
    let simple = block(3, &[&(server.len() as u32).to_le_bytes()[..], &server[..30]].concat(), false);
    let log = log(&[section(false), interface(RAW, 30, &[], false), old(&host), simple].concat());
    let [flow] = log.flows.as_slice() else { panic!("{:?}", log.flows) };
    assert_eq!((flow.bytes_out, flow.bytes_in, flow.packets_in), (8, 6, 1));
    assert!(flow.duration_s.abs() < 1e-9, "a packet without a time comes when the one before it came");
}
