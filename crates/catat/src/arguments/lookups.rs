//! What can be typed after `catat lookups`.

use std::path::PathBuf;

use clap::Subcommand;

use super::remote::Commands;

pub(crate) type Lookups = Commands<LookupCommand>;

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
