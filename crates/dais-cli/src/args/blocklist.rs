//! `dais blocklist`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::group::server::ServerArgs;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais blocklist runs/office-7 > blocked.txt
  dais blocklist runs/office-7 --format nft | sudo nft -f -
  dais blocklist runs/office-7 --format zeek > intel/dais.dat";

/// `dais blocklist`.
#[derive(Debug, Args)]
pub(crate) struct BlocklistArgs {
    /// Folder of the run, as `dais run` names it in its last lines, its ledger file, or a connection string
    pub(crate) run: PathBuf,
    /// How addresses are written
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub(crate) format: Format,
    /// Where the ledger is, if it is no more where the run's folder says, or with the user and password that are not
    /// written there (or in `DAIS_LEDGER`, if that names the same place)
    #[arg(long, value_name = "LOCATION")]
    pub(crate) ledger: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// How a blocklist is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One address a line
    Plain,
    /// A table with the reasons
    Csv,
    /// A table of nftables that drops what comes from them
    Nft,
    /// A file of Zeek's intelligence framework
    Zeek,
}
