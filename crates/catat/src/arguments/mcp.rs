//! What can be typed after `catat mcp`.

use clap::Args;

use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Mcp {
    #[command(flatten)]
    pub(crate) remote: Remote,
}
