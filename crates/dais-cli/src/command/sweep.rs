//! `dais sweep`.

use std::process::ExitCode;

use crate::args::SweepArgs;

pub(crate) fn sweep(args: &SweepArgs) -> anyhow::Result<ExitCode> {
    crate::output::say(&format!("{args:?}"));
    Ok(ExitCode::SUCCESS)
}
