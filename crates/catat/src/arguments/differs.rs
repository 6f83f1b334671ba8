//! What can be typed after `catat differs`.

use clap::{Args, ValueEnum};

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Differs {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The query that selects events
    #[arg(value_name = "QUERY", default_value = "")]
    pub(crate) query: String,
    /// Beginning of the range
    #[arg(long, value_name = "TIME", default_value = "now-1h")]
    pub(crate) from: String,
    /// End of the range (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Groups (default: all); may be repeated, with `*` for any text
    #[arg(short, long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// What the selection is compared with (default: rest if the query filters, else before)
    #[arg(long, value_name = "WHAT", conflicts_with = "baseline_query")]
    pub(crate) baseline: Option<BaselineName>,
    /// Compare with what this query selects instead
    #[arg(long, value_name = "QUERY")]
    pub(crate) baseline_query: Option<String>,
    /// Beginning of the range of the baseline query (default: that of the selection)
    #[arg(long, value_name = "TIME", requires = "baseline_query")]
    pub(crate) baseline_from: Option<String>,
    /// End of the range of the baseline query (default: that of the selection)
    #[arg(long, value_name = "TIME", requires = "baseline_query")]
    pub(crate) baseline_to: Option<String>,
}

/// What a selection is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BaselineName {
    /// The time of equal length just before
    Before,
    /// All other events of the same range and groups
    Rest,
}
