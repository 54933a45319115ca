//! Refits and scores one forest for each of many agents, and prints one JSON object.
//!
//! ```text
//! many_forests [AGENTS [THREADS]]      10,000 agents, 2 threads
//! ```
//!
//! Each agent has its own 256 drawn baseline rows of 17 features, its own forest of 100 trees of 256 rows, and 100 flows to score. The
//! agents are dealt to the threads in blocks. Agent by agent: `fit` learns a new forest, `refresh` replaces a fifth of the
//! trees, `score` scores the agent's flows; each figure is the best of three rounds over all agents, in wall-clock time, with every
//! forest cold in cache when its turn comes.

#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "a program that uses threads and takes the time")]

use std::error::Error;
use std::time::Instant;

use dais_detect::{Columns, Detector, ForestParams, IsolationForest, Scratch};
use rand_philox::{Philox, u32_to_unit_f32};

const ROWS: usize = 256;
const FEATURES: usize = 17;
const FLOWS: usize = 100;
const PARAMS: ForestParams = ForestParams { trees: 100, subsample: 256 };
const ROUNDS: usize = 3;

struct Agent {
    baseline: Vec<f32>,
    flows: Vec<f32>,
    forest: IsolationForest,
    scores: Vec<f32>,
}

impl Agent {
    fn new(seed: u64, scratch: &mut Scratch) -> Result<Self, dais_detect::FitError> {
        let (baseline, flows) = (drawn(ROWS, 2 * seed), drawn(FLOWS, 2 * seed + 1));
        let forest = PARAMS.fit_in(Columns::new(&baseline, ROWS, FEATURES), seed, &mut scratch.fit)?;
        Ok(Self { baseline, flows, forest, scores: vec![0.0; FLOWS] })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (agents, threads) = (number(10_000)?, number(2)?.max(1));
    let mut scratch = Scratch::default();
    let mut all: Vec<Agent> =
        (0..agents as u64).map(|seed| Agent::new(seed, &mut scratch)).collect::<Result<_, _>>()?;
    let forest_bytes = all.iter().map(|agent| agent.forest.size_bytes()).sum::<usize>() / agents.max(1);
    let seed = agents as u64;
    let fit_s = best(&mut all, threads, |agent, scratch| {
        let view = Columns::new(&agent.baseline, ROWS, FEATURES);
        agent.forest = PARAMS.fit_in(view, seed, &mut scratch.fit).map_err(|error| error.to_string())?;
        Ok(())
    })?;
    let refresh_s = best(&mut all, threads, |agent, scratch| {
        let Agent { baseline, forest, .. } = agent;
        let view = Columns::new(baseline, ROWS, FEATURES);
        *forest = PARAMS.refresh_in(forest, 20, view, seed, &mut scratch.fit).map_err(|error| error.to_string())?;
        Ok(())
    })?;
    let score_s = best(&mut all, threads, |agent, scratch| {
        let Agent { flows, forest, scores, .. } = agent;
        forest.score(Columns::new(flows, FLOWS, FEATURES), scores, scratch);
        Ok(())
    })?;
    println!(
        r#"{{"agents":{agents},"threads":{threads},"bytes_per_forest":{forest_bytes},"fits_per_s":{:.0},"refreshes_per_s":{:.0},"scored_flows_per_s":{:.0}}}"#,
        agents as f64 / fit_s,
        agents as f64 / refresh_s,
        (agents * FLOWS) as f64 / score_s,
    );
    Ok(())
}

/// The shortest time of some rounds of `work` over all agents.
fn best(
    agents: &mut [Agent],
    threads: usize,
    work: impl Fn(&mut Agent, &mut Scratch) -> Result<(), String> + Sync,
) -> Result<f64, String> {
    let block = agents.len().div_ceil(threads).max(1);
    let mut shortest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
            let run = |block: &mut [Agent]| {
                let mut scratch = Scratch::default();
                block.iter_mut().try_for_each(|agent| work(agent, &mut scratch))
            };
            let threads: Vec<_> = agents.chunks_mut(block).map(|block| scope.spawn(move || run(block))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread failed".into()))).collect()
        });
        outcomes.into_iter().collect::<Result<(), String>>()?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}

/// Uniform values, column by column; half of the features are mostly 0, as in flow records.
fn drawn(rows: usize, seed: u64) -> Vec<f32> {
    let mut words = Philox::from_u64_seed(seed);
    let value = |place: usize, value: f32| if place < rows * FEATURES / 2 && value < 0.7 { 0.0 } else { value };
    (0..rows * FEATURES).map(|place| value(place, u32_to_unit_f32(words.next_u32()))).collect()
}
