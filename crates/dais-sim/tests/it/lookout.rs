//! One agent alone on flows as they come.

use std::net::{IpAddr, Ipv4Addr};

use dais_sim::{AgentParams, Judged, Lookout};
use dais_traffic::{ConnState, Flow, Protocol, Service};
use rand_philox::Philox;

/// Ordinary flows of an office: some clients, some servers, a few services.
fn ordinary(count: u32, seed: u64) -> Vec<Flow> {
    let mut random = Philox::from_u64_seed(seed);
    let mut draw = |below: u32| random.next_u32() % below;
    (0..count)
        .map(|at| {
            let (service, port) = [(Service::Tls, 443), (Service::Dns, 53), (Service::Http, 80)][draw(3) as usize];
            Flow {
                time_s: f64::from(at) * 0.7,
                duration_s: f64::from(draw(900)) / 300.0,
                source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, draw(20) as u8)),
                source_port: 40_000 + draw(20_000) as u16,
                destination: IpAddr::V4(Ipv4Addr::new(192, 0, 2, draw(30) as u8)),
                destination_port: port,
                protocol: if service == Service::Dns { Protocol::Udp } else { Protocol::Tcp },
                service,
                state: ConnState::Sf,
                bytes_out: u64::from(200 + draw(800)),
                bytes_in: u64::from(1_000 + draw(20_000)),
                packets_out: u64::from(4 + draw(8)),
                packets_in: u64::from(5 + draw(20)),
            }
        })
        .collect()
}

/// One host that tries many ports of another and gets no answer.
fn scan(count: u16, from_s: f64) -> Vec<Flow> {
    let probe = |port: u16| Flow {
        time_s: from_s + f64::from(port) * 0.01,
        duration_s: 0.0,
        source: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        source_port: 50_000,
        destination: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3)),
        destination_port: 1 + port,
        protocol: Protocol::Tcp,
        service: Service::None,
        state: ConnState::S0,
        bytes_out: 0,
        bytes_in: 0,
        packets_out: 1,
        packets_in: 0,
    };
    (0..count).map(probe).collect()
}

fn lookout() -> Lookout {
    Lookout::new(AgentParams::default(), 50, 7).expect("sound parameters")
}

#[test]
fn a_scan_stands_out_with_its_reasons_and_is_described() {
    let mut lookout = lookout();
    let quiet = lookout.watch(&ordinary(1_000, 1));
    assert!(lookout.is_trained() && quiet.judged[0] == Judged::default());
    let alerts = quiet.judged[600..].iter().filter(|judged| judged.alerted).count();
    assert!(alerts < 40, "{alerts} of 400 ordinary flows");
    let loud = lookout.watch(&scan(150, 800.0));
    let alerts: Vec<&Judged> = loud.judged.iter().filter(|judged| judged.alerted).collect();
    assert!(alerts.len() > 120, "{} of 150 probes", alerts.len());
    for judged in &alerts {
        assert!(!judged.reasons.is_empty() && judged.reasons.iter().map(|reason| reason.share).sum::<f32>() <= 1.001);
    }
    let strongest = |judged: &&Judged| {
        let reason = judged.reasons.iter().max_by(|a, b| a.share.total_cmp(&b.share)).unwrap();
        lookout.feature_name(reason).to_owned()
    };
    let named: Vec<String> = alerts.iter().map(strongest).collect();
    let told = named.iter().filter(|name| name.starts_with("source_") || name.as_str() == "state").count();
    assert!(told * 2 > named.len(), "{named:?}");
    let about_it =
        |signature: &&dais_protocol::Signature| signature.sources.contains(&IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
    assert!(loud.signatures.iter().any(|signature| about_it(&signature)), "{:?}", loud.signatures);
}

#[test]
fn how_many_flows_come_at_once_makes_no_difference() {
    let flows = [ordinary(700, 2), scan(60, 600.0)].concat();
    let whole = lookout().watch(&flows);
    let mut lookout = lookout();
    let (mut judged, mut signatures) = (Vec::new(), Vec::new());
    for some in flows.chunks(7) {
        let watched = lookout.watch(some);
        judged.extend(watched.judged);
        signatures.extend(watched.signatures);
    }
    assert_eq!(judged, whole.judged);
    assert_eq!(signatures, whole.signatures);
}

#[test]
fn flows_that_somebody_vouches_for_make_the_first_model() {
    let mut lookout = lookout();
    assert_eq!(lookout.rows_missing(), AgentParams::default().baseline_min);
    lookout.begin(&ordinary(400, 3));
    assert!(lookout.is_trained() && lookout.rows_missing() == 0);
    assert!(lookout.watch(&ordinary(1, 4)).judged[0].p.is_some());
}

#[test]
fn a_step_of_no_flows_is_refused() {
    assert!(Lookout::new(AgentParams::default(), 0, 1).is_err());
}
