//! What can be typed after `catat selftest`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::printing::Printing;

#[derive(Debug, Args)]
pub(crate) struct Selftest {
    #[command(subcommand)]
    pub(crate) command: SelftestCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SelftestCommand {
    /// Write and rotate logs while killing the shipper, then compare stored and written lines
    ///
    /// Starts its own server and shipper in their own directory and touches nothing else on this machine. Exits with
    /// code 1 if a line is lost, repeated or altered.
    Tail(SelftestTail),
}

#[derive(Debug, Args)]
pub(crate) struct SelftestTail {
    /// Directory to write to, new or empty, on the file system to test; it is kept (default: a temporary one, removed on
    /// success)
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Number of times to kill the shipper
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) rounds: u32,
    /// Seconds to write
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) seconds: u32,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
