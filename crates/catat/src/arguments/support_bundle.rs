//! What can be typed after `catat support-bundle`.

use std::path::PathBuf;

use clap::Args;

use super::server::Server;

#[derive(Debug, Args)]
pub(crate) struct SupportBundle {
    #[command(flatten)]
    pub(crate) server: Server,
    /// File to write, new (default: catat-support-TIME.tar.gz in this directory)
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// File with the log of catat, whose end is taken; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}
