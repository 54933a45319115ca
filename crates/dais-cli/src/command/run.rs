//! `dais run`.

use std::process::ExitCode;

use crate::args::RunArgs;

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    crate::output::say(&format!("{args:?}"));
    Ok(ExitCode::SUCCESS)
}
