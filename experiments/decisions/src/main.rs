//! Prints how right the decisions of whole runs are: recall, false alarms and what was accepted, set by set.
//!
//! ```console
//! $ cargo run --release -p decisions                       # every set there is, five seeds
//! $ cargo run --release -p decisions -- synthetic quiet-100 --seeds 8-12
//! $ cargo run --release -p decisions -- synthetic --set rules.policy.burst=null
//! ```
//!
//! Sets of real traffic are looked for where the environment variable `DAIS_DATA` points, else in `../shared/data`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod figure;
mod set;

use anyhow::{Context, bail};
use dais_lab::{Material, Next, run_loaded, summarise};
use dais_ledger::MemoryStorage;
use dais_sim::{Execution, Mode};

use figure::Figures;
use set::Set;

/// What is asked for on the command line.
struct Asked {
    sets: Vec<Set>,
    seeds: Vec<u64>,
    settings: Vec<(String, String)>,
}

fn asked() -> anyhow::Result<Asked> {
    let mut asked = Asked { sets: Vec::new(), seeds: (1..=5).collect(), settings: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--seeds" => {
                let range = value()?;
                let (first, last) = range.split_once('-').context("--seeds: expected FIRST-LAST, such as 1-5")?;
                asked.seeds = (first.parse()?..=last.parse()?).collect();
            }
            "--set" => {
                let setting = value()?;
                let (key, text) = setting.split_once('=').context("--set: expected KEY=VALUE")?;
                asked.settings.push((key.to_owned(), text.to_owned()));
            }
            name => asked.sets.push(Set::named(name)?),
        }
    }
    if asked.sets.is_empty() {
        asked.sets = Set::all();
    }
    Ok(asked)
}

fn main() -> anyhow::Result<()> {
    let asked = asked()?;
    println!("{}", Figures::HEAD);
    for set in &asked.sets {
        let Some(scenario) = set.scenario()? else {
            println!("{:<16} skipped: its files are not there", set.name());
            continue;
        };
        let scenario = set::with(scenario, &asked.settings)?;
        let material = Material::read(&scenario.traffic)?;
        let mut figures = Figures::default();
        for &seed in &asked.seeds {
            let loaded = material.clone().load(&scenario.traffic, seed)?;
            let storage = Box::new(MemoryStorage::new());
            let history = run_loaded(&scenario, loaded, seed, Execution::default(), storage, &mut |_| Next::Continue)?;
            figures.add(&summarise(&history, None));
        }
        if figures.is_empty() {
            bail!("no seed was run");
        }
        for mode in [Mode::Isolated, Mode::Collaborative, Mode::Oracle] {
            if let Some(line) = figures.line(set.name(), mode) {
                println!("{line}");
            }
        }
    }
    Ok(())
}
