//! What may be written on the command line: one definition of each flag feeds parsing and help.

pub(crate) mod alert;
pub(crate) mod blocklist;
pub(crate) mod clean;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod flows;
pub(crate) mod group;
pub(crate) mod health;
pub(crate) mod ledger;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod manual;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod sweep;
pub(crate) mod value;
pub(crate) mod verify;
pub(crate) mod watch;

use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};
use dais_lab::nearest;

use self::alert::AlertArgs;
use self::blocklist::BlocklistArgs;
use self::clean::CleanArgs;
use self::config::ConfigArgs;
use self::doctor::DoctorArgs;
use self::eval::EvalArgs;
use self::explain::ExplainArgs;
use self::flows::FlowsArgs;
use self::health::HealthArgs;
use self::ledger::LedgerCommand;
use self::list::ListArgs;
use self::logs::LogsArgs;
use self::manual::{CompletionsArgs, ManArgs};
use self::resume::ResumeArgs;
use self::run::RunArgs;
use self::schema::SchemaArgs;
use self::sweep::SweepArgs;
use self::verify::VerifyArgs;
use self::watch::WatchArgs;

/// Autonomous agents that detect network attacks together: signatures, measured votes, an append-only ledger
#[derive(Debug, Parser)]
#[command(name = "dais", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 fine, 1 a check failed, 2 wrong usage or input, 3 stopped at a limit, 143 ended by SIGTERM.
`dais run` without anything more shows what this is about, in less than a minute.";

/// What may be meant where a command is not known: the nearest one, what takes a file that was named, or all there are.
pub(crate) fn hint(refused: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(word)) = refused.get(ContextKind::InvalidSubcommand) else { return None };
    if Path::new(word).is_file() {
        return Some(format!("  to run on a file: dais run --data {word}"));
    }
    if refused.get(ContextKind::SuggestedSubcommand).is_some() {
        return None;
    }
    let command = Cli::command();
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    Some(match nearest(word, names.iter().copied()).or_else(|| anagram(word, &names)) {
        Some(near) => format!("  did you mean `dais {near}`?"),
        None => format!("  the commands are: {}", names.join(", ")),
    })
}

/// A name of the same letters in another order.
fn anagram<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    names.iter().find(|name| sorted(name) == sorted(word)).copied()
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run agents on synthetic or recorded traffic, alone and together, and report what they detected
    #[command(after_help = run::EXAMPLES)]
    Run(RunArgs),
    /// Go on with a run whose process ended before its time, from its last checkpoint
    #[command(after_help = resume::EXAMPLES)]
    Resume(ResumeArgs),
    /// Run a scenario for many seeds, alert levels and shares of liars, and compare
    #[command(after_help = sweep::EXAMPLES)]
    Sweep(SweepArgs),
    /// Watch a log, a capture or a pipe with one agent alone, and show strange flows with the reasons
    #[command(after_help = watch::EXAMPLES)]
    Watch(WatchArgs),
    /// Compare detectors on labelled data: ranking quality, recall at few false alarms, speed, significance
    #[command(after_help = eval::EXAMPLES)]
    Eval(EvalArgs),
    /// Say why a signature was accepted or an address blocked, down to flows, votes and proofs
    Explain(ExplainArgs),
    /// Print the addresses that a run's agents block, for firewalls and other programs
    #[command(after_help = blocklist::EXAMPLES)]
    Blocklist(BlocklistArgs),
    /// Recompute the ledger of a run: entries, hashes, tree, seals and every decision
    Verify(VerifyArgs),
    /// Look into a ledger and operate it: show, prove, verify, back up, restore
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Write, show, check and compare the configuration
    #[command(after_help = config::EXAMPLES)]
    Config(ConfigArgs),
    /// Say what a log tells: levels, errors by cause, slow phases, rates, silences
    #[command(after_help = logs::EXAMPLES)]
    Logs(LogsArgs),
    /// Ask a running process, or this machine, how it is
    #[command(after_help = health::EXAMPLES)]
    Health(HealthArgs),
    /// Check the installation: folders, ports, room, limits, processor; and say how to mend what is found
    Doctor(DoctorArgs),
    /// Remove logs, leftovers, runs and ledgers that are no longer needed, after showing what and how much
    #[command(after_help = clean::EXAMPLES)]
    Clean(CleanArgs),
    /// Show what was read of any file of traffic: as a table, CSV, JSON, Parquet or a Zeek log, filtered, counted, summed up
    #[command(after_help = flows::EXAMPLES)]
    Flows(FlowsArgs),
    /// Show what scenarios can name: adversaries, rules to decide by, topologies, trust models, detectors
    #[command(after_help = list::EXAMPLES)]
    List(ListArgs),
    /// Draft a schema file for a labelled table, to read, correct and give with --schema
    #[command(after_help = schema::EXAMPLES)]
    Schema(SchemaArgs),
    /// Try the channels of alerts, see their rules, silence alerts, see what was not delivered
    #[command(after_help = alert::EXAMPLES)]
    Alert(AlertArgs),
    /// Print what makes a shell complete commands and flags
    #[command(after_help = manual::COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write a page for every command
    #[command(after_help = manual::MAN_EXAMPLES)]
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_flags_is_sound() {
        Cli::command().debug_assert();
    }
}
