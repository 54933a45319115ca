//! Captures in memory, in every layout that readers must understand.

use dais_traffic::{Flow, FlowLog, FlowReader, Input, ReadError, ReadOptions, read};
use etherparse::{PacketBuilder, PacketBuilderStep, ip_number};

pub(crate) const HOST: [u8; 4] = [10, 0, 0, 1];
pub(crate) const SERVER: [u8; 4] = [192, 168, 0, 9];
pub(crate) const SECOND: u64 = 1_000_000_000;
/// When captures begin.
pub(crate) const START: u64 = 1_700_000_000 * SECOND;

/// Packets with their times in nanoseconds since [`START`].
pub(crate) type Packets = Vec<(u64, Vec<u8>)>;

/// A capture of IP packets without a link layer.
pub(crate) const RAW: u32 = 101;
pub(crate) const ETHERNET: u32 = 1;

/// A classic capture, in either byte order, with times in micro- or nanoseconds.
pub(crate) fn pcap_as(packets: &Packets, link: u32, big: bool, nanoseconds: bool) -> Vec<u8> {
    let magic: u32 = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let version = if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    let mut capture = [word(magic), version, word(0), word(0), word(65_535), word(link)].concat();
    for (at, packet) in packets {
        let at = START + at;
        let fraction = at % SECOND / if nanoseconds { 1 } else { 1_000 };
        let length = packet.len() as u32;
        for value in [(at / SECOND) as u32, fraction as u32, length, length] {
            capture.extend(word(value));
        }
        capture.extend(packet);
    }
    capture
}

pub(crate) fn pcap(packets: &Packets, link: u32) -> Vec<u8> {
    pcap_as(packets, link, false, false)
}

/// A block of the newer format: type, length, body, length.
pub(crate) fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let length = word(padded.len() as u32 + 12);
    [&word(kind)[..], &length, &padded, &length].concat()
}

pub(crate) fn section(big: bool) -> Vec<u8> {
    let magic: u32 = 0x1a2b_3c4d;
    let body = if big { magic.to_be_bytes() } else { magic.to_le_bytes() };
    block(0x0a0d_0d0a, &[&body[..], &[0, 1, 0, 0], &[0xff; 8]].concat(), big)
}

fn both(value: u16, big: bool) -> [u8; 2] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

/// The description of an interface, with its options as code and value.
pub(crate) fn interface(link: u32, snap: u32, options: &[(u16, &[u8])], big: bool) -> Vec<u8> {
    let snap = if big { snap.to_be_bytes() } else { snap.to_le_bytes() };
    let mut body = [&both(link as u16, big)[..], &[0, 0], &snap].concat();
    for (code, value) in options {
        body.extend([both(*code, big), both(value.len() as u16, big)].concat());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    block(1, &body, big)
}

/// A packet with a time in ticks of its interface.
pub(crate) fn enhanced(interface: u32, ticks: u64, packet: &[u8], big: bool) -> Vec<u8> {
    let length = packet.len() as u32;
    let words = [interface, (ticks >> 32) as u32, ticks as u32, length, length];
    let bytes = words.map(|value| if big { value.to_be_bytes() } else { value.to_le_bytes() });
    block(6, &[&bytes.concat()[..], packet].concat(), big)
}

/// The same packets in the newer format, one interface, microseconds.
pub(crate) fn pcapng(packets: &Packets, link: u32, big: bool) -> Vec<u8> {
    let mut capture = [section(big), interface(link, 0, &[], big)].concat();
    for (at, packet) in packets {
        capture.extend(enhanced(0, (START + at) / 1_000, packet, big));
    }
    capture
}

/// Which of the two ends sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Host,
    Server,
}

/// Addresses and ports of a packet between host and server.
fn ends(by: By, port: u16) -> ([[u8; 4]; 2], [u16; 2]) {
    match by {
        By::Host => ([HOST, SERVER], [40_000, port]),
        By::Server => ([SERVER, HOST], [port, 40_000]),
    }
}

fn ip(by: By) -> PacketBuilderStep<etherparse::IpHeaders> {
    let ([from, to], _) = ends(by, 0);
    PacketBuilder::ipv4(from, to, 64)
}

/// A TCP packet between host and server; flags by their letters.
pub(crate) fn tcp(by: By, port: u16, flags: &str, payload: &[u8]) -> Vec<u8> {
    let (_, [from, to]) = ends(by, port);
    let mut packet = ip(by).tcp(from, to, 1, 1_000);
    for flag in flags.chars() {
        packet = match flag {
            'S' => packet.syn(),
            'A' => packet.ack(1),
            'F' => packet.fin(),
            'R' => packet.rst(),
            other => panic!("no flag {other}"),
        };
    }
    let mut bytes = Vec::new();
    packet.write(&mut bytes, payload).expect("memory takes bytes");
    bytes
}

/// A UDP packet between host and server.
pub(crate) fn udp(by: By, port: u16, payload: &[u8]) -> Vec<u8> {
    let (_, [from, to]) = ends(by, port);
    let mut bytes = Vec::new();
    ip(by).udp(from, to).write(&mut bytes, payload).expect("memory takes bytes");
    bytes
}

/// An ICMP message between host and server.
pub(crate) fn icmp(by: By, kind: u8, code: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(by).icmpv4_raw(kind, code, [0, 1, 0, 1]).write(&mut bytes, payload).expect("memory takes bytes");
    bytes
}

/// A packet of a protocol without ports.
pub(crate) fn gre(by: By, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(by).write(&mut bytes, ip_number::GRE, payload).expect("memory takes bytes");
    bytes
}

/// An IP packet behind an Ethernet header of the given type.
pub(crate) fn ethernet(kind: u16, content: &[u8]) -> Vec<u8> {
    [&[2; 6][..], &[4; 6], &kind.to_be_bytes(), content].concat()
}

/// What a capture becomes.
pub(crate) fn log_with(capture: &[u8], options: &ReadOptions) -> Result<FlowLog, ReadError> {
    match read("capture", capture, options)? {
        Input::Flows(log) => Ok(log),
        Input::Table(_) => panic!("a capture is read as a table"),
    }
}

pub(crate) fn log(capture: &[u8]) -> FlowLog {
    log_with(capture, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn error(capture: &[u8]) -> ReadError {
    log_with(capture, &ReadOptions::default()).map(|_| ()).expect_err("a capture that cannot be read")
}

/// The flows of IP packets, by their start.
pub(crate) fn flows(packets: &Packets) -> Vec<Flow> {
    log(&pcap(packets, RAW)).flows
}

/// The flows of IP packets in the order of their ends.
pub(crate) fn flows_as_they_end(packets: &Packets, options: &ReadOptions) -> Vec<Flow> {
    let capture = pcap(packets, RAW);
    let reader = FlowReader::open("capture", capture.as_slice(), options).expect("a capture");
    reader.map(|flow| flow.expect("sound packets").flow).collect()
}

/// Packets a millisecond apart.
pub(crate) fn quick(packets: impl IntoIterator<Item = Vec<u8>>) -> Packets {
    (0..).step_by(1_000_000).zip(packets).collect()
}
