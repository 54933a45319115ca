//! What the traffic of a synthetic world looks like: flows and mean features of every family beside benign flows.
//!
//! `cargo run --release -p dais-traffic --example synthetic_overview -- [sites] [steps] [seed]`
#![expect(clippy::disallowed_types, clippy::print_stdout, reason = "an example that prints and takes the time")]

use std::time::Instant;

use dais_traffic::{Context, Label, Source, Synthetic, SyntheticParams};

/// Sums over the flows of one family.
#[derive(Clone)]
struct Sums {
    flows: usize,
    features: Vec<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<u64> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |place: usize, default: u64| arguments.get(place).copied().unwrap_or(default);
    let (sites, steps) = (u32::try_from(argument(0, 50))?, u32::try_from(argument(1, 100))?);
    let world = SyntheticParams { sites, steps, ..SyntheticParams::default() }.build(argument(2, 1))?;
    campaigns(&world);
    let begin = Instant::now();
    let sums = sum(&world, steps);
    let flows: usize = sums.iter().map(|sums| sums.flows).sum();
    let nanoseconds = begin.elapsed().as_nanos() as f64 / flows.max(1) as f64;
    table(&world, &sums);
    println!("\n{flows} flows of {sites} sites in {steps} steps, {nanoseconds:.0} ns each with context features");
    Ok(())
}

fn campaigns(world: &Synthetic) {
    println!("{:<22}{:>6}{:>9}{:>11}{:>9}{:>9}", "campaign", "start", "duration", "flows/step", "stealth", "spacing");
    for it in world.campaigns() {
        println!(
            "{:<22}{:>6}{:>9}{:>11.1}{:>9.2}{:>9.2}",
            it.family.name(),
            it.start_step,
            it.duration_steps,
            it.intensity,
            it.stealth,
            it.spacing_steps
        );
    }
}

/// Sums by family, benign flows last.
fn sum(world: &Synthetic, steps: u32) -> Vec<Sums> {
    let benign = world.families().len();
    let empty = Sums { flows: 0, features: vec![0.0; world.schema().numeric.len()] };
    let mut sums = vec![empty; benign + 1];
    for site in 0..world.sites() as u32 {
        let mut context = Context::default();
        for step in 0..steps {
            let seen = world.observe(site, step, &mut context);
            for (row, label) in seen.truth.labels().iter().enumerate() {
                let sums = match label {
                    Label::Attack(family) => &mut sums[usize::from(family.0)],
                    Label::Benign | Label::Undecided => &mut sums[benign],
                };
                sums.flows += 1;
                for (k, sum) in sums.features.iter_mut().enumerate() {
                    *sum += f64::from(seen.batch.numeric_column(k)[row]);
                }
            }
        }
    }
    sums
}

/// One line a feature, one column a family.
fn table(world: &Synthetic, sums: &[Sums]) {
    let names: Vec<&str> = world.families().iter().map(|family| family.name.as_str()).chain(["benign"]).collect();
    print!("\n{:<27}", "mean scaled feature");
    for name in names {
        print!("{:>11.10}", name.trim_start_matches("port_scan_"));
    }
    print!("\n{:<27}", "flows");
    for sums in sums {
        print!("{:>11}", sums.flows);
    }
    println!();
    for (k, feature) in world.schema().numeric.iter().enumerate() {
        print!("{:<27}", feature.name);
        for sums in sums {
            print!("{:>11.3}", sums.features[k] / sums.flows.max(1) as f64);
        }
        println!();
    }
}
