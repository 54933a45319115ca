//! Fits and scores an isolation forest on labelled rows, one thread, and prints one JSON object.
//!
//! ```text
//! forest_speed FILE.csv[.gz] [SEEDS [FIRST]]  numeric columns, the last one the label (0 or 1); fits on all rows
//! forest_speed wide [REPEATS]          100,000 drawn rows of 40 features: fit, score on one thread and, by halves, on two
//! forest_speed small [REPEATS]         256 drawn rows of 20 features: fit, then score 100 others
//! forest_speed agent [REPEATS]         512 drawn rows of 20 features: both detectors and the ensemble; a step of an
//!                                      agent is a fifth of a fit, and 100 rows scored
//! ```
//!
//! Times are processor time of this thread (wall-clock time where the system does not tell).

#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "a program that reads a file and takes the time")]

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

mod clock;

use clock::Clock;
use dais_detect::metric::auroc;
use dais_detect::{Columns, Detector, EnsembleParams, ForestParams, NeighbourParams, Scratch};
use rand_philox::{Philox, u32_to_unit_f32};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |default: u64| arguments.get(1).map_or(Ok(default), |text| text.parse());
    match arguments.first().map(String::as_str) {
        Some("wide") => wide(number(11)?),
        Some("small") => small(number(200)?),
        Some("agent") => agent(number(200)?),
        Some(path) => labelled(path, number(5)?, arguments.get(2).map_or(Ok(0), |text| text.parse())?),
        None => Err("usage: forest_speed FILE.csv[.gz] [SEEDS [FIRST]] | wide | small | agent [REPEATS]".into()),
    }
}

fn labelled(path: &str, seeds: u64, first_seed: u64) -> Result<(), Box<dyn Error>> {
    let clock = Clock::start();
    let (values, rows, features, attack) = read(path)?;
    let view = Columns::new(&values, rows, features);
    let (mut scores, mut scratch) = (vec![0.0; rows], Scratch::default());
    let (mut fit_s, mut score_s, mut areas) = (Vec::new(), Vec::new(), Vec::new());
    for seed in first_seed..first_seed + seeds {
        let start = clock.seconds();
        let forest = ForestParams::default().fit_in(view, seed, &mut scratch.fit)?;
        let fitted = clock.seconds();
        forest.score(view, &mut scores, &mut scratch);
        score_s.push(clock.seconds() - fitted);
        fit_s.push(fitted - start);
        areas.push(auroc(&scores, &attack).ok_or("the file needs rows of both labels")?);
    }
    let cpu_s = median(&mut score_s);
    let (mean, std) = mean_and_std(&areas);
    println!(
        r#"{{"rows":{rows},"features":{features},"fit_ms":{:.4},"cpu_s":{cpu_s:.5},"rows_per_cpu_s":{:.0},"auroc_mean":{mean:.5},"auroc_std":{std:.5}}}"#,
        1e3 * median(&mut fit_s),
        rows as f64 / cpu_s,
    );
    Ok(())
}

fn wide(repeats: u64) -> Result<(), Box<dyn Error>> {
    const ROWS: usize = 100_000;
    const FEATURES: usize = 40;
    const ROUNDS: usize = 5;
    let rows = drawn(ROWS, FEATURES, 1);
    let halves: Vec<Vec<f32>> = [0..ROWS / 2, ROWS / 2..ROWS]
        .map(|half| rows.chunks(ROWS).flat_map(|column| column[half.clone()].iter().copied()).collect())
        .into();
    let view = Columns::new(&rows, ROWS, FEATURES);
    let (mut scratch, mut scores, clock) = (Scratch::default(), vec![0.0; ROWS], Clock::start());
    let [mut fit, mut score, mut one, mut two] = [const { Vec::new() }; 4];
    for seed in 0..repeats {
        let forest = clock.time(&mut fit, || ForestParams::default().fit_in(view, seed, &mut scratch.fit))?;
        clock.time(&mut score, || forest.score(view, &mut scores, &mut scratch));
        // The same halves, one after the other and at once, by the wall clock; several times, for threads to be under way.
        let scored = |half: &Vec<f32>| {
            let (mut scratch, mut scores) = (Scratch::default(), vec![0.0; ROWS / 2]);
            for _ in 0..ROUNDS {
                forest.score(Columns::new(half, ROWS / 2, FEATURES), &mut scores, &mut scratch);
            }
        };
        let start = Instant::now();
        halves.iter().for_each(scored);
        one.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        std::thread::scope(|scope| halves.iter().for_each(|half| drop(scope.spawn(move || scored(half)))));
        two.push(start.elapsed().as_secs_f64());
    }
    let (cpu_s, one, two) = (median(&mut score), median(&mut one), median(&mut two));
    println!(
        r#"{{"rows":{ROWS},"features":{FEATURES},"fit_ms":{:.4},"cpu_s":{cpu_s:.5},"rows_per_cpu_s":{:.0},"wall_one_thread_s":{one:.5},"wall_two_threads_s":{two:.5},"two_over_one":{:.2}}}"#,
        1e3 * median(&mut fit),
        ROWS as f64 / cpu_s,
        one / two,
    );
    Ok(())
}

fn small(repeats: u64) -> Result<(), Box<dyn Error>> {
    let (baseline, batch) = (drawn(256, 20, 1), drawn(100, 20, 2));
    let (baseline, batch) = (Columns::new(&baseline, 256, 20), Columns::new(&batch, 100, 20));
    let (mut scratch, mut scores) = (Scratch::default(), vec![0.0; 100]);
    let (mut fit, mut score, clock) = (Vec::new(), Vec::new(), Clock::start());
    for seed in 0..repeats {
        let forest = clock.time(&mut fit, || ForestParams::default().fit_in(baseline, seed, &mut scratch.fit))?;
        clock.time(&mut score, || forest.score(batch, &mut scores, &mut scratch));
    }
    print_milliseconds(&mut [("fit_ms", fit), ("score_100_ms", score)]);
    Ok(())
}

fn agent(repeats: u64) -> Result<(), Box<dyn Error>> {
    let (baseline, batch) = (drawn(512, 20, 1), drawn(100, 20, 2));
    let (baseline, batch) = (Columns::new(&baseline, 512, 20), Columns::new(&batch, 100, 20));
    let (mut scratch, mut scores) = (Scratch::default(), vec![0.0; 100]);
    let [mut forest_fit, mut forest_score, mut neighbours_fit, mut neighbours_score] = [const { Vec::new() }; 4];
    let (mut fit, mut score, mut step, clock) = (Vec::new(), Vec::new(), Vec::new(), Clock::start());
    for seed in 0..repeats {
        let forest = ForestParams::default();
        let forest = clock.time(&mut forest_fit, || forest.fit_in(baseline, seed, &mut scratch.fit))?;
        clock.time(&mut forest_score, || forest.score(batch, &mut scores, &mut scratch));
        let neighbours = clock.time(&mut neighbours_fit, || NeighbourParams::default().fit(baseline))?;
        clock.time(&mut neighbours_score, || neighbours.score(batch, &mut scores, &mut scratch));
        let ensemble = clock.time(&mut fit, || EnsembleParams::default().fit(baseline, seed, &mut scratch))?;
        clock.time(&mut score, || ensemble.score(batch, &mut scores, &mut scratch));
        step.push(fit[fit.len() - 1] / 5.0 + score[score.len() - 1]);
    }
    print_milliseconds(&mut [
        ("forest_fit_ms", forest_fit),
        ("forest_score_ms", forest_score),
        ("neighbours_fit_ms", neighbours_fit),
        ("neighbours_score_ms", neighbours_score),
        ("ensemble_fit_ms", fit),
        ("ensemble_score_ms", score),
        ("agent_step_ms", step),
    ]);
    Ok(())
}

/// Roughly normal values, column by column; half of the features are mostly 0, as in flow records.
fn drawn(rows: usize, features: usize, seed: u64) -> Vec<f32> {
    let mut words = Philox::from_u64_seed(seed);
    let mut values: Vec<f32> =
        (0..rows * features).map(|_| (0..12).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>() - 6.0).collect();
    for value in &mut values[..rows * features / 2] {
        *value = if *value < 1.0 { 0.0 } else { *value };
    }
    values
}

fn print_milliseconds(figures: &mut [(&str, Vec<f64>)]) {
    let fields = figures.iter_mut().map(|(name, seconds)| {
        let median = 1e3 * median(seconds);
        format!(r#""{name}":{median:.4},"{name}_min":{:.4}"#, 1e3 * seconds[0])
    });
    println!("{{{}}}", fields.collect::<Vec<_>>().join(","));
}

/// Values column by column, rows, features, and which rows are attacks.
type Labelled = (Vec<f32>, usize, usize, Vec<bool>);

fn read(path: &str) -> Result<Labelled, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let text: Box<dyn Read> = if Path::new(path).extension().is_some_and(|extension| extension == "gz") {
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut reader = csv::Reader::from_reader(text);
    let features = reader.headers()?.len() - 1;
    let (mut columns, mut attack) = (vec![Vec::new(); features], Vec::new());
    for record in reader.records() {
        let record = record?;
        for (column, field) in columns.iter_mut().zip(record.iter()) {
            column.push(field.parse::<f32>()?);
        }
        attack.push(record[features].parse::<f32>()? > 0.5);
    }
    Ok((columns.concat(), attack.len(), features, attack))
}

/// The median; sorts.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance.sqrt())
}
