//! Features of raw flows: what the flow itself says, and what only its recent neighbours show.
//!
//! No feature tells the direction relative to the site or the site's own address: in labelled captures that
//! gives the label away. Sources and destinations are told apart by their role in the flow alone.

mod beacon;
mod window;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{Categorical, ConnState, Flow, Numeric, Protocol, Schema, Service, Transform};
use beacon::Beacons;
use window::{Surroundings, Window};

/// Number of numeric features in [`flow_schema`].
pub const FLOW_NUMERIC: usize = 20;

/// Number of categorical features in [`flow_schema`].
pub const FLOW_CATEGORICAL: usize = 3;

/// Flows that a [`Context`] remembers for its neighbourhood features.
pub const CONTEXT_FLOWS: usize = window::CAPACITY;

/// Seconds that the features named `_2s` look back.
pub const CONTEXT_SPAN_S: f64 = window::SPAN_MS as f64 / 1_000.0;

/// `ln(1 + 100)`, the most that a count among the last 100 flows can be.
const COUNT_HIGH: f32 = 4.615_120_4;
const DURATION_HIGH: f32 = 18.5;
const BYTES_HIGH: f32 = 23.0;
const PACKETS_HIGH: f32 = 16.0;
const BYTES_PER_PACKET_HIGH: f32 = 8.0;
const PORT_CLASS_HIGH: f32 = 2.0;
/// Two weeks.
const AGE_HIGH: f32 = 14.0;
const PAIR_FLOWS_HIGH: f32 = 9.0;

/// Name, unit, transform and upper bound (after the transform) of each numeric feature; lower bounds are 0.
const NUMERIC: [(&str, &str, Transform, f32); FLOW_NUMERIC] = [
    ("duration", "ms", Transform::Log1p, DURATION_HIGH),
    ("bytes_out", "bytes", Transform::Log1p, BYTES_HIGH),
    ("bytes_in", "bytes", Transform::Log1p, BYTES_HIGH),
    ("packets_out", "packets", Transform::Log1p, PACKETS_HIGH),
    ("packets_in", "packets", Transform::Log1p, PACKETS_HIGH),
    ("bytes_per_packet", "bytes", Transform::Log1p, BYTES_PER_PACKET_HIGH),
    ("out_share", "share", Transform::Identity, 1.0),
    ("destination_port_class", "", Transform::Identity, PORT_CLASS_HIGH),
    ("source_destinations", "", Transform::Log1p, COUNT_HIGH),
    ("source_ports", "", Transform::Log1p, COUNT_HIGH),
    ("source_failed_share", "share", Transform::Identity, 1.0),
    ("source_same_service_share", "share", Transform::Identity, 1.0),
    ("source_flows_2s", "flows", Transform::Log1p, COUNT_HIGH),
    ("destination_flows_2s", "flows", Transform::Log1p, COUNT_HIGH),
    ("destination_port_sources", "", Transform::Log1p, COUNT_HIGH),
    ("regularity", "share", Transform::Identity, 1.0),
    ("source_out_share", "share", Transform::Identity, 1.0),
    ("pair_age", "s", Transform::Log1p, AGE_HIGH),
    ("pair_flows", "flows", Transform::Log1p, PAIR_FLOWS_HIGH),
    ("pair_bytes_out", "bytes", Transform::Log1p, BYTES_HIGH),
];

/// The features of every raw flow, whatever recorded it: 20 numeric and 3 categorical ones.
///
/// | feature | meaning |
/// |---|---|
/// | `duration` | milliseconds from the first to the last packet |
/// | `bytes_out`, `bytes_in`, `packets_out`, `packets_in` | payload and packets sent by the originator and by the responder |
/// | `bytes_per_packet` | payload of both directions over packets of both |
/// | `out_share` | bytes out over all bytes, 0.5 where there are none |
/// | `destination_port_class` | 0 none or below 1,024, 1 registered, 2 from 49,152 on |
/// | `source_destinations`, `source_ports` | distinct destinations and destination ports of the source |
/// | `source_failed_share` | share of the source's connections that failed |
/// | `source_same_service_share` | share of the source's flows with this flow's service |
/// | `source_flows_2s`, `destination_flows_2s` | flows from the source and to the destination within 2 s |
/// | `destination_port_sources` | distinct sources that spoke to this destination and port |
/// | `regularity` | how even the gaps between contacts of this source, destination and port are: 1 is a clock |
/// | `source_out_share` | bytes out over all bytes of the source's flows, 0.5 where there are none |
/// | `pair_age` | seconds since the first contact of this source, destination and port |
/// | `pair_flows`, `pair_bytes_out` | their flows and payload from the source, fading to 1 / e in ten minutes |
/// | `protocol`, `service`, `state` | transport, application protocol, how the connection went |
///
/// Features about the source, the destination and the port cover the last 100 flows of the site, this one
/// included, so counts stop at 100. Bounds are constants: all agents scale alike.
#[must_use]
pub fn flow_schema() -> Schema {
    let numeric = |(name, unit, transform, high): (&str, &str, Transform, f32)| Numeric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        transform,
        low: 0.0,
        high: f64::from(high),
    };
    let categorical = |name: &str, values: Vec<&str>| Categorical {
        name: name.to_owned(),
        values: values.into_iter().map(str::to_owned).collect(),
    };
    Schema {
        name: "flow".to_owned(),
        numeric: NUMERIC.into_iter().map(numeric).collect(),
        categorical: vec![
            categorical("protocol", Protocol::ALL.into_iter().map(Protocol::name).collect()),
            categorical("service", Service::ALL.into_iter().map(Service::name).collect()),
            categorical("state", ConnState::ALL.into_iter().map(ConnState::name).collect()),
        ],
    }
}

/// The recent flows of one site, as far as features need them.
///
/// Bounded: the last 100 flows and 256 series of contacts, about 20 KB, taken when the first flow arrives.
/// A function of the flows observed so far, and of nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    memory: Option<Box<Memory>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    window: Window,
    beacons: Beacons,
}

impl Context {
    /// Writes the scaled features and codes of `flow` in the order of [`flow_schema`], and remembers the flow.
    ///
    /// Flows are given in order of time; slight disorder does no harm. Allocates on the first call only.
    pub fn observe(&mut self, flow: &Flow, numeric: &mut [f32; FLOW_NUMERIC], codes: &mut [u16; FLOW_CATEGORICAL]) {
        let memory = self.memory.get_or_insert_default();
        let ids = window::Ids::of(flow);
        let around = memory.window.observe(flow, ids);
        let pair = memory.beacons.observe(ids.contact(), flow.time_s, flow.bytes_out as f32);
        *numeric = features(flow, &around, pair);
        *codes = [flow.protocol.code(), flow.service.code(), flow.state.code()];
    }
}

fn features(flow: &Flow, around: &Surroundings, pair: beacon::Pair) -> [f32; FLOW_NUMERIC] {
    let bytes = flow.bytes_out.saturating_add(flow.bytes_in);
    let packets = flow.packets_out.saturating_add(flow.packets_in);
    [
        log_share((flow.duration_s * 1_000.0) as f32, DURATION_HIGH),
        amount_share(flow.bytes_out, BYTES_HIGH),
        amount_share(flow.bytes_in, BYTES_HIGH),
        amount_share(flow.packets_out, PACKETS_HIGH),
        amount_share(flow.packets_in, PACKETS_HIGH),
        log_share(bytes as f32 / packets.max(1) as f32, BYTES_PER_PACKET_HIGH),
        share(flow.bytes_out as f32, bytes as f32, 0.5),
        port_class(flow.destination_port) / PORT_CLASS_HIGH,
        count_share(around.source_destinations),
        count_share(around.source_ports),
        share(around.source_failed as f32, around.source_flows as f32, 0.0),
        share(around.source_same_service as f32, around.source_flows as f32, 0.0),
        count_share(around.source_flows_2s),
        count_share(around.destination_flows_2s),
        count_share(around.destination_port_sources),
        pair.regularity,
        share(around.source_bytes_out as f32, (around.source_bytes_out + around.source_bytes_in) as f32, 0.5),
        log_share(pair.age_s, AGE_HIGH),
        log_share(pair.flows, PAIR_FLOWS_HIGH),
        log_share(pair.bytes_out, BYTES_HIGH),
    ]
}

fn port_class(port: u16) -> f32 {
    match port {
        0..=1_023 => 0.0,
        1_024..=49_151 => 1.0,
        49_152.. => 2.0,
    }
}

/// `ln(1 + x)` of the counts 0 to 100, which most amounts are.
static LOG1P: LazyLock<[f32; CONTEXT_FLOWS + 1]> = LazyLock::new(|| std::array::from_fn(|x| libm::log1pf(x as f32)));

fn count_share(count: u32) -> f32 {
    (LOG1P[(count as usize).min(CONTEXT_FLOWS)] / COUNT_HIGH).min(1.0)
}

fn amount_share(amount: u64, high: f32) -> f32 {
    match LOG1P.get(usize::try_from(amount).unwrap_or(usize::MAX)) {
        Some(log) => log / high,
        None => log_share(amount as f32, high),
    }
}

fn log_share(amount: f32, high: f32) -> f32 {
    (libm::log1pf(amount.max(0.0)) / high).min(1.0)
}

fn share(part: f32, whole: f32, without: f32) -> f32 {
    if whole > 0.0 { (part / whole).min(1.0) } else { without }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn flow(source: u8, destination: u8, port: u16, time_s: f64) -> Flow {
        Flow {
            time_s,
            duration_s: 1.0,
            source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, source)),
            source_port: 40_000,
            destination: IpAddr::V4(Ipv4Addr::new(10, 0, 1, destination)),
            destination_port: port,
            protocol: Protocol::Tcp,
            service: Service::Http,
            state: ConnState::Sf,
            bytes_out: 300,
            bytes_in: 700,
            packets_out: 5,
            packets_in: 5,
        }
    }

    fn column(name: &str) -> usize {
        flow_schema().numeric_column(name).expect("a feature of the schema")
    }

    /// Raw values of `name` for a series of flows.
    fn series(name: &str, flows: &[Flow]) -> Vec<f64> {
        let schema = flow_schema();
        let (mut context, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        let raw = |numeric: &[f32]| schema.numeric[column(name)].raw(numeric[column(name)]);
        flows
            .iter()
            .map(|flow| {
                context.observe(flow, &mut numeric, &mut codes);
                raw(&numeric)
            })
            .collect()
    }

    fn assert_near(actual: &[f64], expected: &[f64]) {
        let near = actual.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3 * b.abs().max(1.0));
        assert!(actual.len() == expected.len() && near, "{actual:?} is not {expected:?}");
    }

    #[test]
    fn the_schema_is_sound_and_has_twenty_three_features() {
        assert_eq!(flow_schema().check(), Ok(()));
        assert_eq!(flow_schema().names().count(), 23);
    }

    #[test]
    fn codes_agree_with_the_dictionaries() {
        let schema = flow_schema();
        for protocol in Protocol::ALL {
            assert_eq!(schema.categorical[0].value(protocol.code()), protocol.name());
        }
        for service in Service::ALL {
            assert_eq!(schema.categorical[1].value(service.code()), service.name());
        }
        for state in ConnState::ALL {
            assert_eq!(schema.categorical[2].value(state.code()), state.name());
        }
    }

    #[test]
    fn features_of_the_flow_itself_scale_as_the_schema_says() {
        let schema = flow_schema();
        let (mut numeric, mut codes) = ([0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        let flow = Flow { bytes_out: 70_000, ..flow(1, 2, 8080, 0.0) };
        Context::default().observe(&flow, &mut numeric, &mut codes);
        for (k, raw) in [1_000.0, 70_000.0, 700.0, 5.0, 5.0, 7_070.0, 70_000.0 / 70_700.0, 1.0].into_iter().enumerate()
        {
            let expected = schema.numeric[k].scale(raw);
            assert!((numeric[k] - expected).abs() < 1e-6, "{}: {} not {expected}", schema.numeric[k].name, numeric[k]);
        }
    }

    #[test]
    fn a_vertical_scan_shows_in_distinct_ports() {
        let flows: Vec<Flow> = (1..=5).map(|port| flow(1, 1, port, 0.0)).collect();
        assert_near(&series("source_ports", &flows), &[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_near(&series("source_destinations", &flows), &[1.0; 5]);
    }

    #[test]
    fn distinct_counts_forget_what_leaves_the_window() {
        let scan = (0..150).map(|host| flow(1, host, 80, f64::from(host)));
        let flows: Vec<Flow> = scan.chain((0..120).map(|k| flow(1, 7, 80, 200.0 + f64::from(k)))).collect();
        let counts = series("source_destinations", &flows);
        assert_near(&[counts[98], counts[149], counts[199], counts[269]], &[99.0, 100.0, 51.0, 1.0]);
    }

    #[test]
    fn a_flood_shows_in_sources_of_the_destination_port() {
        let flows: Vec<Flow> = [1, 2, 3, 2, 1].map(|source| flow(source, 9, 80, 0.0)).to_vec();
        assert_near(&series("destination_port_sources", &flows), &[1.0, 2.0, 3.0, 3.0, 3.0]);
    }

    #[test]
    fn counts_of_two_seconds_leave_older_flows_out() {
        let flows = [0.0, 1.0, 1.5, 2.9, 9.0].map(|time_s| flow(1, 2, 80, 1.6e9 + time_s));
        assert_near(&series("source_flows_2s", &flows), &[1.0, 2.0, 3.0, 3.0, 1.0]);
    }

    #[test]
    fn a_source_whose_attempts_fail_is_seen() {
        let mut flows = [1, 2, 3, 4].map(|host| flow(1, host, 80, 0.0));
        flows[2].state = ConnState::S0;
        flows[3].state = ConnState::Rej;
        assert_near(&series("source_failed_share", &flows), &[0.0, 0.0, 1.0 / 3.0, 0.5]);
    }

    #[test]
    fn a_beacon_is_more_regular_than_a_person() {
        let beacon: Vec<Flow> = (0..20).map(|k| flow(1, 2, 443, 60.0 * f64::from(k))).collect();
        let person: Vec<Flow> = (0..20).map(|k| flow(1, 2, 443, f64::from(k * k * (k % 5 + 1)))).collect();
        let (beacon, person) = (series("regularity", &beacon), series("regularity", &person));
        assert!(beacon[19] > 0.85 && person[19] < 0.4, "beacon {}, person {}", beacon[19], person[19]);
    }

    #[test]
    fn a_pair_is_known_by_its_age_flows_and_payload() {
        let flows: Vec<Flow> = (0..20).map(|k| flow(1, 2, 443, 30.0 * f64::from(k))).collect();
        let last = |name| *series(name, &flows).last().expect("twenty flows");
        assert_near(&[last("pair_age")], &[570.0]);
        let fading: f64 = (0..20).map(|k| (-30.0 * f64::from(k) / 600.0).exp()).sum();
        assert_near(&[last("pair_flows"), last("pair_bytes_out")], &[fading, 300.0 * fading]);
        let others: Vec<Flow> = (0..20).map(|k| flow(1, k, 443, 30.0 * f64::from(k))).collect();
        assert_near(&[*series("pair_flows", &others).last().expect("twenty flows")], &[1.0]);
    }

    #[test]
    fn a_saved_context_goes_on_as_if_never_stopped() {
        let flows: Vec<Flow> =
            (0..300_u16).map(|k| flow((k % 7) as u8, (k % 11) as u8, k % 13, f64::from(k) * 0.3)).collect();
        let (mut whole, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        for flow in &flows[..150] {
            whole.observe(flow, &mut numeric, &mut codes);
        }
        let saved = serde_json::to_string(&whole).expect("a context serialises");
        let mut restored: Context = serde_json::from_str(&saved).expect("and comes back");
        for flow in &flows[150..] {
            whole.observe(flow, &mut numeric, &mut codes);
            let expected = numeric;
            restored.observe(flow, &mut numeric, &mut codes);
            assert_eq!(numeric.map(f32::to_bits), expected.map(f32::to_bits));
        }
    }

    #[test]
    fn a_saved_context_of_the_wrong_shape_is_refused() {
        let mut context = Context::default();
        context.observe(&flow(1, 2, 80, 0.0), &mut [0.0; FLOW_NUMERIC], &mut [0; FLOW_CATEGORICAL]);
        let mut saved = serde_json::to_value(&context).expect("a context serialises");
        saved["memory"]["window"]["source"] = serde_json::json!([1, 2, 3]);
        assert!(serde_json::from_value::<Context>(saved).is_err());
    }
}
