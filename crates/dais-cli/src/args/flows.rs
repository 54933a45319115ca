//! The arguments of `dais flows`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::args::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais flows capture.pcap                            the first flows, as a table
  dais flows capture.pcap --summary                  what there is: flows, other records, broken ones, labels
  dais flows eve.json --summary --json | jq .other
  dais flows capture.pcap --format zeek > conn.log   to convert; --format parquet --out flows.parquet
  dais flows conn.log.gz --host 10.0.0.0/8 --port 22 --state S0,REJ
  dais flows logs/ --count source,port --limit 10
  dais flows KDDTrain+.csv.gz --columns

All formats but the table have the columns of a Zeek conn.log, so what is written can be read again.";

/// How flows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns to read, the first 100 flows unless --limit says otherwise
    Table,
    /// A header line and fields with commas between them
    Csv,
    /// One JSON object a line
    #[value(aliases = ["jsonl", "ndjson"])]
    Json,
    /// A Zeek log, tab-separated
    #[value(alias = "tsv")]
    Zeek,
    /// Parquet
    #[cfg(feature = "parquet")]
    Parquet,
}

/// What flows are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Field {
    Source,
    Destination,
    Port,
    Protocol,
    Service,
    State,
    Label,
}

/// `dais flows`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub(crate) struct FlowsArgs {
    /// Files of traffic of any known format, plain or gzip, or folders of logs; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to show them [default: table]
    #[arg(long, short, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    /// File to write to, in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show at most this many flows, or counts
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Show what was read in place of the flows: how many flows, packets and bytes, other records by kind, broken ones
    #[arg(long, conflicts_with_all = ["format", "out", "limit"])]
    pub(crate) summary: bool,
    /// Show how many flows there are by one or more of: source, destination, port, protocol, service, state, label
    #[arg(long, value_name = "FIELDS", value_enum, value_delimiter = ',', conflicts_with_all = ["format", "out", "summary"])]
    pub(crate) count: Vec<Field>,
    /// Show which columns there are, and of which kind, in place of the flows
    #[arg(long, conflicts_with_all = ["format", "out", "summary", "count", "limit"])]
    pub(crate) columns: bool,
    /// JSON: one object with --summary, --count and --columns, else one a flow
    #[arg(long)]
    pub(crate) json: bool,
    /// Schema file of labelled tables that are not recognised by content
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Read the NetFlow or IPFIX packets in a capture as flows, in place of the packets themselves
    #[arg(long)]
    pub(crate) exported: bool,
    /// Largest share of broken rows before a file is refused, 0 to 1 [default: 0 for tables, 0.01 for logs]
    #[arg(long, value_name = "SHARE", value_parser = value::share)]
    pub(crate) max_bad_rows: Option<f64>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// Which flows are taken; all that are given must hold, each by one of its values.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Address or network, such as 10.0.0.0/8, of either end
    #[arg(long, value_name = "NETWORK", value_delimiter = ',', value_parser = value::network)]
    pub(crate) host: Vec<IpNet>,
    /// Address or network of the originator
    #[arg(long, value_name = "NETWORK", value_delimiter = ',', value_parser = value::network)]
    pub(crate) source: Vec<IpNet>,
    /// Address or network of the responder
    #[arg(long, value_name = "NETWORK", value_delimiter = ',', value_parser = value::network)]
    pub(crate) destination: Vec<IpNet>,
    /// Port of the responder
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    pub(crate) port: Vec<u16>,
    /// tcp, udp, icmp or other
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) protocol: Vec<String>,
    /// Service, such as dns or tls; none where none was recognised
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) service: Vec<String>,
    /// State in Zeek's terms, such as S0 or SF
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
    /// attack, benign, undecided, or the name of a family
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub(crate) label: Vec<String>,
    /// Flows that begin at this time or later: seconds since 1970, or such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub(crate) from: Option<f64>,
    /// Flows that begin before this time
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub(crate) to: Option<f64>,
}
