//! How long does one step of the whole loop take, by number of agents?

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dais_ledger::{MemoryStorage, Origin};
use dais_sim::{Execution, Mode, Plan, Rules, Seed, Stop, World};
use dais_traffic::{Source, SyntheticParams};

/// Steps before measuring, so that campaigns run and signatures are in force.
const WARM_UP: u32 = 10;

fn world(agents: u32, threads: usize) -> World {
    let params = SyntheticParams { sites: agents, steps: 100, ..SyntheticParams::default() };
    let source: Arc<dyn Source> = Arc::new(params.build(1).expect("default parameters"));
    let plan = Plan {
        seed: Seed(1),
        rules: Rules::default(),
        execution: Execution { threads, use_parallel_threshold: 2 },
        origin: Origin::new("dais/bench").expect("a name"),
        genesis: Vec::new(),
        stop: Stop::default(),
    };
    let mut world = World::new(Mode::Collaborative, &plan, source, Box::new(MemoryStorage::new())).expect("a world");
    for _ in 0..WARM_UP {
        world.step(&mut ()).expect("a step");
    }
    world
}

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.sample_size(10);
    let threads = Execution::default().threads;
    for agents in [10, 100, 1000] {
        let mut world = world(agents, threads);
        group.throughput(Throughput::Elements(u64::from(agents)));
        group.bench_function(BenchmarkId::from_parameter(agents), |b| b.iter(|| world.step(&mut ()).expect("a step")));
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
