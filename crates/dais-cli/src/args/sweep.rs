//! `dais sweep`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::group::input::InputArgs;
use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais sweep my.yaml --seeds 5 --alert-p 0.005,0.01,0.02,0.04
  dais sweep my.yaml --seeds 3 --liars 0,0.1,0.3 --out sweeps/liars";

/// `dais sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Number of seeds: 0, 1, 2, …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<u64>::new().range(1..=10_000))]
    pub(crate) seeds: u64,
    /// The seeds themselves
    #[arg(long, value_delimiter = ',', value_name = "SEEDS", conflicts_with = "seeds")]
    pub(crate) seed_list: Vec<u64>,
    /// Alert levels to compare [default: that of the scenario]
    #[arg(long, value_delimiter = ',', value_name = "LEVELS", value_parser = value::level)]
    pub(crate) alert_p: Vec<f32>,
    /// Shares of agents that publish signatures of normal traffic and invert their votes, 0 to 1, in place of the
    /// scenario's adversaries [default: those]
    #[arg(long, value_delimiter = ',', value_name = "SHARES", value_parser = value::share)]
    pub(crate) liars: Vec<f64>,
    /// Folder for sweep.json, which must not hold one yet [default: nothing is written]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object on standard output, everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}
