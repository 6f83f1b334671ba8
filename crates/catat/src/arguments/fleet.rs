//! What can be typed after `catat fleet`.

use clap::{Args, Subcommand};

use super::printing::Printing;
use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Fleet {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(subcommand)]
    pub(crate) command: FleetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// List the nodes: roles, leases, when each was last heard of
    Status,
    /// Move the store of one machine into the fleet of [fleet] and [storage] in the configuration, which has no events yet. No
    /// server may run on it
    Adopt(super::DataDir),
}
