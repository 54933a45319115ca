//! The lives of signatures as a collector receives them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use dais_telemetry::trace::{
    Adopted, Decided, Interval, Motion, Protocol, Published, Recorded, Secret, SignatureTraces, StepFacts, TraceParams,
    Voted, trace_id,
};
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::otlp_collector::{Collector, attributes};

const WORM: [u8; 32] = [0xa1; 32];
const SCAN: [u8; 32] = [0x2b; 32];
/// Milliseconds of a phase.
const PHASE_MS: u64 = 100;

/// Time `ms` after a fixed moment.
fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(ms)
}

fn phase(step: u64, phase: u64) -> Interval {
    let begin = (step * 4 + phase) * PHASE_MS;
    Interval { begin: at(begin), end: at(begin + PHASE_MS) }
}

fn step(step: u64) -> StepFacts {
    StepFacts {
        step,
        observe: phase(step, 0),
        publish: phase(step, 1),
        vote: phase(step, 2),
        resolve: phase(step, 3),
        adopted: Vec::new(),
        published: Vec::new(),
        voted: Vec::new(),
        decided: Vec::new(),
        recorded: None,
    }
}

fn published(signature: [u8; 32], motion: Motion) -> Published {
    Published { signature, motion, author: 7, family: Some("worm".to_owned()), members: 9, sources: 2 }
}

fn voted(signature: [u8; 32], motion: Motion, round: u8) -> Voted {
    Voted {
        signature,
        motion,
        round,
        confirmations: 6,
        refutations: 1,
        abstentions: 2,
        confirm_weight: 3.5,
        refute_weight: 0.5,
    }
}

fn decided(signature: [u8; 32], motion: Motion, outcome: &'static str, opened_step: u64) -> Decided {
    Decided {
        signature,
        motion,
        outcome,
        carried: outcome == "accepted",
        round: 1,
        members: 9,
        threshold: 0.67,
        confirm_weight: 7.0,
        refute_weight: 1.0,
        radius: 1.5,
        opened_step,
    }
}

/// Step 10: both are published and voted on. Step 11: the worm is accepted, the scan rejected. Step 12: agents learn the
/// worm. Step 20: it is challenged and withdrawn.
fn history() -> Vec<StepFacts> {
    let mut opened = step(10);
    opened.published = vec![published(WORM, Motion::Adopt), published(SCAN, Motion::Adopt)];
    opened.voted = vec![voted(WORM, Motion::Adopt, 0), voted(SCAN, Motion::Adopt, 0)];
    let mut closed = step(11);
    closed.voted = vec![voted(WORM, Motion::Adopt, 1)];
    closed.decided = vec![decided(WORM, Motion::Adopt, "accepted", 10), decided(SCAN, Motion::Adopt, "rejected", 10)];
    closed.recorded = Some(Recorded { interval: phase(11, 3), entries: 5, tree_size: 321 });
    let mut learned = step(12);
    learned.adopted = vec![Adopted { signature: WORM, agents: 48 }];
    let mut withdrawn = step(20);
    withdrawn.published = vec![published(WORM, Motion::Revoke)];
    withdrawn.voted = vec![voted(WORM, Motion::Revoke, 0)];
    withdrawn.decided = vec![decided(WORM, Motion::Revoke, "accepted", 20)];
    vec![opened, closed, learned, withdrawn]
}

fn params(endpoint: String, protocol: Protocol) -> TraceParams {
    TraceParams {
        enable: true,
        endpoint,
        protocol,
        headers: BTreeMap::from([("X-Key".to_owned(), Secret::new("swordfish 100%25"))]),
        service_name: "dais-test".to_owned(),
        ..TraceParams::default()
    }
}

fn traced(params: &TraceParams, history: &[StepFacts]) -> dais_telemetry::trace::TraceCounts {
    let mut traces = SignatureTraces::start(params).expect("traces begin").expect("they are on");
    for facts in history {
        traces.observe(facts);
    }
    traces.finish()
}

/// Name, step, begin and end in milliseconds, and the children in the order of time.
fn tree(spans: &[Span], parent: &[u8], depth: usize, lines: &mut Vec<String>) {
    let mut children: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == parent).collect();
    children.sort_by_key(|span| (span.start_time_unix_nano, span.end_time_unix_nano, span.name.clone()));
    for span in children {
        let ms = |nano: u64| nano / 1_000_000 - 1_700_000_000_000;
        let (begin, end) = (ms(span.start_time_unix_nano), ms(span.end_time_unix_nano));
        lines.push(format!("{}{} {begin}..{end}", "  ".repeat(depth), span.name));
        tree(spans, &span.span_id, depth + 1, lines);
    }
}

fn check_what_arrived(collector: &Collector) {
    let spans = collector.spans();
    let of = |signature: &[u8; 32]| -> Vec<Span> {
        spans.iter().filter(|span| hex::encode(&span.trace_id) == trace_id(signature)).cloned().collect()
    };
    let mut lines = Vec::new();
    tree(&of(&WORM), &[], 0, &mut lines);
    let expected = [
        "signature 4000..4900",
        "  detect 4000..4100",
        "  publish 4100..4200",
        "  vote 4200..4300",
        "  vote 4600..4700",
        "  record 4700..4800",
        "  resolve 4700..4800",
        "  learn 4800..4900",
        "  revocation 8100..8400",
        "    publish 8100..8200",
        "    vote 8200..8300",
        "    resolve 8300..8400",
    ];
    assert_eq!(lines, expected);
    lines.clear();
    tree(&of(&SCAN), &[], 0, &mut lines);
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[0], "signature 4000..4800");
    assert_eq!(spans.len(), 18, "nothing else was sent");

    let worm = of(&WORM);
    assert_eq!(trace_id(&WORM), "a1".repeat(16));
    let named = |name: &str| attributes(&worm.iter().find(|span| span.name == name).expect("the span").attributes);
    let root = named("signature");
    assert_eq!(root["dais.signature.id"], "a1".repeat(32));
    assert_eq!((root["dais.signature.author"].as_str(), root["dais.signature.family"].as_str()), ("7", "worm"));
    assert_eq!((root["dais.outcome"].as_str(), root["dais.decided_step"].as_str()), ("accepted", "11"));
    let vote = named("vote");
    let counts = ["dais.votes.confirm", "dais.votes.refute", "dais.votes.abstain"].map(|key| vote[key].as_str());
    assert_eq!((counts, vote["dais.weight.confirm"].as_str()), (["6", "1", "2"], "3.5"));
    let resolve = named("resolve");
    assert_eq!([&resolve["dais.ballot.threshold"], &resolve["dais.signature.radius"]], ["0.67", "1.5"]);
    assert_eq!(named("record")["dais.ledger.size"], "321");
    assert_eq!(named("learn")["dais.adopted_by"], "48");
    assert_eq!(collector.service().as_deref(), Some("dais-test"));
    assert!(collector.keys().iter().all(|key| key == "swordfish 100%25"), "{:?}", collector.keys());
}

#[test]
fn a_collector_over_http_receives_the_life_of_each_signature_as_a_tree() {
    let collector = Collector::default();
    let counts = traced(&params(format!("http://{}", collector.over_http()), Protocol::Http), &history());
    assert_eq!((counts.sent_spans, counts.failed_spans, counts.dropped_spans), (18, 0, 0));
    check_what_arrived(&collector);
}

#[test]
fn a_collector_over_grpc_receives_the_life_of_each_signature_as_a_tree() {
    let collector = Collector::default();
    let counts = traced(&params(format!("http://{}", collector.over_grpc()), Protocol::Grpc), &history());
    assert_eq!((counts.sent_spans, counts.failed_spans, counts.dropped_spans), (18, 0, 0));
    check_what_arrived(&collector);
}

#[test]
fn a_life_that_did_not_end_is_sent_as_open() {
    let collector = Collector::default();
    let counts = traced(&params(format!("http://{}", collector.over_http()), Protocol::Http), &history()[..1]);
    assert_eq!(counts.sent_spans, 8);
    let spans = collector.spans();
    let roots: Vec<&Span> = spans.iter().filter(|span| span.name == "signature").collect();
    assert_eq!(roots.len(), 2);
    assert!(roots.iter().all(|root| attributes(&root.attributes)["dais.outcome"] == "open"));
}

#[test]
fn only_sampled_signatures_are_traced_and_only_so_many_at_once() {
    let collector = Collector::default();
    let address = collector.over_http();
    let few = |change: TraceParams| traced(&change, &history());
    let on = params(format!("http://{address}"), Protocol::Http);
    // The scan's id is in the lower fifth of all ids, the worm's in the upper half.
    assert_eq!(few(TraceParams { sample_ratio: 0.2, ..on.clone() }).sent_spans, 6);
    let bounded = few(TraceParams { open_traces_max: 1, ..on.clone() });
    assert_eq!((bounded.sent_spans, bounded.untraced), (12, 1));
    let full = few(TraceParams { queue_spans_max: 5, batch_spans_max: 5, batch_delay_s: 300.0, ..on });
    assert_eq!(full.sent_spans + full.dropped_spans, 18);
    assert!(full.dropped_spans > 0, "{full:?}");
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Takes connections and never answers.
    let mute_listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = mute_listener.local_addr().unwrap();
    let cases = [(gone, Protocol::Http), (gone, Protocol::Grpc), (mute, Protocol::Http), (mute, Protocol::Grpc)];
    std::thread::scope(|scope| {
        for (address, protocol) in cases {
            scope.spawn(move || {
                let began = Instant::now();
                let patient = TraceParams { timeout_s: 300.0, ..params(format!("http://{address}"), protocol) };
                let counts = traced(&patient, &history());
                assert_eq!((counts.sent_spans, counts.failed_spans + counts.dropped_spans), (0, 18), "{counts:?}");
                assert!(began.elapsed() < Duration::from_secs(100), "the end waited for the time-out of requests");
            });
        }
    });
}

#[test]
fn after_a_refusal_further_spans_are_sent() {
    let collector = Collector::default();
    let on = params(format!("http://{}", collector.over_http()), Protocol::Http);
    collector.refuse(1);
    let mut traces = SignatureTraces::start(&TraceParams { batch_spans_max: 1, ..on }).unwrap().unwrap();
    for facts in history() {
        traces.observe(&facts);
    }
    crate::health_monitor::wait_for("the other spans", || traces.counts().sent_spans == 17);
    assert_eq!(traces.finish().failed_spans, 1);
}

#[test]
fn traces_that_are_off_do_not_begin() {
    assert!(SignatureTraces::start(&TraceParams::default()).unwrap().is_none());
    let wrong = TraceParams { enable: true, endpoint: "collector:4318".into(), ..TraceParams::default() };
    assert!(SignatureTraces::start(&wrong).is_err());
}
