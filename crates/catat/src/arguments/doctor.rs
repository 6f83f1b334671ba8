//! What can be typed after `catat doctor`.

use clap::Args;

use super::printing::Printing;
use super::server::Server;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Exit with code 1 for a warning, too
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
