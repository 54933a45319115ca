//! What is run, common to `dais run` and `dais sweep`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use dais_sim::Mode;
use dais_traffic::Partition;

use crate::args::value;

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
