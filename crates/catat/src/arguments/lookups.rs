//! What can be typed after `catat lookups`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Lookups {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(subcommand)]
    pub(crate) command: Option<LookupCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LookupCommand {
    /// List the tables
    List,
    /// Print a table as uploaded
    Show {
        /// The table
        name: String,
    },
    /// Upload a table, or replace the one of that name
    Put {
        /// The table's name in queries
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
