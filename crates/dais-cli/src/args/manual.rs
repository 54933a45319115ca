//! `dais completions` and `dais man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

pub(crate) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  dais completions bash > ~/.local/share/bash-completion/completions/dais
  dais completions zsh > ~/.zfunc/_dais
  dais completions fish > ~/.config/fish/completions/dais.fish";

pub(crate) const MAN_EXAMPLES: &str = "\
Examples:
  dais man | man -l -                          reads the first page
  dais man --out ~/.local/share/man/man1       installs a page for every command";

/// `dais completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete
    pub(crate) shell: Shell,
}

/// `dais man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for a page of every command, in place of the first page on standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
