//! Flows of real captures, against what `tshark` reads out of the same packets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use dais_traffic::{Flow, Protocol};

use crate::data;

const CAPTURES: [&str; 6] =
    ["ssh_bruteforce", "icmp_scan", "ftp_bruteforce", "tls_heartbleed", "web_sql_injection", "dns_exfiltration"];

const FIELDS: [&str; 12] = [
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tcp.len",
    "udp.length",
    "icmp.type",
    "data.len",
];

/// Whoever sends, where to, by which protocol.
type Way = (&'static str, (IpAddr, u16), (IpAddr, u16));

/// Packets and payload bytes; the bytes are 0 where `tshark` does not say them.
type Counts = BTreeMap<Way, (u64, u64)>;

fn add(counts: &mut Counts, way: Way, packets: u64, bytes: u64) {
    if packets > 0 {
        let (sum, payload) = counts.entry(way).or_default();
        *sum += packets;
        *payload += bytes;
    }
}

/// What `tshark` prints; `None`, said loudly, where it is not installed. In CI it must be.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn tshark(capture: &Path, arguments: &[&str]) -> Option<String> {
    let output = match Command::new("tshark").arg("-n").arg("-r").arg(capture).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "tshark cannot be run ({error}); install Debian's tshark");
            eprintln!("SKIPPED: tshark cannot be run ({error}); install Debian's tshark");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("tshark writes text"))
}

/// Packets and payload each way, from one line a packet.
fn counted_by_tshark(capture: &Path) -> Option<Counts> {
    let mut arguments = vec!["-T", "fields", "-E", "occurrence=f"];
    for field in FIELDS {
        arguments.extend(["-e", field]);
    }
    let mut counts = Counts::new();
    for line in tshark(capture, &arguments)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |field: &str| {
            let at = FIELDS.iter().position(|name| *name == field).expect("a field that was asked for");
            fields[at].parse::<u64>().ok()
        };
        let address = |four: usize, six: usize| fields[four].parse().or_else(|_| fields[six].parse()).ok();
        let (Some(source), Some(destination)): (Option<IpAddr>, Option<IpAddr>) = (address(0, 2), address(1, 3)) else {
            continue;
        };
        let port = |field: &str| number(field).unwrap_or(0) as u16;
        let way = |name, from, to| (name, (source, port(from)), (destination, port(to)));
        if let Some(length) = number("tcp.len") {
            add(&mut counts, way("tcp", "tcp.srcport", "tcp.dstport"), 1, length);
        } else if let Some(length) = number("udp.length").filter(|_| number("icmp.type").is_none()) {
            add(&mut counts, way("udp", "udp.srcport", "udp.dstport"), 1, length - 8);
        } else if number("icmp.type").is_some() {
            add(&mut counts, ("icmp", (source, 0), (destination, 0)), 1, 0);
        } else {
            add(&mut counts, ("other", (source, 0), (destination, 0)), 1, 0);
        }
    }
    Some(counts)
}

fn counted_by_dais(flows: &[Flow]) -> Counts {
    let mut counts = Counts::new();
    for flow in flows {
        let known = matches!(flow.protocol, Protocol::Tcp | Protocol::Udp);
        let bytes = |bytes| if known { bytes } else { 0 };
        let name = flow.protocol.name();
        let (source, destination) = ((flow.source, flow.source_port), (flow.destination, flow.destination_port));
        add(&mut counts, (name, source, destination), flow.packets_out, bytes(flow.bytes_out));
        add(&mut counts, (name, destination, source), flow.packets_in, bytes(flow.bytes_in));
    }
    counts
}

#[test]
fn packets_and_payload_each_way_are_those_that_tshark_counts() {
    let mut compared = 0;
    for name in CAPTURES {
        let path = format!("pcap/{name}.pcap");
        let (Some(log), Some(file)) = (data::log(&path), data::path(&path)) else { return };
        let Some(expected) = counted_by_tshark(&file) else { return };
        assert_eq!(counted_by_dais(&log.flows), expected, "{name}");
        assert_eq!(log.stats.bad_rows, 0, "{name}: {:?}", log.stats.first_errors);
        compared += expected.len();
    }
    assert!(compared > 200, "only {compared} directions were compared");
}

#[test]
fn tcp_flows_are_the_streams_that_tshark_tells_apart() {
    for name in CAPTURES {
        let path = format!("pcap/{name}.pcap");
        let (Some(log), Some(file)) = (data::log(&path), data::path(&path)) else { return };
        let Some(streams) = tshark(&file, &["-T", "fields", "-e", "tcp.stream", "-Y", "tcp && !icmp"]) else { return };
        let mut streams: Vec<&str> = streams.lines().collect();
        streams.sort_unstable();
        streams.dedup();
        let flows = log.flows.iter().filter(|flow| flow.protocol == Protocol::Tcp).count();
        assert_eq!(flows, streams.len(), "{name}");
    }
}
