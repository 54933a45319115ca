//! `dais completions` and `dais man`: made from the definition of the flags.

use std::fs;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::Cli;
use crate::args::manual::{CompletionsArgs, ManArgs};
use crate::screen::output;

/// Name of the program.
const NAME: &str = "dais";

pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.out {
        let unwritable = || format!("cannot write to {}", folder.display());
        fs::create_dir_all(folder).with_context(unwritable)?;
        clap_mangen::generate_to(Cli::command(), folder).with_context(unwritable)?;
        output::say(&format!("pages in {}", folder.display()));
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).context("cannot write the page")?;
        output::print(&String::from_utf8_lossy(&page))?;
    }
    Ok(ExitCode::SUCCESS)
}
