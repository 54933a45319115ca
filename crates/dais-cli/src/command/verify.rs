//! `dais verify`.

use std::process::ExitCode;

use crate::args::VerifyArgs;

pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    crate::output::say(&format!("{args:?}"));
    Ok(ExitCode::SUCCESS)
}
