//! The arguments of `dais watch`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::group::setting::SettingArgs;
use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tail -n +1 -F conn.log | dais watch
  dais watch capture.pcap --alert-p 0.002
  dais watch today.log --baseline yesterday.log --json | jq 'select(.kind == \"alert\")'
  tcpdump -i eth0 -U -w - | dais watch

The agent learns while it watches: what it finds odd waits before it is learned, and a model is
trained again when it is due or the traffic has changed. Without --baseline it says nothing of the
first flows. Ctrl-C and SIGTERM end it with a summary.";

/// `dais watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// A log of flows, a packet capture or export packets, plain or gzip, recognised by content; `-`, which is the
    /// default, is standard input
    #[arg(default_value = "-", hide_default_value = true)]
    pub(crate) file: PathBuf,
    /// Ordinary traffic to learn first
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Alert level: flows whose p-value is at most this are shown
    #[arg(long, value_name = "P", default_value_t = 0.005, value_parser = value::level)]
    pub(crate) alert_p: f32,
    /// Flows the agent remembers as ordinary
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = RangedU64ValueParser::<usize>::new().range(64..=65_536))]
    pub(crate) baseline_rows: usize,
    /// Flows in a step, at whose end the agent describes and learns
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(crate) flows_per_step: usize,
    /// Seed of the detectors; the same flows and seed give the same alerts
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Largest share of broken rows before the input is refused, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = value::share)]
    pub(crate) max_bad_rows: f64,
    /// Sets any key of the agent, as `agent.KEY=VALUE`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::setting)]
    pub(crate) set: Vec<(String, String)>,
    /// Print one JSON object a line, with the field `kind`: alert, signature, and at the end summary
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no summary on standard error
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
