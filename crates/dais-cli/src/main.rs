//! The command line of dais.
#![forbid(unsafe_code)]

mod args;
mod command;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

/// Wrong usage or input.
const EXIT_INPUT: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => command::run(&args),
        Command::Sweep(args) => command::sweep(&args),
        Command::Explain(args) => command::explain(&args),
        Command::Verify(args) => command::verify(&args),
        Command::Schema(args) => command::schema(&args),
    };
    outcome.unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::from(EXIT_INPUT)
    })
}
