//! Captures that are cut off, damaged, or no captures at all: clear errors, and never a panic.

use dais_traffic::{FlowReader, ReadError, ReadOptions};
use proptest::prelude::*;

use super::build::{
    By, ETHERNET, Packets, RAW, SECOND, block, enhanced, error, ethernet, icmp, interface, log, log_with, pcap, pcapng,
    quick, section, tcp, udp,
};

fn talk(packets: u64) -> Packets {
    (0..packets).map(|k| (k * SECOND / 10, udp(By::Host, (k % 5) as u16, b"abcd"))).collect()
}

#[test]
fn a_capture_cut_in_its_last_record_gives_what_came_before() {
    let packets = talk(10);
    for whole in [pcap(&packets, RAW), pcapng(&packets, RAW, true)] {
        let last = whole.len() - 1;
        for kept in (last - 30..=last).chain([last - 200]) {
            for bad_rows_max in [None, Some(0.0)] {
                let options = ReadOptions { bad_rows_max, ..ReadOptions::default() };
                let log = log_with(&whole[..kept], &options).unwrap_or_else(|error| panic!("{error}"));
                let packets: u64 = log.flows.iter().map(|flow| flow.packets_out).sum();
                let cut = log.stats.bad_rows;
                assert_eq!(log.stats.rows, packets + cut, "{kept}");
                assert!(cut == 0 || log.stats.first_errors[0].contains("cut off here"), "{:?}", log.stats.first_errors);
            }
        }
        assert_eq!(log(&whole[..last]).stats.bad_rows, 1);
        let message = &log(&whole[..last]).stats.first_errors[0];
        assert!(message.starts_with("capture:10: expected "), "{message}");
    }
}

#[test]
fn broken_packets_are_counted_with_their_number_and_too_many_are_refused() {
    let mut packets = talk(300);
    packets[4].1 = vec![0x45, 0, 0];
    packets[7].1 = udp(By::Host, 1, b"abcd");
    packets[7].1[3] = 200;
    let log = log(&pcap(&packets, RAW));
    assert_eq!((log.stats.rows, log.stats.bad_rows), (300, 2));
    assert!(log.stats.first_errors[0].starts_with("capture:5: expected a whole IP header"), "{:?}", log.stats);
    assert_eq!(log.stats.first_errors[1], "capture:8: expected an IP packet of 200 bytes, found one of 32");
    packets.truncate(100);
    let ReadError::TooManyBadRows { bad: 2, rows: 100, first, .. } = error(&pcap(&packets, RAW)) else {
        panic!("two of a hundred packets are too many")
    };
    assert_eq!(first.line, 5);
}

#[test]
fn headers_that_end_too_early_are_broken_packets() {
    let broken = |packet: Vec<u8>| {
        let options = ReadOptions { bad_rows_max: Some(1.0), ..ReadOptions::default() };
        let sound = ethernet(0x0800, &udp(By::Host, 1, b""));
        let log = log_with(&pcap(&quick([packet, sound]), ETHERNET), &options).expect("half may be broken");
        assert_eq!((log.flows.len(), log.stats.bad_rows), (1, 1));
        log.stats.first_errors[0].clone()
    };
    let ip = |cut: usize, mut packet: Vec<u8>| {
        packet.truncate(packet.len() - cut);
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        ethernet(0x0800, &packet)
    };
    assert!(broken(vec![0; 13]).contains("link-layer header"));
    assert!(broken(ethernet(0x8100, &[0, 1])).contains("link-layer header"));
    assert!(broken(ip(4, udp(By::Host, 1, b""))).contains("a UDP header of 8 bytes, found 4 bytes"));
    assert!(broken(ip(1, tcp(By::Host, 1, "S", b""))).contains("a TCP header"));
    assert!(broken(ip(3, icmp(By::Host, 8, 0, b""))).contains("an ICMP header"));
    let mut offset = tcp(By::Host, 1, "S", b"");
    offset[32] = 0xf0;
    assert!(broken(ethernet(0x0800, &offset)).contains("a data offset of 60 bytes in a segment of 20"));
}

#[test]
fn records_that_cannot_be_told_apart_are_an_error_with_their_place() {
    let mut long = pcap(&talk(3), RAW);
    long.extend([0xff; 16]);
    let text = error(&long).to_string();
    assert_eq!(text, "capture: damaged at packet 4: it claims 4294967295 bytes, more than a packet can have");
    let start = [section(false), interface(RAW, 0, &[], false)].concat();
    let huge = [&start[..], &6_u32.to_le_bytes(), &0xffff_fff0_u32.to_le_bytes(), &[0; 8]].concat();
    let odd = [&start[..], &6_u32.to_le_bytes(), &30_u32.to_le_bytes(), &[0; 40]].concat();
    let mut differ = [start.clone(), enhanced(0, 0, b"abcd", false)].concat();
    let last = differ.len() - 4;
    differ[last] ^= 4;
    for capture in [huge, odd, differ, pcap(&talk(1), RAW)[..20].to_vec()] {
        assert!(matches!(error(&capture), ReadError::Damaged { .. }), "{}", error(&capture));
    }
}

#[test]
fn nothing_is_set_aside_for_what_a_block_only_claims() {
    let start = [section(false), interface(RAW, 0, &[], false), enhanced(0, 0, &udp(By::Host, 1, b""), false)].concat();
    for kind in [6_u32, 0x0bad] {
        let claim = [&start[..], &kind.to_le_bytes(), &(15_u32 << 20).to_le_bytes(), &[0; 8]].concat();
        assert_eq!(log(&claim).stats.bad_rows, 1);
    }
}

#[test]
fn packets_of_unknown_interfaces_and_impossible_lengths_are_broken() {
    let options = ReadOptions { bad_rows_max: Some(1.0), ..ReadOptions::default() };
    let sound = enhanced(0, 0, &udp(By::Host, 1, b""), false);
    let mut length = enhanced(0, 0, b"abcd", false);
    length[20] = 99;
    let broken =
        [enhanced(7, 0, b"abcd", false), length, block(6, &[0; 8], false), enhanced(0, u64::MAX, b"abcd", false)];
    let capture = [section(false), interface(RAW, 0, &[], false), broken.concat(), sound].concat();
    let log = log_with(&capture, &options).expect("all but one may be broken");
    assert_eq!((log.flows.len(), log.stats.bad_rows), (1, 4), "{:?}", log.stats.first_errors);
}

#[test]
fn an_unknown_link_layer_and_a_capture_without_flows_say_so() {
    let bluetooth = error(&pcap(&talk(1), 201)).to_string();
    assert!(bluetooth.contains("link type 201") && bluetooth.contains("Ethernet"), "{bluetooth}");
    let radio = error(&pcap(&talk(1), 105)).to_string();
    assert!(radio.contains("holds no flow") && radio.contains(" 802.11 control"), "{radio}");
    let arp = error(&pcap(&quick([ethernet(0x0806, &[0; 28])]), ETHERNET)).to_string();
    assert!(arp.contains("holds no flow") && arp.contains("1 other (1 ARP)"), "{arp}");
    assert!(matches!(error(&pcap(&Packets::new(), ETHERNET)), ReadError::NoRows { .. }));
}

/// Reads to the end whatever comes; what is accepted must be sound.
fn feed(capture: &[u8]) -> usize {
    let options = ReadOptions { bad_rows_max: Some(1.0), open_flows_max: 3, ..ReadOptions::default() };
    let Ok(reader) = FlowReader::open("f", capture, &options) else { return 0 };
    let mut flows = 0;
    for flow in reader {
        let Ok(flow) = flow else { break };
        assert!(flow.flow.packets_out + flow.flow.packets_in > 0, "{flow:?}");
        assert!(flow.flow.time_s.is_finite() && flow.flow.duration_s >= 0.0, "{flow:?}");
        flows += 1;
    }
    flows
}

fn samples() -> Vec<Vec<u8>> {
    let mut packets = quick([
        tcp(By::Host, 80, "S", b""),
        tcp(By::Server, 80, "SA", b"GET / HTTP/1.1"),
        udp(By::Host, 53, b"abcd"),
        icmp(By::Host, 8, 0, b"ping"),
        tcp(By::Host, 80, "R", b""),
    ]);
    let raw = [pcap(&packets, RAW), pcapng(&packets, RAW, true)];
    for (_, packet) in &mut packets {
        *packet = ethernet(0x0800, packet);
    }
    raw.into_iter().chain([pcap(&packets, ETHERNET), pcapng(&packets, ETHERNET, false)]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_behind_any_beginning_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        link in prop::sample::select(vec![0_u8, 1, 12, 101, 108, 113]),
        kept in 0..200_usize,
    ) {
        let mut start = pcap(&Packets::new(), u32::from(link));
        start.extend(&bytes);
        feed(&start);
        for sample in samples() {
            feed(&[&sample[..kept.min(sample.len())], &bytes].concat());
        }
    }

    #[test]
    fn any_packet_is_counted_or_named(packet in proptest::collection::vec(any::<u8>(), 0..120), version in 4..=6_u8) {
        let mut packet = packet;
        if let Some(first) = packet.first_mut() {
            *first = version << 4 | (*first & 7);
        }
        let options = ReadOptions { bad_rows_max: Some(1.0), ..ReadOptions::default() };
        let capture = pcap(&quick([packet.clone(), udp(By::Host, 1, b"")]), RAW);
        let log = log_with(&capture, &options).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let packets: u64 = log.flows.iter().map(|flow| flow.packets_out + flow.packets_in).sum();
        prop_assert_eq!(packets + log.stats.bad_rows + log.stats.other_records(), 2);
    }

    #[test]
    fn mutated_captures_never_make_a_reader_panic(
        which in 0..4_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut capture = samples().swap_remove(which);
        prop_assert!(feed(&capture) > 0, "the original is accepted");
        for (at, byte) in changes {
            let at = at.index(capture.len());
            capture[at] = byte;
        }
        feed(&capture);
        let end = end.index(capture.len());
        feed(&capture[..end]);
    }
}
