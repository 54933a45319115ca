//! Rows of Argus, and the flows that they are.

use super::*;

const HEADER: &str =
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label";
const ROW: &str = "2011/08/10 09:46:53.047277,3550.182373,tcp,212.50.71.179,39678,   ->,147.84.229.13,443,FSPA_FSPA,0,0,12,875,413,flow=From-Botnet-V42-TCP-CC1-HTTP";

fn read(row: &str) -> Result<(Flow, String), Flaw> {
    let mut argus = Argus::default();
    assert!(matches!(argus.entry(HEADER.as_bytes()), Ok(Entry::Header)));
    match argus.entry(row.as_bytes())? {
        Entry::Flow(flow, said) => Ok((flow, format!("{said:?}"))),
        Entry::Header | Entry::Other(_) => Err(Flaw::row("a flow", "something else")),
    }
}

#[test]
fn a_row_becomes_a_flow_with_what_its_label_says() {
    let (flow, said) = read(ROW).expect("a sound row");
    assert!((flow.time_s - 1_312_969_613.047_277).abs() < 1e-5 && (flow.duration_s - 3_550.182_373).abs() < 1e-9);
    assert_eq!((flow.bytes_out, flow.bytes_in, flow.packets_out, flow.packets_in), (413, 462, 6, 6));
    assert_eq!((flow.source_port, flow.destination_port, flow.state), (39_678, 443, ConnState::Sf));
    assert_eq!(said, "Attack(\"Botnet-V42-TCP-CC1-HTTP\")");
}

#[test]
fn an_arrow_to_the_left_turns_the_flow_round() {
    let (flow, _) = read(&ROW.replace("   ->", "  <-").replace("FSPA_FSPA", "RA_S")).expect("a sound row");
    assert_eq!((flow.source.to_string(), flow.source_port), ("147.84.229.13".to_owned(), 443));
    assert_eq!((flow.bytes_out, flow.bytes_in, flow.state), (462, 413, ConnState::Rej));
    for arrow in ["  <->", "   ?>", "  <?>", "    -"] {
        let (flow, _) = read(&ROW.replace("   ->", arrow)).expect("a sound row");
        assert_eq!(flow.source_port, 39_678, "{arrow}");
    }
}

#[test]
fn states_are_told_in_the_terms_of_zeek() {
    for (protocol, name, bytes, state) in [
        ("tcp", "S_", "0", ConnState::S0),
        ("tcp", "S_RA", "60", ConnState::Rej),
        ("tcp", "S_SA", "60", ConnState::S1),
        ("tcp", "FSPA_FSRPA", "60", ConnState::Rstr),
        ("tcp", "CON", "60", ConnState::S1),
        ("tcp", "RST", "0", ConnState::Rej),
        ("udp", "CON", "60", ConnState::Sf),
        ("udp", "INT", "0", ConnState::S0),
        ("icmp", "ECO", "0", ConnState::S0),
        ("icmp", "ECO", "60", ConnState::Sf),
        ("icmp", "URP", "0", ConnState::Oth),
        ("rtp", "", "60", ConnState::Sf),
        ("esp", "", "0", ConnState::S0),
    ] {
        let row = ROW.replace("tcp", protocol).replace("FSPA_FSPA", name);
        let row = row.replace("875,413", &format!("{},413", 413 + bytes.parse::<u64>().expect("a number")));
        assert_eq!(read(&row).expect("a sound row").0.state, state, "{protocol} {name} {bytes}");
    }
}

#[test]
fn only_what_comes_from_a_botnet_or_a_normal_host_is_decided() {
    assert_eq!(said("flow=From-Normal-V42-Jist"), Said::Benign);
    assert_eq!(said("flow=Normal-V42-HTTP-windowsupdate"), Said::Benign);
    assert_eq!(said("flow=From-Botnet-V42-TCP-Attempt"), Said::Attack("Botnet-V42-TCP-Attempt".into()));
    for open in ["flow=Background-UDP", "flow=To-Background-CVUT-Proxy", "flow=To-Botnet-V42", "flow=To-Normal-V42", ""]
    {
        assert_eq!(said(open), Said::Undecided, "{open}");
    }
}

#[test]
fn hexadecimal_ports_and_addresses_of_both_versions_are_read() {
    let (flow, _) = read(&ROW.replace("39678", "0x0303")).expect("a sound row");
    assert_eq!(flow.source_port, 0x303);
    let icmp = ROW.replace("tcp", "icmp").replace("39678", "0x0303").replace(",443,", ",0x5a2a,");
    let (flow, _) = read(&icmp).expect("a sound row");
    assert_eq!((flow.source_port, flow.destination_port, flow.protocol), (0, 0, Protocol::Icmp));
    let six = ROW.replace("212.50.71.179", "fe80::1").replace("tcp", "ipv6-icmp").replace(",443,", ",,");
    assert!(read(&six).is_ok_and(|(flow, _)| flow.source.is_ipv6()));
}

#[test]
fn rows_of_no_ip_traffic_are_other_records() {
    let mut argus = Argus::default();
    assert!(matches!(argus.entry(HEADER.as_bytes()), Ok(Entry::Header)));
    let mac = ROW.replace("212.50.71.179", "00:15:17:2c:e5:2d").replace("tcp", "other");
    for row in [ROW.replace("tcp", "arp"), mac] {
        assert!(matches!(argus.entry(row.as_bytes()), Ok(Entry::Other(_))), "{row}");
    }
    assert!(matches!(argus.entry(HEADER.as_bytes()), Ok(Entry::Header)));
}

#[test]
fn broken_rows_name_the_column() {
    for (good, bad, column) in [
        ("2011/08/10 09:46:53.047277", "09:46", Some("StartTime")),
        ("3550.182373", "-1", Some("Dur")),
        ("212.50.71.179", "212.50.71", Some("SrcAddr")),
        ("39678", "http", Some("Sport")),
        ("39678", "0x10000", Some("Sport")),
        ("443", "70000", Some("Dport")),
        ("875,413", "875,876", Some("SrcBytes")),
        (",12,", ",1x,", Some("TotPkts")),
        (",12,", ",", None),
    ] {
        let flaw = read(&ROW.replacen(good, bad, 1)).expect_err(bad);
        assert_eq!(flaw.column.as_deref(), column, "{bad}: {flaw:?}");
    }
}

/// The flows of lines behind a header, and what is said about them.
fn flows(header: &str, rows: &[&str]) -> (Vec<Flow>, Vec<String>) {
    let mut argus = Argus::default();
    assert!(matches!(argus.entry(header.as_bytes()), Ok(Entry::Header)));
    let mut flows = Vec::new();
    for row in rows {
        match argus.entry(row.as_bytes()) {
            Ok(Entry::Flow(flow, _)) => flows.push(flow),
            Ok(Entry::Other("man")) => {}
            other => panic!("{row}: {}", other.err().map_or("no flow".to_owned(), |flaw| flaw.expected)),
        }
    }
    (flows, argus.hints().collect())
}

const TOTALS: &str = "StartTime,Flgs,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,TotPkts,TotBytes,State";

#[test]
fn totals_of_both_sides_are_unknown_for_each_and_not_zero() {
    for (row, state, packets) in [
        ("1.5, e,icmp,10.0.0.1,0x0008,  <->,10.0.0.2,0x2b,2,196,ECO", ConnState::Sf, [1, 1]),
        ("1.5, e,icmp,10.0.0.1,0x0008,   ->,10.0.0.2,0x2b,2,196,ECO", ConnState::S0, [2, 0]),
        ("1.5, e,udp,10.0.0.1,4000,  <->,10.0.0.2,53,2,300,CON", ConnState::Sf, [1, 1]),
        ("1.5, e,udp,10.0.0.1,4000,   ->,10.0.0.2,53,2,300,INT", ConnState::S0, [2, 0]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,11,900,FIN", ConnState::Sf, [6, 5]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,9,900,CON", ConnState::S1, [5, 4]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,2,128,RST", ConnState::Rej, [1, 1]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,9,900,RST", ConnState::Rstr, [5, 4]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,3,180,REQ", ConnState::S0, [3, 0]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,3,180,S_", ConnState::S0, [3, 0]),
        ("1.5, e,tcp,10.0.0.1,4000,   ->,10.0.0.2,80,3,180,S_SA", ConnState::S1, [2, 1]),
    ] {
        let (flows, hints) = flows(TOTALS, &[row]);
        assert_eq!((flows[0].state, [flows[0].packets_out, flows[0].packets_in]), (state, packets), "{row}");
        assert!(flows[0].bytes_in == 0 || packets[1] > 0, "{row}");
        assert!(hints.len() == 1 && hints[0].contains("sbytes"), "{hints:?}");
    }
}

#[test]
fn times_of_day_count_from_the_first_midnight_and_it_is_said() {
    let row = |time: &str| format!("{time}, e,tcp,10.0.0.1,36679,   ->,10.0.0.2,902,3,178,FIN");
    let rows = [row("23:59:58.5"), row("23:59:57.5"), row("00:00:01.5")];
    let manager = "02:30:15.127463,          ,man,0,0,,0,0,0,0,STA";
    let (flows, hints) = flows(TOTALS, &[manager, &rows[0], &rows[1], &rows[2]]);
    let times: Vec<f64> = flows.iter().map(|flow| flow.time_s).collect();
    assert!(times.iter().zip([86_398.5, 86_397.5, 86_401.5]).all(|(a, b)| (a - b).abs() < 1e-6), "{times:?}");
    assert!(hints.iter().any(|hint| hint.contains("no date") && hint.contains("-u")), "{hints:?}");
}

#[test]
fn names_of_ports_say_how_to_print_numbers() {
    let flaw = read(&ROW.replace(",443,", ",https,")).expect_err("a name");
    assert!(flaw.expected.contains("`ra -n`"), "{flaw:?}");
}

#[test]
fn columns_of_spaces_are_known_for_what_they_are() {
    let header = b"         StartTime      Flgs  Proto            SrcAddr  Sport   Dir            DstAddr  Dport  TotPkts   TotBytes State ";
    assert!(recognises_spaced(header.trim_ascii()));
    assert!(!recognises_spaced(TOTALS.as_bytes()) && !recognises_spaced(b"StartTime of the State"));
}

#[test]
fn packets_are_split_by_bytes() {
    assert_eq!([split(12, [413, 462]), split(1, [5, 5]), split(2, [1_000, 1])], [[6, 6], [1, 0], [1, 1]]);
    assert_eq!([split(7, [0, 5]), split(7, [5, 0]), split(0, [5, 5])], [[0, 7], [7, 0], [0, 0]]);
}

#[test]
fn a_header_may_leave_out_what_is_not_needed() {
    let mut argus = Argus::default();
    assert!(recognises(b"StartTime|Proto|SrcAddr|Sport|Dir|DstAddr|Dport|SrcPkts|DstPkts|SrcBytes|DstBytes"));
    assert!(!recognises(b"StartTime,Proto,SrcAddr"));
    let header = b"StartTime|Proto|SrcAddr|Sport|Dir|DstAddr|Dport|SrcPkts|DstPkts|SrcBytes|DstBytes";
    assert!(matches!(argus.entry(header), Ok(Entry::Header)));
    let Ok(Entry::Flow(flow, said)) = argus.entry(b"1312969613.5|udp|10.0.0.1|53|->|10.0.0.2|53|1|2|70|300") else {
        panic!("a sound row")
    };
    assert_eq!((flow.packets_in, flow.bytes_in, flow.state, said), (2, 300, ConnState::Sf, Said::Undecided));
}
