//! The command line of dais.
#![forbid(unsafe_code)]

mod args;
mod command;
mod exit;
mod operations;
mod place;
mod run;
mod screen;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::screen::output;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(line) => line.command,
        Err(refused) => return output::refuse(&refused, args::hint(&refused).as_deref()),
    };
    let outcome = outlive_file_size_limit().and_then(|()| match command {
        Command::Run(args) => command::run(&args),
        Command::Resume(args) => command::resume(&args),
        Command::Sweep(args) => command::sweep(&args),
        Command::Eval(args) => command::eval(&args),
        Command::Watch(args) => command::watch(&args),
        Command::Explain(args) => command::explain(&args),
        Command::Blocklist(args) => command::blocklist(&args),
        Command::Verify(args) => command::verify(&args),
        Command::Ledger(command) => command::ledger(&command),
        Command::Config(args) => command::config(&args),
        Command::List(args) => command::list(&args),
        Command::Logs(args) => command::logs(&args),
        Command::Health(args) => command::health(&args),
        Command::Doctor(args) => command::doctor(&args),
        Command::Clean(args) => command::clean(&args),
        Command::Flows(args) => command::flows(&args),
        Command::Schema(args) => command::schema(&args),
        Command::Alert(args) => command::alert(&args),
        Command::Completions(args) => command::completions(&args),
        Command::Man(args) => command::man(&args),
    });
    outcome.unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::from(exit::INPUT)
    })
}

/// Turns the signal that ends a process at its file size limit into a failed write, which is reported like a full disk.
#[cfg(unix)]
fn outlive_file_size_limit() -> anyhow::Result<()> {
    let unread = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread)?;
    Ok(())
}

#[cfg(not(unix))]
fn outlive_file_size_limit() -> anyhow::Result<()> {
    Ok(())
}
