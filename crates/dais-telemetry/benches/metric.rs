//! What recording a number costs, and what a scrape does.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dais_telemetry::metric::{Exposition, RunMetrics, StepFigures, catalogue};

fn recording(criterion: &mut Criterion) {
    let metrics = RunMetrics::default();
    let counter = metrics.counter(&catalogue::VOTES, "confirm");
    let histogram = metrics.histogram(&catalogue::LEDGER_APPEND, "");
    let step = StepFigures {
        duration: Duration::from_millis(20),
        phases: Some([Duration::from_millis(5); 4]),
        agents: Some([0, 0, 0, 0, 1000, 0, 0, 0]),
        trust: (0..1000).map(|agent| f64::from(agent) / 1000.0).collect(),
        ..StepFigures::default()
    };
    let mut group = criterion.benchmark_group("metric");
    group.bench_function("counter", |bencher| bencher.iter(|| counter.add(black_box(1))));
    group.bench_function("histogram", |bencher| bencher.iter(|| histogram.observe(black_box(0.003))));
    group.bench_function("step_of_1000_agents", |bencher| bencher.iter(|| metrics.step(black_box(&step))));
    group.bench_function("scrape", |bencher| bencher.iter(|| Exposition::OpenMetrics.write(metrics.registry())));
    group.bench_function("snapshot", |bencher| bencher.iter(|| metrics.snapshot()));
    group.finish();
}

criterion_group!(benches, recording);
criterion_main!(benches);
