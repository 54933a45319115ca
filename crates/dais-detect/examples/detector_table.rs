//! Fits detectors on labelled rows, one thread, and prints a line for each detector and set of rows.
//!
//! ```text
//! detector_table [SEEDS [NAME...]]     the detectors with these names (all), with this many seeds (1)
//! ```
//!
//! NSL-KDD: fitted on the normal rows of `KDDTrain+`, 38 numeric features as `ln(1 + x)`, scored on `KDDTest+`. http
//! and smtp: fitted and scored on all rows. The folder is `DAIS_DATA`. AUROC is the mean over the seeds; times are
//! processor time of this thread, the shortest.

#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "a program that reads files and takes the time")]
#![expect(clippy::unwrap_used, clippy::print_stderr, dead_code, reason = "in what it shares with the tests")]

use std::error::Error;

mod clock;
#[path = "../tests/it/data.rs"]
mod data;

use clock::Clock;
use dais_detect::metric::auroc;
use dais_detect::{Algorithm, Scratch};

use crate::data::Labelled;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut algorithms = arguments.map(|name| name.parse()).collect::<Result<Vec<Algorithm>, _>>()?;
    if algorithms.is_empty() {
        algorithms = Algorithm::ALL.to_vec();
    }
    println!("| detector | rows | AUROC | fit, ms | scored rows/s |\n|---|---|---:|---:|---:|");
    if let (Some(train), Some(test)) = (data::nsl_kdd("KDDTrain+"), data::nsl_kdd("KDDTest+")) {
        measure(&algorithms, "NSL-KDD", seeds, &train.only(false), &test)?;
    }
    for name in ["http", "smtp"] {
        if let Some(rows) = data::adbench(name) {
            measure(&algorithms, name, seeds, &rows, &rows)?;
        }
    }
    Ok(())
}

fn measure(
    algorithms: &[Algorithm],
    name: &str,
    seeds: u64,
    train: &Labelled,
    test: &Labelled,
) -> Result<(), Box<dyn Error>> {
    let (clock, mut scratch, mut scores) = (Clock::start(), Scratch::default(), vec![0.0; test.attack.len()]);
    for algorithm in algorithms {
        let (mut area, mut fit, mut score) = (0.0, Vec::new(), Vec::new());
        for seed in 1..=seeds {
            let model = clock.time(&mut fit, || algorithm.fit(train.view(), seed, &mut scratch))?;
            clock.time(&mut score, || model.score(test.view(), &mut scores, &mut scratch));
            area += auroc(&scores, &test.attack).ok_or("the rows need both labels")?;
        }
        let shortest = |seconds: &[f64]| seconds.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "| {algorithm} | {name} | {:.4} | {:.1} | {:.0} |",
            area / seeds as f64,
            1e3 * shortest(&fit),
            scores.len() as f64 / shortest(&score),
        );
    }
    Ok(())
}
