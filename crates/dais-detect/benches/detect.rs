//! How long detectors take: one agent's forest, neighbours and ensemble, and a large batch.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot fit has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dais_detect::{AdwinParams, Columns, Detector, EnsembleParams, FitScratch, ForestParams, NeighbourParams, Scratch};
use rand_philox::{Philox, u32_to_unit_f32};

/// Roughly normal values, column by column; the first half of the features hardly varies, as in flow records.
fn values(rows: usize, features: usize, seed: u64) -> Vec<f32> {
    let mut words = Philox::from_u64_seed(seed);
    let mut normal = || (0..12).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>() - 6.0;
    (0..features)
        .flat_map(|feature| {
            let rare = feature < features / 2;
            (0..rows).map(move |_| rare).collect::<Vec<_>>()
        })
        .map(|rare| {
            let value = normal();
            if rare && value < 1.0 { 0.0 } else { value }
        })
        .collect()
}

fn forest_fit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("forest_fit");
    for (rows, features) in [(256, 20), (512, 20), (100_000, 3)] {
        let data = values(rows, features, 1);
        let view = Columns::new(&data, rows, features);
        let mut scratch = FitScratch::default();
        group.bench_function(format!("{rows}x{features}"), |bencher| {
            bencher.iter(|| ForestParams::default().fit_in(black_box(view), 7, &mut scratch).unwrap());
        });
    }
    group.finish();
}

fn score(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    for (rows, features) in [(100, 20), (100_000, 3)] {
        let (baseline, batch) = (values(512, features, 1), values(rows, features, 2));
        let baseline = Columns::new(&baseline, 512, features);
        let view = Columns::new(&batch, rows, features);
        let mut scratch = Scratch::default();
        let mut scores = vec![0.0; rows];
        let forest = ForestParams::default().fit(baseline, 7).unwrap();
        let neighbours = NeighbourParams::default().fit(baseline).unwrap();
        let ensemble = EnsembleParams::default().fit(baseline, 7, &mut scratch).unwrap();
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(format!("forest_{rows}x{features}"), |bencher| {
            bencher.iter(|| forest.score(black_box(view), &mut scores, &mut scratch));
        });
        if rows > 100 {
            continue;
        }
        group.bench_function(format!("neighbours_{rows}x{features}"), |bencher| {
            bencher.iter(|| neighbours.score(black_box(view), &mut scores, &mut scratch));
        });
        group.bench_function(format!("ensemble_{rows}x{features}"), |bencher| {
            bencher.iter(|| ensemble.score(black_box(view), &mut scores, &mut scratch));
        });
    }
    group.finish();
}

fn ensemble_fit(criterion: &mut Criterion) {
    let data = values(512, 20, 1);
    let view = Columns::new(&data, 512, 20);
    let mut scratch = Scratch::default();
    criterion.bench_function("neighbours_fit/512x20", |bencher| {
        bencher.iter(|| NeighbourParams::default().fit(black_box(view)).unwrap());
    });
    criterion.bench_function("ensemble_fit/512x20", |bencher| {
        bencher.iter(|| EnsembleParams::default().fit(black_box(view), 7, &mut scratch).unwrap());
    });
}

/// What one explained row costs.
fn explain(criterion: &mut Criterion) {
    let (baseline, row) = (values(512, 20, 1), values(1, 20, 2));
    let mut scratch = Scratch::default();
    let model = EnsembleParams::default().fit(Columns::new(&baseline, 512, 20), 7, &mut scratch).unwrap();
    let mut contributions = vec![0.0; 20];
    criterion.bench_function("explain/ensemble_1x20", |bencher| {
        let view = Columns::new(&row, 1, 20);
        bencher.iter(|| model.explain(black_box(view), 0, &mut contributions, &mut scratch).unwrap());
    });
}

/// Values of a stream without change, and of one that changes every 5,000 values.
fn drift(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("drift");
    group.throughput(Throughput::Elements(20_000));
    for (name, apart) in [("still", 0.0), ("changing", 0.3)] {
        let mut words = Philox::from_u64_seed(1);
        let regime = |row: u32| apart * (row / 5_000 % 2) as f32;
        let values: Vec<f32> = (0..20_000).map(|row| regime(row) + 0.7 * u32_to_unit_f32(words.next_u32())).collect();
        group.bench_function(format!("adwin_{name}"), |bencher| {
            bencher.iter(|| {
                let mut window = AdwinParams::default().start().unwrap();
                values.iter().filter(|&&value| window.add(black_box(value)).is_some()).count()
            });
        });
    }
    group.finish();
}

criterion_group!(detect, forest_fit, score, ensemble_fit, explain, drift);
criterion_main!(detect);
