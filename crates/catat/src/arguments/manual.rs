//! What can be typed after `catat completions` and `catat man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write the pages of all commands into this directory instead: catat.1, catat-query.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
    /// The command to print the page of (default: catat itself)
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
