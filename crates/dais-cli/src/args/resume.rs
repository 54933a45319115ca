//! `dais resume`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::group::conduct::ConductArgs;

pub(crate) const EXAMPLES: &str = "\
Example:
  dais run --seed 7 --steps 5000      killed, or ended by SIGTERM, after 3,000 steps
  dais resume runs/synthetic-7        ends with the ledger head that it would have had

What the ledger holds beyond the checkpoint is compared with what is recorded again; nothing is taken back.";

/// `dais resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Folder of the run, as it was to be, or its unfinished folder
    pub(crate) run: PathBuf,
    /// Where the ledger is, with the user and password that are not written down, where it is on a server
    #[arg(long, value_name = "LOCATION", env = "DAIS_LEDGER", hide_env_values = true)]
    pub(crate) ledger: Option<String>,
    /// Worker threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=4096))]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) conduct: ConductArgs,
}
