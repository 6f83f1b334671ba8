//! What can be typed after `catat keys`.

use clap::{Args, Subcommand};

use super::{Printing, Remote};

#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(subcommand)]
    pub(crate) command: Option<KeyCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys, without their secrets
    List,
    /// Make a key and show it, this once
    Create {
        /// What it is called in lists and records
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it may do: ingest (only send), read, operate, admin
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// The groups that exist for it, `*` stands for any characters; may be repeated (default: all)
        #[arg(long, alias = "group", value_name = "PATTERN", value_delimiter = ',')]
        groups: Vec<String>,
    },
    /// End a key at once
    #[command(visible_alias = "delete")]
    Revoke {
        /// Its id, as the list shows it
        id: String,
    },
    /// Make a key in the place of another, which goes on for a time
    Rotate {
        /// Its id, as the list shows it
        id: String,
        /// How long the old key goes on
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        grace: String,
    },
}
