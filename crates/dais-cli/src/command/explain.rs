//! `dais explain`.

use std::process::ExitCode;

use crate::args::ExplainArgs;

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    crate::output::say(&format!("{args:?}"));
    Ok(ExitCode::SUCCESS)
}
