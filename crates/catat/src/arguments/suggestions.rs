//! What can be typed after `catat suggestions`.

use clap::Args;

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Suggestions {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The group whose events are looked at
    #[arg(value_name = "GROUP")]
    pub(crate) group: String,
    /// Beginning of the range
    #[arg(long, value_name = "TIME", default_value = "now-24h")]
    pub(crate) from: String,
    /// End of the range (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Show this suggestion alone: its pipeline, and events before and after
    #[arg(long, value_name = "ID", conflicts_with = "make")]
    pub(crate) show: Option<String>,
    /// Make the pipeline of this suggestion
    #[arg(long, value_name = "ID")]
    pub(crate) make: Option<String>,
}
