//! What memory is bounded by, and what happens there.

use std::collections::BTreeSet;

use dais_traffic::{FlowReader, ReadOptions};

use super::build::{By, RAW, SECOND, flows_as_they_end, log_with, pcap, quick, udp};

#[test]
fn at_the_bound_the_flow_that_was_idle_longest_ends_first() {
    let packet = |port| udp(By::Host, port, b"a");
    let packets = quick([packet(1), packet(2), packet(1), packet(3), packet(4), packet(1)]);
    let options = ReadOptions { open_flows_max: 3, ..ReadOptions::default() };
    let ports: Vec<u16> = flows_as_they_end(&packets, &options).iter().map(|flow| flow.destination_port).collect();
    assert_eq!(ports, [2, 3, 4, 1]);
    let log = log_with(&pcap(&packets, RAW), &options).expect("sound packets");
    assert_eq!((log.stats.crowded_out, log.stats.rows), (1, 6));
}

#[test]
fn no_packet_is_lost_however_few_flows_may_be_open() {
    let packets: Vec<_> = (0..2_000_u64)
        .map(|k| (k * SECOND / 7, udp(if k % 3 == 0 { By::Server } else { By::Host }, (k * k % 97) as u16, b"ab")))
        .collect();
    for open_flows_max in [0, 1, 2, 50, 1_000] {
        let options = ReadOptions { open_flows_max, ..ReadOptions::default() };
        let flows = flows_as_they_end(&packets, &options);
        let sum: u64 = flows.iter().map(|flow| flow.packets_out + flow.packets_in).sum();
        let bytes: u64 = flows.iter().map(|flow| flow.bytes_out + flow.bytes_in).sum();
        assert_eq!((sum, bytes), (2_000, 4_000), "{open_flows_max}");
    }
}

#[test]
fn flows_leave_while_the_capture_still_runs() {
    /// Packets without end, a second apart, each of another flow.
    struct Endless {
        sent: u64,
        rest: Vec<u8>,
    }
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.rest.is_empty() {
                let packet = pcap(&vec![(self.sent * SECOND, udp(By::Host, self.sent as u16, b"a"))], RAW);
                self.rest = if self.sent == 0 { packet } else { packet[24..].to_vec() };
                self.sent += 1;
            }
            let taken = self.rest.len().min(buffer.len());
            buffer[..taken].copy_from_slice(&self.rest[..taken]);
            self.rest.drain(..taken);
            Ok(taken)
        }
    }
    let endless = Endless { sent: 0, rest: Vec::new() };
    let reader = FlowReader::open("pipe", endless, &ReadOptions::default()).expect("a capture");
    let ports: BTreeSet<u16> =
        reader.take(500).map(|flow| flow.expect("sound packets").flow.destination_port).collect();
    assert_eq!(ports, (0..500).collect());
}
