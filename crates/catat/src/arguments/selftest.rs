//! What can be typed after `catat selftest`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Printing;

#[derive(Debug, Args)]
pub(crate) struct Selftest {
    #[command(subcommand)]
    pub(crate) command: SelftestCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SelftestCommand {
    /// Write logs and rotate them in every way while the shipper is killed, and compare what is stored with what was written
    ///
    /// A server and a shipper of its own are started on a directory of their own; nothing else on this machine is
    /// read or changed. Ends with 1 when a line is lost, repeated or altered.
    Tail(SelftestTail),
}

#[derive(Debug, Args)]
pub(crate) struct SelftestTail {
    /// Where to write: a directory that is new or empty, on the file system to be tried; it is kept (default: one of
    /// its own, removed when all is well)
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// How often the shipper is killed
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) rounds: u32,
    /// For how many seconds is written
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) seconds: u32,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
