//! How a run is carried out, common to `run` and `resume`: nothing here changes its history.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;

use crate::server_args::ServerArgs;
use crate::value;

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
    pub(crate) server: ServerArgs,
}

/// What is done so that a run can be gone on with, and when it is to stop.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Checkpoints and limits")]
pub(crate) struct SafetyArgs {
    /// Steps from one checkpoint to the next, from which `dais resume` goes on; 0: none
    #[arg(long, value_name = "STEPS", env = "SIMULATION_CHECKPOINT_INTERVAL", default_value_t = 50)]
    pub(crate) checkpoint_interval: u32,
    /// Stop on the first failure of an agent that the scenario does not inject, to look into it
    #[arg(long, env = "SIMULATION_STOP_ON_ERROR")]
    pub(crate) stop_on_error: bool,
    /// Stop cleanly, to be gone on with, when a step takes longer than this
    #[arg(long, value_name = "SECONDS", env = "SIMULATION_STEP_TIME_LIMIT_S", value_parser = value::patience)]
    pub(crate) step_time_limit: Option<Duration>,
    /// Stop cleanly, to be gone on with, when the process takes more memory than this
    #[arg(long, value_name = "MIB", env = "PERFORMANCE_MEMORY_LIMIT_MB")]
    pub(crate) memory_limit: Option<NonZeroU32>,
}
