//! What can be typed after `catat completions` and `catat man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catat completions bash > /etc/bash_completion.d/catat
  catat completions zsh > \"${fpath[1]}/_catat\"
  catat completions fish > ~/.config/fish/completions/catat.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catat man | man -l -
  catat man groups set | man -l -
  catat man --dir /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Write the pages of all commands into this directory instead: catat.1, catat-query.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
    /// The command to print the page of (default: catat itself)
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
