//! `dais logs`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::group::setting::SettingArgs;
use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais logs                             the log that the configuration names
  dais logs logs/dais.log               with every file it was rotated to, compressed or not
  dais logs logs/dais.log --since 1h
  journalctl -u dais -o cat | dais logs -";

/// `dais logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Logs as dais writes them, text or JSON, plain or gzip; with what they were rotated to; - is standard input
    /// [default: `logging.file` of the configuration]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only lines from then on: a time span before now such as 30m, 1h or 2d, or a time such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = value::since)]
    pub(crate) since: Option<Timestamp>,
    /// Causes and minutes to show at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    /// Print one JSON object in place of text, with everything that was found
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
