//! The arguments of `dais doctor`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `dais doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Folder of the configuration
    #[arg(long, value_name = "DIR", default_value = "config")]
    pub(crate) config: PathBuf,
    /// Folder in which runs are made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Folder of log files
    #[arg(long, value_name = "DIR", default_value = "logs")]
    pub(crate) logs: PathBuf,
    /// Where ledgers are kept, if not in the folders of runs; a file or a server
    #[arg(long, value_name = "LOCATION", env = "DAIS_LEDGER", hide_env_values = true)]
    pub(crate) ledger: Option<String>,
    /// Addresses that are to be listened on, which must be free
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', default_value = "127.0.0.1:9090")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
}
