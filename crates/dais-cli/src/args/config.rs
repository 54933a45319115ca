//! What may be written after `dais config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais config init                      files with every key, commented out
  dais config show --origin             what is in effect, and why
  dais config get logging.level
  dais config check my.yaml             everything that is wrong, all at once
  dais config diff                      what differs from the defaults
  dais config diff staging production   what differs between two environments, or files

Layers, later ones win: defaults, config/default.yaml, config/ENVIRONMENT.yaml, config/local.yaml or --config FILE,
environment variables (SIMULATION_DEFAULT_AGENTS), --configure.";

/// `dais config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
}

/// Which layers there are.
#[derive(Debug, Args)]
pub(crate) struct LayerArgs {
    /// Environment: development, staging, production, edge, docker or test [default: ENVIRONMENT, else the file's]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) env: Option<String>,
    /// Local file that stands above those of the folder [default: local.yaml in the folder]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of default.yaml and the files of the environments [default: config]
    #[arg(long, alias = "dir", value_name = "DIR", global = true)]
    pub(crate) config_dir: Option<PathBuf>,
}

/// The commands of `dais config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write default.yaml with every key, its meaning and default, and small files for the environments
    Init(InitArgs),
    /// Show the configuration in effect; secrets are ***
    Show(ShowArgs),
    /// Print the value of one key, or of a section
    Get(GetArgs),
    /// Check a configuration and say everything that is wrong with it
    Check(CheckArgs),
    /// Print the JSON Schema of the files, for editors
    Schema,
    /// Show what differs from the defaults, or between two environments or files
    Diff(DiffArgs),
}

/// `dais config init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// `dais config show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Say of each value where it came from
    #[arg(long)]
    pub(crate) origin: bool,
    /// Print one JSON object in place of YAML
    #[arg(long)]
    pub(crate) json: bool,
    /// Sets a key, as a dotted path and a value; may be repeated
    #[arg(long, alias = "set", value_name = "KEY=VALUE", value_parser = super::value::setting)]
    pub(crate) configure: Vec<(String, String)>,
}

/// `dais config get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Dotted path, such as `simulation.default_agents`
    pub(crate) key: String,
}

/// `dais config check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// File that is checked in place of local.yaml, with the layers around it
    pub(crate) file: Option<PathBuf>,
}

/// `dais config diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// An environment, or a file of YAML; with one of them, it is compared with what is in effect
    #[arg(num_args = 0..=2, value_name = "ENVIRONMENT|FILE")]
    pub(crate) sides: Vec<String>,
    /// Print one JSON object in place of a table
    #[arg(long)]
    pub(crate) json: bool,
}
