//! Arguments that name the server to talk to.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use types::Secret;

use super::printing::Printing;

/// Where a server listens if it is not told otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:22828";

/// The server to talk to; also accepted after a subcommand.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Address of the server
    #[arg(long, env = "CATAT_URL", value_name = "URL", default_value = DEFAULT_URL, global = true)]
    pub(crate) url: String,
    /// Key for the server
    #[arg(long, env = "CATAT_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    pub(crate) key: Option<Secret>,
    /// Data directory of a server on this machine, to find its address and admin key
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The server to ask, and how its answers are printed.
#[derive(Debug, Args)]
pub(crate) struct ClientOptions {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

// Not documented: clap would take that for what each of the commands does.
#[derive(Debug, Args)]
pub(crate) struct Commands<C: Subcommand> {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(subcommand)]
    pub(crate) command: Option<C>,
}
