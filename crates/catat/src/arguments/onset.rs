//! What can be typed after `catat onset`.

use clap::Args;

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Onset {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The query that selects events
    #[arg(value_name = "QUERY", default_value = "")]
    pub(crate) query: String,
    /// Beginning of the range; as much time before it is looked at as well
    #[arg(long, value_name = "TIME", default_value = "now-1h")]
    pub(crate) from: String,
    /// End of the range (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Groups (default: all); may be repeated, with `*` for any text
    #[arg(short, long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// What is compared over time: count, share, a percentile such as p95(duration_ms), or patterns (default: count, or what
    /// `stats` at the end of the query computes)
    #[arg(long, value_name = "WHAT")]
    pub(crate) of: Option<String>,
    /// With --of share: the events among which the share is (default: all of the groups)
    #[arg(long, value_name = "QUERY", requires = "of")]
    pub(crate) among: Option<String>,
}
