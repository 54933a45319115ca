//! How many rows a second a detector that learns from a stream learns and scores, one thread; prints one JSON object
//! for each detector and number of features.
//!
//! ```text
//! online_speed [ROWS]    drawn rows, 100,000 unless told, learned and scored in batches of 100
//! ```
//!
//! Times are processor time of this thread (wall-clock time where the system does not tell).

#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "a program that takes the time")]

use std::error::Error;
use std::fs;
use std::time::Instant;

use dais_detect::{Columns, HalfSpaceParams, LodaParams, Online, RandomCutParams, Scratch};
use rand_philox::{Philox, u32_to_unit_f32};

const BATCH: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse::<usize>())?;
    for features in [3, 20] {
        let data = drawn(rows, features);
        let view = Columns::new(&data, rows, features);
        measure("half-space-trees", HalfSpaceParams::default().start(features, 7)?, view)?;
        measure("loda", LodaParams::default().start(features, 7)?, view)?;
        measure("random-cut-forest", RandomCutParams::default().start(features, 7)?, view)?;
    }
    Ok(())
}

fn measure(name: &str, mut model: impl Online, view: Columns<'_>) -> Result<(), Box<dyn Error>> {
    let wall = Instant::now();
    let (mut scratch, mut scores, mut sum) = (Scratch::default(), [0.0; BATCH], 0.0);
    let batches = || (0..view.rows() / BATCH).map(|batch| view.slice(batch * BATCH..(batch + 1) * BATCH));
    let start = seconds(&wall);
    for batch in batches() {
        model.learn(batch)?;
    }
    let learned = seconds(&wall);
    for batch in batches() {
        model.score(batch, &mut scores, &mut scratch);
        sum += scores[0];
    }
    let scored = seconds(&wall);
    let per_second = |seconds: f64| (view.rows() / BATCH * BATCH) as f64 / seconds;
    println!(
        r#"{{"detector":"{name}","features":{},"learned_per_s":{:.0},"scored_per_s":{:.0},"bytes":{},"check":{sum:.3}}}"#,
        view.features(),
        per_second(learned - start),
        per_second(scored - learned),
        model.size_bytes(),
    );
    Ok(())
}

/// Roughly normal values, column by column; half of the features are mostly 0, as in flow records.
fn drawn(rows: usize, features: usize) -> Vec<f32> {
    let mut words = Philox::from_u64_seed(1);
    let mut values: Vec<f32> =
        (0..rows * features).map(|_| (0..12).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>() - 6.0).collect();
    for value in &mut values[..rows * features / 2] {
        *value = value.max(1.0) - 1.0;
    }
    values
}

/// Processor time of this thread.
fn seconds(wall: &Instant) -> f64 {
    // The system brings the count up to date when the thread gives way.
    std::thread::yield_now();
    let on_processor = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = on_processor.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| wall.elapsed().as_secs_f64(), |nanoseconds| nanoseconds * 1e-9)
}
