//! No bytes whatever make a reader panic or pass on what is not a number.

use std::io::Write;

use dais_traffic::{Context, FLOW_CATEGORICAL, FLOW_NUMERIC, Input, ReadOptions, TableSchema, TableSet, detect, read};
use proptest::prelude::*;
use rand::RngExt;
use rand_philox::Philox;

const ZEEK: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts\tlabel\tdetailedlabel\n1655071198.444458\tCH\t147.32.81.167\t62771\t40.74.108.123\t443\ttcp\tssl\t1.135424\t1596\t4039\tSF\t14\t16\tBenign\tMicrosoft\n19.98\tC9\tfd2d:ab8c:225::1\t53\tfd2d::1\t53\tudp\tdns\t-\t-\t-\tS0\t1\t0\tMalicious\tCC\n#close\t2022-06-17\n";
const ZEEK_JSON: &str = "{\"ts\":1664462456.755299,\"uid\":\"C5\",\"id.orig_h\":\"172.16.1.11\",\"id.orig_p\":40042,\"id.resp_h\":\"8.8.8.8\",\"id.resp_p\":53,\"proto\":\"udp\",\"service\":\"dns\",\"duration\":0.012,\"orig_bytes\":0,\"resp_bytes\":111,\"conn_state\":\"SHR\",\"orig_pkts\":0,\"resp_pkts\":1}\n{\"ts\":\"2022-09-29T14:40:56Z\",\"id.orig_h\":\"::1\",\"id.resp_h\":\"::2\",\"proto\":\"icmp\",\"conn_state\":\"OTH\"}\n";
const EVE: &str = "{\"timestamp\":\"2021-06-06T15:57:37.272281+0200\",\"flow_id\":1,\"event_type\":\"flow\",\"src_ip\":\"192.168.1.132\",\"src_port\":1900,\"dest_ip\":\"192.168.1.129\",\"dest_port\":44232,\"proto\":\"TCP\",\"app_proto\":\"failed\",\"flow\":{\"pkts_toserver\":12,\"pkts_toclient\":0,\"bytes_toserver\":4056,\"bytes_toclient\":0,\"start\":\"2021-06-06T16:38:55.855844+0200\",\"end\":\"2021-06-06T16:38:56.963027+0200\",\"state\":\"new\",\"alerted\":false},\"tcp\":{\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"14\"}}\n{\"timestamp\":\"2021-06-06T15:59:46.457984+0200\",\"event_type\":\"alert\",\"src_ip\":\"78.36.196.213\"}\n";
const ARGUS: &str = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n2011/08/10 09:46:53.047277,3550.182373,udp,212.50.71.179,39678,  <->,147.84.229.13,13363,CON,0,0,12,875,413,flow=Background-UDP-Established\n2011/08/10 09:46:54,0.5,tcp,147.32.84.165,0x0a1b,   <-,10.0.0.2,80,RA_S,0,,2,120,60,flow=From-Botnet-V42-TCP-Attempt\n2011/08/10 09:46:55,0.0,arp,00:15:17:2c:e5:2d,,  who,10.0.0.2,,CON,,,1,60,60,\n";
const CSV: &str =
    "ts,src,dst,bytes,kind,label\n1.5,10.0.0.1,10.0.0.2,1000,\"a \"\"b\"\"\",normal\n2.5,10.0.0.1,::1,2e3,c,worm\n";

const ZEEK_CSV: &str = "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,duration,orig_bytes,resp_bytes,conn_state,label,detailed-label\n1540469303.5,C1,192.168.1.132,58687,216.239.35.4,123,udp,,0.1,48,48,SF,benign,-\n1540469304,C2,::1,1,::2,2,tcp,,,,,S0,Malicious,C&C\n";
const WRAPPED: &str = "May  6 10:00:00 fw1 suricata[91043]: {\"timestamp\":\"2024-05-06T10:00:00.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"10.1.0.5\",\"dest_ip\":\"10.9.0.9\",\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":4,\"pkts_toclient\":5,\"bytes_toserver\":600,\"bytes_toclient\":900}}\n{\"message\":\"{\\\"event_type\\\":\\\"dns\\\"}\"}\n";
const SPREAD: &str = "[\n {\"ts\": 1664462456755,\n  \"id\": {\"orig_h\": \"172.16.1.11\", \"resp_h\": \"8.8.8.8\"},\n  \"proto\": \"udp\", \"service\": [\"dns\"], \"duration\": null,\n  \"conn_state\": \"SHR\", \"conn_state\": \"SF\"\n },\n {\"_path\": \"dns\", \"ts\": 1}\n]\n";
const ARFF: &str = "% c\n@relation 'x'\n@attribute 'a b' real\n@attribute kind {x,'y z'}\n@attribute class {normal,anomaly}\n@data\n1,x,normal\n?,'y z',anomaly\n0x10,x,normal\n";

fn nsl_kdd() -> String {
    format!("0,tcp,http,SF,181,5450,{}normal,21\n13,udp,dns,S0,1,2,{}neptune.,3\n", "0,".repeat(35), "0.5,".repeat(35))
}

/// Reads bytes with and without a schema; whatever is accepted must make sound batches.
fn feed(bytes: &[u8]) -> usize {
    let schema = TableSchema::from_yaml(
        "{name: s, numeric: [{name: bytes, transform: log1p}], categorical: [{name: kind}], label: {column: label, benign: [normal]}, time: ts, source: src, destination: dst}",
    )
    .expect("a sound schema");
    let mut accepted = 0;
    let _ = detect(bytes);
    let _ = TableSchema::draft("t", bytes);
    for schema in [None, Some(schema)] {
        let options = ReadOptions {
            schema,
            bad_rows_max: Some(0.9),
            line_bytes_max: 500,
            open_flows_max: 3,
            ..ReadOptions::default()
        };
        match read("f", bytes, &options) {
            Err(error) => assert!(error.to_string().contains('f')),
            Ok(Input::Flows(log)) => {
                let (mut context, mut numeric, mut codes) =
                    (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
                for flow in &log.flows {
                    context.observe(flow, &mut numeric, &mut codes);
                    assert!(numeric.iter().all(|x| (0.0..=1.0).contains(x)), "{flow:?}: {numeric:?}");
                }
                accepted += log.flows.len();
            }
            Ok(Input::Table(table)) => {
                let rows = table.rows();
                let set = TableSet::new(vec![table]).expect("what was read is sound");
                assert!(set.batch(0, 0..rows).numeric().iter().all(|x| (0.0..=1.0).contains(x)));
                accepted += rows;
            }
        }
    }
    accepted
}

/// One to four changes: bytes replaced, removed, inserted, pieces repeated or swapped for telling tokens.
fn mutate(bytes: &mut Vec<u8>, random: &mut Philox) {
    const TOKENS: [&str; 16] = [
        "NaN",
        "inf",
        "-1",
        "1e999",
        "99999999999999999999",
        "\"",
        "\n",
        "\t",
        ",",
        "{",
        "\\u0000",
        "null",
        "#fields\t",
        "\u{fffd}",
        "\0",
        "-9223372036854775808",
    ];
    for _ in 0..random.random_range(1..=4_u32) {
        let at = random.random_range(0..=bytes.len() as u64) as usize;
        let end = (at + random.random_range(0..=12_u64) as usize).min(bytes.len());
        match random.random_range(0..5_u32) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.random()),
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let token = TOKENS[random.random_range(0..TOKENS.len() as u64) as usize];
                bytes.splice(at..end, token.bytes());
            }
        }
    }
}

#[test]
fn mutated_and_truncated_files_never_make_a_reader_panic() {
    let nsl_kdd = nsl_kdd();
    let (mut accepted, mut fed) = (0, 0);
    for (which, text) in
        [ZEEK, ZEEK_JSON, EVE, ARGUS, CSV, &nsl_kdd, ZEEK_CSV, WRAPPED, SPREAD, ARFF].into_iter().enumerate()
    {
        assert!(feed(text.as_bytes()) > 0, "the original of {which} is accepted");
        for round in 0..1_000 {
            let mut random = Philox::from_u64_seed_stream(which as u64, round);
            let mut bytes = text.as_bytes().to_vec();
            mutate(&mut bytes, &mut random);
            if round % 5 == 0 {
                bytes = packed(&bytes);
                mutate(&mut bytes, &mut random);
            }
            accepted += usize::from(feed(&bytes) > 0);
            fed += 1;
        }
    }
    // Were hardly any accepted, the checks of what was read would look at nothing.
    assert!(fed == 10_000 && accepted > 1_000, "{accepted} of {fed} accepted");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        feed(&bytes);
    }

    #[test]
    fn any_text_after_a_known_beginning_is_read_or_refused(text in "[ -~\\t\\n]{0,200}") {
        for start in [ZEEK, ZEEK_JSON, EVE, ARGUS, CSV, ZEEK_CSV, WRAPPED, SPREAD, ARFF] {
            feed(format!("{start}{text}\n").as_bytes());
        }
    }
}
