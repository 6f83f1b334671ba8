//! What can be typed after `catat fleet`.

use clap::{Args, Subcommand};

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Fleet {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(subcommand)]
    pub(crate) command: FleetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// List the nodes: roles, leases, when each was last heard of, what the fleet takes a day
    Status,
    /// Let a node take no new work, so that it can be stopped without any request failing
    Drain(Drain),
    /// Move the store of one machine into the fleet of [fleet] and [storage] in the configuration, which has no events yet. No
    /// server may run on it
    Adopt(super::DataDir),
    /// Copy the fleet of [fleet] and [storage] in the configuration into a new data directory for one machine; nodes may be
    /// running
    Export(super::DataDir),
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// The name of the node
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Let it take new work again
    #[arg(long)]
    pub(crate) undo: bool,
}
