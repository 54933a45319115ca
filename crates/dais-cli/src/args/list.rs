//! `dais list`.

use clap::{Args, ValueEnum};

/// What is shown after the help of `dais list`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  dais list adversaries          what liars can be put into a scenario
  dais list rules --json         the rules to decide by, for a program";

/// `dais list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list
    pub(crate) what: Listed,
    /// Print a JSON array of objects with `name` and `description` in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// Ways of lying (`adversaries`)
    Adversaries,
    /// Rules to decide by (`policy.rule`)
    Rules,
    /// How agents meet
    Topologies,
    /// How trust is earned (`trust.model`)
    Trust,
    /// Detectors by name
    Detectors,
}
