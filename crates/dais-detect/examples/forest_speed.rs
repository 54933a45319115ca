//! Fits and scores an isolation forest on labelled rows, one thread, and prints one JSON object.
//!
//! ```text
//! forest_speed FILE.csv[.gz] [SEEDS]   numeric columns, the last one the label (0 or 1); fits on all rows
//! forest_speed small [REPEATS]         256 drawn rows of 20 features: fit, then score 100 others
//! ```
//!
//! Times are processor time of this thread (wall-clock time where the system does not tell).

#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "a program that reads a file and takes the time")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::time::Instant;

use dais_detect::metric::auroc;
use dais_detect::{Columns, Detector, FitScratch, ForestParams, Scratch};
use rand_philox::{Philox, u32_to_unit_f32};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |default: usize| arguments.get(1).map_or(Ok(default), |text| text.parse());
    match arguments.first().map(String::as_str) {
        Some("small") => small(number(200)?),
        Some(path) => labelled(path, number(5)?),
        None => Err("usage: forest_speed FILE.csv[.gz] [SEEDS] | small [REPEATS]".into()),
    }
}

fn labelled(path: &str, seeds: usize) -> Result<(), Box<dyn Error>> {
    let clock = Clock::start();
    let (values, rows, features, attack) = read(path)?;
    let view = Columns::new(&values, rows, features);
    let (mut scores, mut scratch) = (vec![0.0; rows], Scratch::default());
    let (mut fit_s, mut score_s, mut areas) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..seeds {
        let start = clock.seconds();
        let forest = ForestParams::default().fit_in(view, seed as u64, &mut scratch.fit)?;
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

fn small(repeats: usize) -> Result<(), Box<dyn Error>> {
    let mut words = Philox::from_u64_seed(1);
    let mut normal = |count: usize| -> Vec<f32> {
        (0..count).map(|_| (0..12).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>() - 6.0).collect()
    };
    let (baseline, batch) = (normal(256 * 20), normal(100 * 20));
    let (baseline, batch) = (Columns::new(&baseline, 256, 20), Columns::new(&batch, 100, 20));
    let (mut fit, mut scratch, mut scores) = (FitScratch::default(), Scratch::default(), vec![0.0; 100]);
    let (mut fit_s, mut score_s) = (Vec::new(), Vec::new());
    let clock = Clock::start();
    for seed in 0..repeats {
        let start = clock.seconds();
        let forest = ForestParams::default().fit_in(baseline, seed as u64, &mut fit)?;
        let fitted = clock.seconds();
        forest.score(batch, &mut scores, &mut scratch);
        score_s.push(clock.seconds() - fitted);
        fit_s.push(fitted - start);
    }
    println!(
        r#"{{"fit_ms":{:.4},"fit_ms_min":{:.4},"score_100_ms":{:.4},"score_100_ms_min":{:.4}}}"#,
        1e3 * median(&mut fit_s),
        1e3 * fit_s[0],
        1e3 * median(&mut score_s),
        1e3 * score_s[0],
    );
    Ok(())
}

/// Values column by column, rows, features, and which rows are attacks.
type Labelled = (Vec<f32>, usize, usize, Vec<bool>);

fn read(path: &str) -> Result<Labelled, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let text: Box<dyn Read> =
        if path.ends_with(".gz") { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
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

/// Processor time of this thread.
struct Clock {
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now() }
    }

    fn seconds(&self) -> f64 {
        std::thread::yield_now();
        let on_processor = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanoseconds = on_processor.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        nanoseconds.map_or_else(|| self.wall.elapsed().as_secs_f64(), |nanoseconds| nanoseconds * 1e-9)
    }
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
