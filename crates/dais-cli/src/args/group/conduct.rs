//! How a run is carried out, common to `run` and `resume`: nothing here changes its history.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;

use super::server::ServerArgs;
use super::setting::SettingArgs;
use crate::args::value;

/// How a run is carried out.
#[derive(Debug, Args)]
pub(crate) struct ConductArgs {
    /// Print the summary as one JSON object on standard output, everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress, no summary; errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) safety: SafetyArgs,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What is done so that a run can be gone on with, and when it is to stop.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Checkpoints and limits")]
pub(crate) struct SafetyArgs {
    /// Steps from one checkpoint to the next, from which `dais resume` goes on; 0: none [default:
    /// `simulation.checkpoint_interval`, else 50 and not more often than every 10 s]
    #[arg(long, value_name = "STEPS")]
    pub(crate) checkpoint_interval: Option<u32>,
    /// Stop on the first failure of an agent that the scenario does not inject, to look into it
    #[arg(long)]
    pub(crate) stop_on_error: bool,
    /// Stop cleanly, to be gone on with, when a step takes longer than this
    #[arg(long, value_name = "SECONDS", value_parser = value::patience)]
    pub(crate) step_time_limit: Option<Duration>,
    /// Stop cleanly, to be gone on with, when the process takes more memory than this
    #[arg(long, value_name = "MIB")]
    pub(crate) memory_limit: Option<NonZeroU32>,
}
