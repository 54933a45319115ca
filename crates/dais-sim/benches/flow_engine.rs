//! How many flows a second go from the bytes of a Zeek log through features to the scores of an agent's detector, on one core?

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dais_detect::{Columns, Detector, EnsembleParams, Scratch};
use dais_traffic::{
    Batch, BatchBuilder, Context, Endpoint, FLOW_CATEGORICAL, FLOW_NUMERIC, FlowReader, ReadOptions, flow_schema,
};
use rand_philox::Philox;

const FLOWS: u32 = 20_000;

/// Flows scored at once.
const BATCH: usize = 500;

/// Flows of the baseline that an agent learns from by default.
const BASELINE: usize = 512;

/// A log of many hosts and a few services, with some probes.
fn zeek() -> String {
    let mut words = Philox::from_u64_seed(7);
    let mut below = |bound: u32| words.next_u32() % bound;
    let mut text = String::from(
        "#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n",
    );
    for k in 0..FLOWS {
        let kind = below(6) as usize;
        let (service, port, protocol) = [
            ("dns", 53, "udp"),
            ("ssl", 443, "tcp"),
            ("http", 80, "tcp"),
            ("-", 23, "tcp"),
            ("ntp", 123, "udp"),
            ("gssapi,smb", 445, "tcp"),
        ][kind];
        let totals = match service {
            "-" => "-\t-\t-\tS0".to_owned(),
            _ => format!("{}.{:06}\t{}\t{}\tSF", below(90), below(1_000_000), below(3_000), below(80_000)),
        };
        let (source, destination) = ([below(4), below(250)], [below(220) + 1, below(250), below(250)]);
        writeln!(
            text,
            "{}.{:06}\tC{k:017}\t147.32.{}.{}\t{}\t{}.{}.{}.9\t{port}\t{protocol}\t{service}\t{totals}\tT\tF\t0\tShADadfF\t{}\t{}\t{}\t{}\t-",
            1_655_071_198 + k / 10,
            k % 10 * 100_000 + below(100_000),
            source[0],
            source[1],
            1_024 + below(60_000),
            destination[0],
            destination[1],
            destination[2],
            1 + below(30),
            below(9_000),
            below(40),
            below(90_000),
        )
        .expect("memory takes text");
    }
    text
}

/// Hands the flows of a log over in batches of [`BATCH`] with their features.
fn batches(text: &str, mut each: impl FnMut(&Batch)) {
    let schema = flow_schema();
    let reader = FlowReader::open("conn.log", text.as_bytes(), &ReadOptions::default()).expect("a Zeek log");
    let (mut context, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
    let mut builder = BatchBuilder::new(&schema, BATCH);
    let mut rows = 0;
    for flow in reader {
        let flow = flow.expect("a sound row").flow;
        context.observe(&flow, &mut numeric, &mut codes);
        let endpoint =
            Endpoint { source: flow.source, destination: flow.destination, destination_port: flow.destination_port };
        builder.push(&numeric, &codes, Some(endpoint), Some(flow.time_s));
        rows += 1;
        if rows == BATCH {
            each(&std::mem::replace(&mut builder, BatchBuilder::new(&schema, BATCH)).finish());
            rows = 0;
        }
    }
}

/// What a detector looks at: numbers as they are, categories by a rarity from 0 to 1.
fn view(batch: &Batch, view: &mut Vec<f32>) {
    view.clear();
    view.extend_from_slice(batch.numeric());
    view.extend(batch.codes().iter().map(|code| f32::from(*code) / 16.0));
}

fn flow_engine(criterion: &mut Criterion) {
    let text = zeek();
    let width = FLOW_NUMERIC + FLOW_CATEGORICAL;
    let (mut scratch, mut rows, mut scores) = (Scratch::default(), Vec::new(), vec![0.0; BATCH]);
    let mut first = Vec::new();
    batches(&text, |batch| {
        if first.len() < 2 {
            view(batch, &mut rows);
            first.push(rows.clone());
        }
    });
    let baseline: Vec<f32> = (0..width)
        .flat_map(|k| {
            first.iter().flat_map(move |rows| rows[k * BATCH..(k + 1) * BATCH].iter().copied()).take(BASELINE)
        })
        .collect();
    let baseline = Columns::new(&baseline, BASELINE, width);
    let detector = EnsembleParams::default().fit(baseline, 7, &mut scratch).expect("a sound baseline");
    let mut group = criterion.benchmark_group("flow_engine");
    group.throughput(Throughput::Elements(u64::from(FLOWS)));
    group.bench_function("zeek_to_features", |bencher| {
        bencher.iter(|| {
            batches(black_box(&text), |batch| {
                black_box(batch.numeric());
            });
        });
    });
    group.bench_function("zeek_to_scores", |bencher| {
        bencher.iter(|| {
            batches(black_box(&text), |batch| {
                view(batch, &mut rows);
                detector.score(Columns::new(&rows, BATCH, width), &mut scores, &mut scratch);
                black_box(&scores);
            });
        });
    });
    group.finish();
}

criterion_group!(benches, flow_engine);
criterion_main!(benches);
