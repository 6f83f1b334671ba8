//! What can be typed after `catat explain-line`.

use std::path::PathBuf;

use clap::Args;

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct ExplainLine {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The line: a file of this machine and the number of the line in it, such as /var/log/app.log:17
    #[arg(value_name = "FILE:LINE", required_unless_present = "text")]
    pub(crate) place: Option<String>,
    /// Trace this text instead, which was sent by any way
    #[arg(long, value_name = "TEXT", conflicts_with = "place")]
    pub(crate) text: Option<String>,
    /// The group that it was sent to (default: that of the file's input, or `default` for a text)
    #[arg(short, long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// A query in whose answer the line is expected
    #[arg(long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Beginning of the range of the query (default: an hour ago)
    #[arg(long, value_name = "TIME", requires = "query")]
    pub(crate) from: Option<String>,
    /// End of the range of the query (default: now)
    #[arg(long, value_name = "TIME", requires = "query")]
    pub(crate) to: Option<String>,
    /// Configuration file, which defines the inputs
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the shipper (default: ship.state_dir, else `ship` in the server's data directory)
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}
