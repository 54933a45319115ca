//! What may be written on the command line: one definition of each flag feeds parsing and help.

pub(crate) mod flows;

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use dais_sim::Mode;
use dais_traffic::Partition;

use self::flows::FlowsArgs;
use crate::alert_args::{self, AlertArgs};
use crate::clean_args::{self, CleanArgs};
use crate::conduct_args::ConductArgs;
use crate::config_args::{self, ConfigArgs};
use crate::doctor_args::DoctorArgs;
use crate::eval_args::{self, EvalArgs};
use crate::health_args::{self, HealthArgs};
use crate::ledger_args::LedgerCommand;
use crate::logs_args::{self, LogsArgs};
use crate::server_args::ServerArgs;
use crate::value;
use crate::watch_args::{self, WatchArgs};

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

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run agents on synthetic or recorded traffic, alone and together, and report what they detected
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Go on with a run whose process ended before its time, from its last checkpoint
    #[command(after_help = RESUME_EXAMPLES)]
    Resume(ResumeArgs),
    /// Run a scenario for many seeds, alert levels and shares of liars, and compare
    #[command(after_help = SWEEP_EXAMPLES)]
    Sweep(SweepArgs),
    /// Watch a log, a capture or a pipe with one agent alone, and show strange flows with the reasons
    #[command(after_help = watch_args::EXAMPLES)]
    Watch(WatchArgs),
    /// Compare detectors on labelled data: ranking quality, recall at few false alarms, speed, significance
    #[command(after_help = eval_args::EXAMPLES)]
    Eval(EvalArgs),
    /// Say why a signature was accepted or an address blocked, down to flows, votes and proofs
    Explain(ExplainArgs),
    /// Recompute the ledger of a run: entries, hashes, tree, seals and every decision
    Verify(VerifyArgs),
    /// Look into a ledger and operate it: show, prove, verify, back up, restore
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Write, show, check and compare the configuration
    #[command(after_help = config_args::EXAMPLES)]
    Config(ConfigArgs),
    /// Say what a log tells: levels, errors by cause, slow phases, rates, silences
    #[command(after_help = logs_args::EXAMPLES)]
    Logs(LogsArgs),
    /// Ask a running process, or this machine, how it is
    #[command(after_help = health_args::EXAMPLES)]
    Health(HealthArgs),
    /// Check the installation: folders, ports, room, limits, processor; and say how to mend what is found
    Doctor(DoctorArgs),
    /// Remove logs, leftovers, runs and ledgers that are no longer needed, after showing what and how much
    #[command(after_help = clean_args::EXAMPLES)]
    Clean(CleanArgs),
    /// Show what was read of any file of traffic: as a table, CSV, JSON, Parquet or a Zeek log, filtered, counted, summed up
    #[command(after_help = flows::EXAMPLES)]
    Flows(FlowsArgs),
    /// Draft a schema file for a labelled table, to read, correct and give with --schema
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
    /// Try the channels of alerts, see their rules, silence alerts, see what was not delivered
    #[command(after_help = alert_args::EXAMPLES)]
    Alert(AlertArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  dais run                              synthetic traffic with campaigns, 50 agents, 100 steps
  dais run --agents 1000 --steps 50 --seed 7 --json
  dais run --data KDDTrain+.csv.gz KDDTest+.csv.gz
  dais run --data logs/*.gz             Zeek or Suricata logs, each file one site
  dais run --data conn.log --partition source-subnet:24
  dais run my.yaml --set agent.retrain_every=10 --set policy.threshold=0.75
  dais run --ledger postgres://dais@db.example/runs?schema=run_7

Files go to --out: summary.json, report.html, ledger.db, checkpoint, and scenario.yaml, which is complete:
running it again gives the same ledger head. --ledger keeps the ledger elsewhere.
Ctrl-C stops after the current step and writes what there is; a second one ends at once. SIGTERM writes a checkpoint
and ends within 5 seconds: `dais resume` goes on.";

const RESUME_EXAMPLES: &str = "\
Example:
  dais run --seed 7 --steps 5000      killed, or ended by SIGTERM, after 3,000 steps
  dais resume runs/synthetic-7        ends with the ledger head that it would have had

What the ledger holds beyond the checkpoint is compared with what is recorded again; nothing is taken back.";

const SWEEP_EXAMPLES: &str = "\
Examples:
  dais sweep my.yaml --seeds 5 --alert-p 0.005,0.01,0.02,0.04
  dais sweep my.yaml --seeds 3 --liars 0,0.1,0.3 --out sweeps/liars";

const SCHEMA_EXAMPLES: &str = "\
Example:
  dais schema flows.csv > flows.schema.yaml    then read and correct it
  dais run --data flows.csv --schema flows.schema.yaml";

/// What is run, common to `run` and `sweep`.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Scenario file (YAML); without it and without --data the built-in synthetic scenario
    pub(crate) scenario: Option<PathBuf>,
    /// Files of traffic, plain or gzip, recognised by content: Zeek conn.log, Suricata EVE, packet captures, Argus,
    /// NetFlow and IPFIX, NSL-KDD, npz, Parquet, labelled tables; in place of the scenario's own files
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) data: Vec<PathBuf>,
    /// Schema file of labelled tables that are not recognised by content; `dais schema` drafts one
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Number of agents [default: as the scenario says, else 50 synthetic, 30 for rows without times]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub(crate) agents: Option<u32>,
    /// Number of steps [default: as the scenario says, else 100, 50 for rows without times]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub(crate) steps: Option<u32>,
    /// Worker threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=4096))]
    pub(crate) threads: Option<usize>,
    /// Agents from which on the work is spread over the threads [default: 16]
    #[arg(long, value_name = "N")]
    pub(crate) use_parallel_threshold: Option<usize>,
    /// Worlds to run on the same traffic: isolated, collaborative, oracle [default: all three]
    #[arg(long, value_delimiter = ',', value_name = "WORLDS", value_parser = value::world)]
    pub(crate) worlds: Vec<Mode>,
    /// How recorded flows are dealt to sites: file, source-subnet or source-subnet:24, destination-subnet or
    /// destination-subnet:24, iid:N, dirichlet:N:ALPHA (small ALPHA: sites differ much) [default: file]
    #[arg(long, value_name = "RULE", value_parser = value::partition)]
    pub(crate) partition: Option<Partition>,
    /// Largest share of broken rows before a file is refused, 0 to 1 [default: 0 for tables, 0.01 for logs]
    #[arg(long, value_name = "SHARE", value_parser = value::share)]
    pub(crate) max_bad_rows: Option<f64>,
    /// Sets any key of the scenario, as a dotted path and a YAML value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::setting)]
    pub(crate) set: Vec<(String, String)>,
}

/// `dais run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Seed; the same scenario and seed give the same history [default: the scenario's, else drawn and shown]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Alert level: flows whose p-value is at most this are detected [default: 0.02]
    #[arg(long, value_name = "P", value_parser = value::level)]
    pub(crate) alert_p: Option<f32>,
    /// Folder of the run's files [default: runs/SCENARIO-SEED]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an earlier run in that folder, once the new one is complete
    #[arg(long)]
    pub(crate) force: bool,
    /// Where the ledger is kept: a file, sqlite:PATH, postgres://…, mysql://…, or memory, which keeps nothing
    /// [default: ledger.db in the run's folder]
    #[arg(long, value_name = "LOCATION", env = "DAIS_LEDGER", hide_env_values = true)]
    pub(crate) ledger: Option<String>,
    #[command(flatten)]
    pub(crate) conduct: ConductArgs,
}

/// `dais resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Folder of the run, as it was to be, or its unfinished folder
    pub(crate) run: PathBuf,
    /// Where the ledger is, with the user and password that are not written down, where it is on a server
    #[arg(long, value_name = "LOCATION", env = "DAIS_LEDGER", hide_env_values = true)]
    pub(crate) ledger: Option<String>,
    /// Worker threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=4096))]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) conduct: ConductArgs,
}

/// `dais sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Number of seeds: 0, 1, 2, …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<u64>::new().range(1..=10_000))]
    pub(crate) seeds: u64,
    /// The seeds themselves
    #[arg(long, value_delimiter = ',', value_name = "SEEDS", conflicts_with = "seeds")]
    pub(crate) seed_list: Vec<u64>,
    /// Alert levels to compare [default: that of the scenario]
    #[arg(long, value_delimiter = ',', value_name = "LEVELS", value_parser = value::level)]
    pub(crate) alert_p: Vec<f32>,
    /// Shares of agents that publish signatures of normal traffic and invert their votes, 0 to 1, in place of the
    /// scenario's adversaries [default: those]
    #[arg(long, value_delimiter = ',', value_name = "SHARES", value_parser = value::share)]
    pub(crate) liars: Vec<f64>,
    /// Folder for sweep.json, which must not hold one yet [default: nothing is written]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object on standard output, everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// `dais explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Folder of the run, as `dais run` names it in its last lines, its ledger file, or a connection string
    pub(crate) run: PathBuf,
    /// Id of a signature, or the beginning of one, or a source address
    #[arg(value_name = "SIGNATURE|ADDRESS")]
    pub(crate) subject: String,
    /// Where the ledger is, if it is no more where the run's folder says, or with the user and password that are not
    /// written there (or in `DAIS_LEDGER`, if that names the same place)
    #[arg(long, value_name = "LOCATION")]
    pub(crate) ledger: Option<String>,
    /// Show every vote and feature, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Folder of the run, as `dais run` names it in its last lines, its ledger file, or a connection string
    pub(crate) run: PathBuf,
    /// Where the ledger is, if it is no more where the run's folder says, or with the user and password that are not
    /// written there (or in `DAIS_LEDGER`, if that names the same place)
    #[arg(long, value_name = "LOCATION")]
    pub(crate) ledger: Option<String>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The table, plain or gzip, with a header line
    pub(crate) file: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_flags_is_sound() {
        Cli::command().debug_assert();
    }
}
