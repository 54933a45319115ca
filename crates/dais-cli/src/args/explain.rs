//! `dais explain`.

use std::path::PathBuf;

use clap::Args;

use super::group::server::ServerArgs;

/// `dais explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Folder of the run, as `dais run` names it in its last lines, its ledger file, or a connection string
    pub(crate) run: PathBuf,
    /// Id of a signature, or the beginning of one, or a source address
    #[arg(value_name = "SIGNATURE|ADDRESS")]
    pub(crate) subject: String,
    /// Where the ledger is, if it is no more where the run's folder says, or with the user and password that are not
    /// written there (or in `DAIS_LEDGER`, if that names the same place)
    #[arg(long, value_name = "LOCATION")]
    pub(crate) ledger: Option<String>,
    /// Show every vote and feature, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
