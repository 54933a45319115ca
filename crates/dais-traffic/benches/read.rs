//! How many records a second each reader takes from memory on one core.

#![expect(clippy::unwrap_used, reason = "a benchmark whose input is not read has nothing to measure")]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dais_traffic::{FlowReader, Input, ReadOptions, read};
use rand::RngExt;
use rand_philox::Philox;

const RECORDS: u64 = 20_000;

/// Values of one flow in the spread of a real log: short exchanges of a few services, some probes.
struct Values {
    time_us: u64,
    source: [u8; 2],
    source_port: u16,
    destination: [u8; 4],
    service: &'static str,
    port: u16,
    protocol: &'static str,
    state: &'static str,
    duration_us: u64,
    bytes: [u64; 2],
    packets: [u64; 2],
}

fn values() -> impl Iterator<Item = Values> {
    let mut random = Philox::from_u64_seed(7);
    let mut time_us = 1_655_071_198_444_458_u64;
    (0..RECORDS).map(move |_| {
        time_us += random.random_range(1..200_000);
        let (service, port, protocol) = [
            ("dns", 53, "udp"),
            ("ssl", 443, "tcp"),
            ("http", 80, "tcp"),
            ("-", 23, "tcp"),
            ("ntp", 123, "udp"),
            ("gssapi,smb", 445, "tcp"),
        ][random.random_range(0..6_usize)];
        let answered = service != "-";
        let bytes = [random.random_range(40..3_000), random.random_range(60..80_000)].map(|n| n * u64::from(answered));
        Values {
            time_us,
            source: [random.random_range(0..4), random.random_range(1..255)],
            source_port: random.random_range(1_024..u16::MAX),
            destination: [0; 4].map(|_: u8| random.random_range(1..224)),
            service,
            port,
            protocol,
            state: if answered { "SF" } else { "S0" },
            duration_us: random.random_range(0..90_000_000) * u64::from(answered),
            bytes,
            packets: bytes.map(|n| n.div_ceil(1_400) + 1),
        }
    })
}

fn zeek_tsv() -> String {
    let mut text = String::from(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n",
    );
    for (k, v) in values().enumerate() {
        let (time, [a, b], [c, d, e, f], [out, back]) = (v.time_us, v.source, v.destination, v.bytes);
        let duration = match v.duration_us {
            0 => "-\t-\t-".to_owned(),
            us => format!("{}.{:06}\t{out}\t{back}", us / 1_000_000, us % 1_000_000),
        };
        writeln!(
            text,
            "{}.{:06}\tC{k:017}\t147.32.{a}.{b}\t{}\t{c}.{d}.{e}.{f}\t{}\t{}\t{}\t{duration}\t{}\tT\tF\t0\tShADadfF\t{}\t{}\t{}\t{}\t(empty)",
            time / 1_000_000,
            time % 1_000_000,
            v.source_port,
            v.port,
            v.protocol,
            v.service,
            v.state,
            v.packets[0],
            out + 40 * v.packets[0],
            v.packets[1],
            back + 40 * v.packets[1],
        )
        .unwrap();
    }
    text
}

fn zeek_json() -> String {
    let mut text = String::new();
    for (k, v) in values().enumerate() {
        let (time, [a, b], [c, d, e, f], [out, back]) = (v.time_us, v.source, v.destination, v.bytes);
        writeln!(
            text,
            r#"{{"ts":{}.{:06},"uid":"C{k:017}","id.orig_h":"147.32.{a}.{b}","id.orig_p":{},"id.resp_h":"{c}.{d}.{e}.{f}","id.resp_p":{},"proto":"{}","service":"{}","duration":{}.{:06},"orig_bytes":{out},"resp_bytes":{back},"conn_state":"{}","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadfF","orig_pkts":{},"orig_ip_bytes":{},"resp_pkts":{},"resp_ip_bytes":{}}}"#,
            time / 1_000_000,
            time % 1_000_000,
            v.source_port,
            v.port,
            v.protocol,
            v.service,
            v.duration_us / 1_000_000,
            v.duration_us % 1_000_000,
            v.state,
            v.packets[0],
            out + 40 * v.packets[0],
            v.packets[1],
            back + 40 * v.packets[1],
        )
        .unwrap();
    }
    text
}

/// A time of day as Suricata writes it; the log is of one day.
fn eve_time(time_us: u64) -> String {
    let (s, us) = (time_us / 1_000_000 % 86_400, time_us % 1_000_000);
    format!("2021-06-06T{:02}:{:02}:{:02}.{us:06}+0200", s / 3_600, s / 60 % 60, s % 60)
}

fn eve() -> String {
    let mut text = String::new();
    for (k, v) in values().enumerate() {
        let ([a, b], [c, d, e, f], [out, back]) = (v.source, v.destination, v.bytes);
        let (start, end) = (eve_time(v.time_us), eve_time(v.time_us + v.duration_us));
        let tcp = match v.protocol {
            "tcp" => {
                r#","tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"}"#
            }
            _ => "",
        };
        writeln!(
            text,
            r#"{{"timestamp":"{end}","flow_id":{},"in_iface":"eth0","event_type":"flow","src_ip":"192.168.{a}.{b}","src_port":{},"dest_ip":"{c}.{d}.{e}.{f}","dest_port":{},"proto":"{}","app_proto":"{}","flow":{{"pkts_toserver":{},"pkts_toclient":{},"bytes_toserver":{},"bytes_toclient":{},"start":"{start}","end":"{end}","age":{},"state":"closed","reason":"timeout","alerted":false}}{tcp},"host":"sensor"}}"#,
            1_000_000_000_000 + k,
            v.source_port,
            v.port,
            v.protocol.to_uppercase(),
            v.service,
            v.packets[0],
            v.packets[1],
            out + 54 * v.packets[0],
            back + 54 * v.packets[1],
            v.duration_us / 1_000_000,
        )
        .unwrap();
    }
    text
}

fn nsl_kdd() -> String {
    let mut random = Philox::from_u64_seed(8);
    let mut text = String::new();
    for v in values() {
        write!(
            text,
            "{},{},{},{},{},{}",
            v.duration_us / 1_000_000,
            v.protocol,
            v.service.replace(',', "_"),
            v.state,
            v.bytes[0],
            v.bytes[1]
        )
        .unwrap();
        for _ in 0..16 {
            write!(text, ",{}", u8::from(random.random_range(0..20_u32) == 0)).unwrap();
        }
        write!(text, ",{},{}", random.random_range(0..512_u32), random.random_range(0..512_u32)).unwrap();
        for _ in 0..7 {
            write!(text, ",0.{:02}", random.random_range(0..100_u32)).unwrap();
        }
        write!(text, ",{},{}", random.random_range(0..256_u32), random.random_range(0..256_u32)).unwrap();
        for _ in 0..8 {
            write!(text, ",0.{:02}", random.random_range(0..100_u32)).unwrap();
        }
        writeln!(text, ",{},{}", if v.state == "SF" { "normal" } else { "neptune" }, 21).unwrap();
    }
    text
}

fn flow_logs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(RECORDS));
    for (name, text) in [("zeek_tsv", zeek_tsv()), ("zeek_json", zeek_json()), ("suricata_eve", eve())] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let reader = FlowReader::open("f", black_box(text.as_bytes()), &ReadOptions::default()).unwrap();
                let flows = reader.inspect(|flow| assert!(black_box(flow).is_ok())).count();
                assert_eq!(flows as u64, RECORDS);
            });
        });
    }
    group.finish();
}

fn tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(RECORDS));
    let text = nsl_kdd();
    group.bench_function("nsl_kdd", |bencher| {
        bencher.iter(|| {
            let table = read("f", black_box(text.as_bytes()), &ReadOptions::default()).unwrap();
            assert!(matches!(black_box(table), Input::Table(table) if table.rows() as u64 == RECORDS));
        });
    });
    group.finish();
}

criterion_group!(benches, flow_logs, tables);
criterion_main!(benches);
