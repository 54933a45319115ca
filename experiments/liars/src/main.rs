//! Measures what liars of every kind do to whole runs, and searches for the worst mix.
//!
//! `cargo run --release -p liars -- table` prints a line for every adversary and share; `-- search` looks for the mix that
//! does most damage within a budget of runs. Both are functions of their arguments alone.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod life;
mod search;
mod table;

use clap::{Args, Parser, Subcommand};

/// Measures what liars do to whole runs.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    size: Size,
}

/// How large the runs are.
#[derive(Clone, Copy, Debug, Args)]
struct Size {
    /// Agents of a run.
    #[arg(long, global = true, default_value_t = 50)]
    agents: u32,
    /// Steps of a run.
    #[arg(long, global = true, default_value_t = 60)]
    steps: u32,
    /// Seeds, from 1 on.
    #[arg(long, global = true, default_value_t = 3)]
    seeds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every adversary at every share.
    Table {
        /// Shares of the agents that lie.
        #[arg(long, value_delimiter = ',', default_values_t = [0.02, 0.04, 0.1, 0.2, 0.3])]
        shares: Vec<f64>,
        /// Only these adversaries, by name.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// The mix that does most damage.
    Search {
        /// Share of the agents that lie.
        #[arg(long, default_value_t = 0.1)]
        share: f64,
        /// Mixes tried.
        #[arg(long, default_value_t = 100)]
        budget: u32,
    },
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { command, size } = Arguments::parse();
    match command {
        Command::Table { shares, only } => table::print(size, &shares, &only),
        Command::Search { share, budget } => search::print(size, share, budget),
    }
}
