//! One command for checks, tests, benches, formatting and the book: `cargo xtask <command>`.
//!
//! Every command is a [`plan::Plan`]: a list of ordinary command lines that are printed before they run, timed, and
//! stopped at the first failure with the line to repeat. Nothing here does what a developer could not type by hand.

#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "a developer's tool speaks on the terminal")]

mod plan;
mod step;
mod task;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

/// Checks, tests, benches, formatting and the book of dais.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What to do; the sentence of each variant is its help text.
#[derive(Debug, Subcommand)]
enum Command {
    /// Formatting, clippy, documentation, the rules of the repository, then every test.
    Check(CheckOptions),
    /// Every test there is.
    Test(TestOptions),
    /// The criterion benches of all crates.
    Bench(BenchOptions),
    /// Formats all Rust sources.
    Fmt,
    /// Builds the book of `docs/` into `target/book`.
    Book,
}

/// Options of `check`.
#[derive(Debug, Args)]
struct CheckOptions {
    /// Leave out the tests of the crates; the rules of the repository are still checked.
    #[arg(long)]
    no_test: bool,
}

/// Options of `test`.
#[derive(Debug, Args)]
struct TestOptions {
    /// Passed on to `cargo test --workspace`, e.g. `-- ballot` or `-- ballot -- --nocapture`.
    #[arg(last = true, value_name = "ARGS")]
    passed_on: Vec<String>,
}

/// Options of `bench`.
#[derive(Debug, Args)]
struct BenchOptions {
    /// Run every bench once, unoptimised, to see that it works; measure nothing.
    #[arg(long)]
    smoke: bool,
    /// Passed on to criterion, e.g. `-- --save-baseline before` or `-- forest/score`.
    #[arg(last = true, value_name = "ARGS")]
    passed_on: Vec<String>,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies directly below the workspace")?;
    let plan = match command {
        Command::Check(options) => task::check(options.no_test),
        Command::Test(options) => {
            eprintln!("{}", task::real_data_notice(root));
            task::test(&options.passed_on)
        }
        Command::Bench(options) => task::bench(options.smoke, &options.passed_on),
        Command::Fmt => task::fmt(),
        Command::Book => task::book()?,
    };
    plan.run(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn arguments_after_two_dashes_are_passed_on() {
        let line = CommandLine::parse_from(["xtask", "test", "--", "ballot", "--", "--nocapture"]);
        let Command::Test(options) = line.command else { panic!("`test` was parsed as {:?}", line.command) };
        assert_eq!(options.passed_on, ["ballot", "--", "--nocapture"]);
    }

    #[test]
    fn an_unknown_flag_is_refused_instead_of_passed_on() {
        assert!(CommandLine::try_parse_from(["xtask", "test", "--nocapture"]).is_err());
    }
}
