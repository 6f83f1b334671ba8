//! Arguments that name the configuration and the data directory of a server.

use std::path::PathBuf;

use clap::Args;

/// Settings of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory (default: /var/lib/catat for root, else in the XDG data directory)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address and port to serve on (default: 127.0.0.1:22828)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Serve without keys on an address that other machines can reach
    #[arg(long)]
    pub(crate) insecure_allow_anonymous: bool,
}

/// The data directory of a command.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDir {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory (default: /var/lib/catat for root, else in the XDG data directory)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}
