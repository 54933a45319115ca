//! The command line of dais.
#![forbid(unsafe_code)]

mod alert_args;
mod args;
mod checkpoints;
mod choice;
mod clean_args;
mod command;
mod conduct;
mod conduct_args;
mod config_args;
mod doctor_args;
mod ending;
mod eval_args;
mod eval_screen;
mod figures;
mod health_args;
mod interrupt;
mod ledger_args;
mod limits;
mod logs_args;
mod mask;
mod memory;
mod meter;
mod operations;
mod output;
mod place;
mod progress;
mod run_folder;
mod run_ledger;
mod screen;
mod server_args;
mod settings;
mod sweep_screen;
mod table;
mod value;
mod watch_args;
mod witnesses;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

/// Wrong usage or input.
const EXIT_INPUT: u8 = 2;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(line) => line.command,
        Err(refused) => return output::refuse(&refused),
    };
    let outcome = outlive_file_size_limit().and_then(|()| match command {
        Command::Run(args) => command::run(&args),
        Command::Resume(args) => command::resume(&args),
        Command::Sweep(args) => command::sweep(&args),
        Command::Eval(args) => command::eval(&args),
        Command::Watch(args) => command::watch(&args),
        Command::Explain(args) => command::explain(&args),
        Command::Verify(args) => command::verify(&args),
        Command::Ledger(command) => command::ledger(&command),
        Command::Config(args) => command::config(&args),
        Command::Logs(args) => command::logs(&args),
        Command::Health(args) => command::health(&args),
        Command::Doctor(args) => command::doctor(&args),
        Command::Clean(args) => command::clean(&args),
        Command::Flows(args) => command::flows(&args),
        Command::Schema(args) => command::schema(&args),
        Command::Alert(args) => command::alert(&args),
    });
    outcome.unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::from(EXIT_INPUT)
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
