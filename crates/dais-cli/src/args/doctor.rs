//! The arguments of `dais doctor`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::group::setting::SettingArgs;

/// `dais doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Folder in which runs are made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Folder of log files [default: that of `logging.file`]
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    /// Where ledgers are kept, if not in the folders of runs; a file or a server [default: as the section `database` says]
    #[arg(long, value_name = "LOCATION", env = "DAIS_LEDGER", hide_env_values = true)]
    pub(crate) ledger: Option<String>,
    /// Addresses that are to be listened on, which must be free [default: that of the metrics, where they are served]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) listen: Vec<SocketAddr>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
