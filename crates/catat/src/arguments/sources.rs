//! What can be typed after `catat sources`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Printing, Remote};

#[derive(Debug, Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
    /// List the shippers, as without it
    #[arg(value_name = "list", value_parser = PossibleValuesParser::new(["list"]), hide = true)]
    pub(crate) command: Option<String>,
    /// Only shippers on this host
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Only shippers in this state
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(["up", "down", "stopped", "unknown"]))]
    pub(crate) state: Option<String>,
    /// Show files, each with the ranges of bytes that never arrived
    #[arg(long)]
    pub(crate) files: bool,
}
