//! What a line of the log costs the thread that logs it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dais_telemetry::log::{Console, Format, LogParams, prepare};
use tracing::{debug, info, info_span};

fn log_line(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("log_line");
    group.throughput(Throughput::Elements(1));
    for format in [Format::Text, Format::Json] {
        let params = LogParams {
            format,
            file: Some(folder.path().join("bench.log")),
            enable_console: false,
            flood_per_second: 0,
            ..LogParams::default()
        };
        let (dispatch, guard) = prepare(&params, Console::stderr()).expect("sound parameters");
        let name = format!("{format:?}").to_lowercase();
        tracing::dispatcher::with_default(&dispatch, || {
            let _span = info_span!("step", run = "baseline-7", world = "isolated", step = 7).entered();
            group.bench_function(BenchmarkId::new("to_file", &name), |bencher| {
                bencher.iter(|| info!(phase = "observe", duration_ms = black_box(12.5), "phase done"));
            });
            group.bench_function(BenchmarkId::new("disabled", &name), |bencher| {
                bencher.iter(|| debug!(phase = "observe", duration_ms = black_box(12.5), "phase done"));
            });
        });
        drop(guard);
    }
    let params = LogParams {
        file: Some(folder.path().join("flood.log")),
        enable_console: false,
        flood_per_second: 10,
        ..LogParams::default()
    };
    let (dispatch, guard) = prepare(&params, Console::stderr()).expect("sound parameters");
    tracing::dispatcher::with_default(&dispatch, || {
        group.bench_function("left_out_of_a_flood", |bencher| {
            bencher.iter(|| info!(phase = "observe", duration_ms = black_box(12.5), "phase done"));
        });
    });
    drop(guard);
    group.finish();
}

criterion_group!(benches, log_line);
criterion_main!(benches);
