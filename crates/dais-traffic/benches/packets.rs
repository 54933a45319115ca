//! How fast packet captures become flows, from memory: bytes of capture a second, packets a second.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot read has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dais_traffic::{FlowReader, ReadOptions};
use etherparse::PacketBuilder;
use rand::RngExt;
use rand_philox::Philox;

const PACKETS: u32 = 100_000;

/// Payload of frames of some 680 bytes on average: nearly half acknowledgements and the like, a third full.
fn payload_bytes(random: &mut Philox) -> usize {
    match random.random_range(0..100_u32) {
        0..45 => random.random_range(0..40_u64) as usize,
        45..65 => random.random_range(100..1_000_u64) as usize,
        65.. => 1_448,
    }
}

/// Packets of `flows` connections at once, TCP and UDP, in both directions, a million a second.
fn frames(flows: u32) -> Vec<Vec<u8>> {
    let mut random = Philox::from_u64_seed(1);
    let payload = [0x55; 1_448];
    let frame = |_| {
        let flow = random.random_range(0..flows);
        let [_, a, b, c] = flow.to_be_bytes();
        let (host, server) = ([10, a, b, c], [192, 168, b & 15, c & 7]);
        let (port, out) = (1_024 + (flow % 60_000) as u16, random.random::<bool>());
        let (from, to) = if out { (host, server) } else { (server, host) };
        let (source, destination) = if out { (port, 443) } else { (443, port) };
        let ip = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from, to, 64);
        let payload = &payload[..payload_bytes(&mut random)];
        let mut bytes = Vec::new();
        if flow % 5 == 0 {
            ip.udp(source, destination).write(&mut bytes, payload).unwrap();
        } else {
            ip.tcp(source, destination, 1, 1_000).ack(1).write(&mut bytes, payload).unwrap();
        }
        bytes
    };
    (0..PACKETS).map(frame).collect()
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut capture = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0".to_vec();
    for (at_us, frame) in (0_u32..).zip(frames) {
        for word in [1_700_000_000 + at_us / 1_000_000, at_us % 1_000_000, frame.len() as u32, frame.len() as u32] {
            capture.extend(word.to_le_bytes());
        }
        capture.extend(frame);
    }
    capture
}

fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut capture = Vec::new();
    let mut words = |words: &[u32], data: &[u8]| {
        capture.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        capture.extend(data);
        capture.resize(capture.len().next_multiple_of(4), 0);
    };
    words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 1, 0, 20], &[]);
    for (at_us, frame) in (0_u32..).zip(frames) {
        let (kept, length) = (frame.len() as u32, 32 + (frame.len() as u32).next_multiple_of(4));
        words(&[6, length, 0, 0, at_us, kept, kept], frame);
        words(&[length], &[]);
    }
    capture
}

fn read(capture: &[u8]) -> u64 {
    let reader = FlowReader::open("capture", capture, &ReadOptions::default()).unwrap();
    reader.map(|flow| flow.unwrap().flow.packets_out).sum()
}

fn packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packets");
    for flows in [4_096, 1_000_000] {
        let frames = frames(flows);
        for (format, capture) in [("pcap", pcap(&frames)), ("pcapng", pcapng(&frames))] {
            assert!(read(&capture) > 0);
            group.throughput(Throughput::Bytes(capture.len() as u64));
            group.bench_function(format!("{format}_{flows}_flows"), |bencher| {
                bencher.iter(|| read(black_box(&capture)));
            });
        }
    }
    group.finish();
}

criterion_group!(capture, packets);
criterion_main!(capture);
