//! The arguments of `dais clean`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais clean --runs --older-than 30d --dry-run     only show what would go
  dais clean --logs --cache --yes
  dais clean --runs --database --force             ledgers too, after a backup of each

What and how much is shown first, and asked about on a terminal; without one --yes or --force is
needed. Only what dais is known to write is removed; links are not followed, and what a process is
at is left alone.";

/// `dais clean`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["logs", "cache", "runs", "database"]))]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub(crate) struct CleanArgs {
    /// Rotated log files; the one that is written to only with --older-than
    #[arg(long)]
    pub(crate) logs: bool,
    /// What commands that were killed left unfinished
    #[arg(long)]
    pub(crate) cache: bool,
    /// Files of runs, without their ledgers and what is needed to verify these
    #[arg(long)]
    pub(crate) runs: bool,
    /// Ledgers of runs; only with --force, and after a backup of each that is verified
    #[arg(long)]
    pub(crate) database: bool,
    /// Only what was last written so long ago, such as 12h or 30d
    #[arg(long, value_name = "TIME", value_parser = value::interval)]
    pub(crate) older_than: Option<Duration>,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Do not ask, and remove ledgers where --database says so
    #[arg(long)]
    pub(crate) force: bool,
    /// Folder in which runs were made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) runs_dir: PathBuf,
    /// The log file; rotated ones lie beside it and begin with its name
    #[arg(long, value_name = "FILE", default_value = "logs/dais.log")]
    pub(crate) log_file: PathBuf,
    /// Folder for the backups of ledgers
    #[arg(long, value_name = "DIR", default_value = "backups")]
    pub(crate) backup_to: PathBuf,
}
