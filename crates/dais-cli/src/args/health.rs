//! The arguments of `dais health`.

use std::time::Duration;

use clap::Args;

use super::group::setting::SettingArgs;
use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais health                                this machine: room, memory, processors
  dais health http://127.0.0.1:9090          the process that serves there
  dais health runs/synthetic-7               the process that makes this run
  dais health http://127.0.0.1:9090 --json | jq .score

Exit codes: 0 healthy, 1 degraded or unhealthy, 2 not reachable.";

/// `dais health`.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Where the process serves its health, as http://HOST:PORT, or the folder of the run it makes [default: none,
    /// this machine is looked at]
    #[arg(value_name = "URL|RUN", conflicts_with = "url")]
    pub(crate) target: Option<String>,
    /// Where the process serves its health; the same as the argument
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// How long an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = value::patience)]
    pub(crate) timeout: Duration,
    /// Print the report as one JSON object, as `/health` answers it
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
