//! What can be typed after `catat upgrade`.

use std::path::PathBuf;

use clap::Args;

use super::printing::Printing;

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// Only check: open a copy of the store with this executable, and compare its answers with those of the server that runs
    #[arg(long, required = true)]
    pub(crate) check: bool,
    /// Data directory of the store (default: that of the configuration)
    #[arg(value_name = "STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Executable of another version to compare with, where no server runs on the store
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    /// Directory for the copy, new or empty; elsewhere than on the store's file system the copy takes the store's space
    /// (default: STORE/upgrade-check)
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
