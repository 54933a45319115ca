//! `dais schema`.

use std::path::PathBuf;

use clap::Args;

pub(crate) const EXAMPLES: &str = "\
Example:
  dais schema flows.csv > flows.schema.yaml    then read and correct it
  dais run --data flows.csv --schema flows.schema.yaml";

/// `dais schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The table, plain or gzip, with a header line
    pub(crate) file: PathBuf,
}
