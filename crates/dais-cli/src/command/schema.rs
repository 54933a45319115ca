//! `dais schema`.

use std::process::ExitCode;

use crate::args::SchemaArgs;

pub(crate) fn schema(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    crate::output::say(&format!("{args:?}"));
    Ok(ExitCode::SUCCESS)
}
