//! What can be typed after `catat sources`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(subcommand)]
    pub(crate) command: Option<SourceCommand>,
    /// Only shippers on this host
    #[arg(long, value_name = "HOST", global = true)]
    pub(crate) host: Option<String>,
    /// Only shippers in this state
    #[arg(long, value_name = "STATE", global = true, value_parser = PossibleValuesParser::new(["up", "down", "stopped", "unknown"]))]
    pub(crate) state: Option<String>,
    /// Show files, each with the ranges of bytes that never arrived
    #[arg(long, global = true)]
    pub(crate) files: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// List the shippers
    List,
}
