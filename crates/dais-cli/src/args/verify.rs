//! `dais verify`.

use std::path::PathBuf;

use clap::Args;

use super::group::server::ServerArgs;

/// `dais verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Folder of the run, as `dais run` names it in its last lines, its ledger file, or a connection string
    pub(crate) run: PathBuf,
    /// Where the ledger is, if it is no more where the run's folder says, or with the user and password that are not
    /// written there (or in `DAIS_LEDGER`, if that names the same place)
    #[arg(long, value_name = "LOCATION")]
    pub(crate) ledger: Option<String>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
