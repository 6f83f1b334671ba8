//! What can be typed after `catat lookups`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Color, Format, Remote};

#[derive(Debug, Args)]
pub(crate) struct Lookups {
    /// Address of the server
    #[arg(long, env = "CATAT_URL", value_name = "URL", default_value = "http://127.0.0.1:22828", global = true)]
    url: String,
    /// Key for the server
    #[arg(long, env = "CATAT_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    key: Option<String>,
    /// How to print (default: a table on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Option<LookupCommand>,
}

impl Lookups {
    /// The server to talk to.
    pub(crate) fn remote(&self) -> Remote {
        Remote { url: self.url.clone(), key: self.key.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum LookupCommand {
    /// Print a table as it was uploaded
    Show {
        /// The table
        name: String,
    },
    /// Upload a table, in the place of one of that name
    Put {
        /// The table, as queries name it
        name: String,
        /// CSV with a header; `-` is standard input
        file: PathBuf,
    },
    /// Delete a table
    Delete {
        /// The table
        name: String,
    },
}
