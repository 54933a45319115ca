use dais_traffic::*;
#[test]
#[ignore]
fn ctx() {
    let flows: Vec<Flow> = (0..2000u32).map(|k| Flow{ time_s: 1.6e9 + k as f64*0.05, duration_s: 0.3, source: std::net::Ipv4Addr::from(0x0a000000 + (k*7919)%37).into(), source_port: 1, destination: std::net::Ipv4Addr::from(0x0b000000 + (k*104729)%53).into(), destination_port: (k%11) as u16, protocol: Protocol::Tcp, service: Service::Http, state: ConnState::Sf, bytes_out: 1000+k as u64, bytes_in: 40000, packets_out: 10, packets_in: 200}).collect();
    let (mut c, mut n, mut d) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
    for _ in 0..3 {
    let t = std::time::Instant::now(); let mut s=0.0;
    for _ in 0..100 { for f in &flows { c.observe(f, &mut n, &mut d); s += n[8]; } }
    println!("{} ns {s}", t.elapsed().as_nanos() / 200_000);
    }
}
