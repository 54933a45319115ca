//! `dais run`.

use std::path::PathBuf;

use clap::Args;
use dais_sim::Behaviour;

use super::group::conduct::ConductArgs;
use super::group::input::InputArgs;
use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais run                              synthetic traffic with campaigns, 50 agents, 100 steps
  dais run --agents 1000 --steps 50 --seed 7 --json
  dais run --liars 0.3                  three of ten agents lie; --adversary silent,random-voter says how
  dais run --data KDDTrain+.csv.gz KDDTest+.csv.gz
  dais run --data logs/*.gz             Zeek or Suricata logs, each file one site
  dais run --data conn.log --partition source-subnet:24
  dais run my.yaml --set agent.retrain_every=10 --set policy.threshold=0.75
  dais run --ledger postgres://dais@db.example/runs?schema=run_7

Files go to --out: summary.json, report.html, ledger.db, checkpoint, and scenario.yaml, which is complete:
running it again gives the same ledger head. --ledger keeps the ledger elsewhere.
Ctrl-C stops after the current step and writes what there is; a second one ends at once. SIGTERM writes a checkpoint
and ends within 5 seconds: `dais resume` goes on.";

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
    /// Share of agents that lie, 0 to 1, in place of the scenario's adversaries [default: those]
    #[arg(long, value_name = "SHARE", value_parser = value::share)]
    pub(crate) liars: Option<f64>,
    /// What they do: poisoner (publishes signatures of normal traffic), inverter (confirms what is wrong and refutes what
    /// is right), random-voter, silent [default: poisoner,inverter]
    #[arg(long, value_delimiter = ',', value_name = "KINDS", value_parser = value::behaviour, requires = "liars")]
    pub(crate) adversary: Vec<Behaviour>,
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
