//! What can be typed after `catat mark`.

use clap::Args;

use super::remote::ClientOptions;

#[derive(Debug, Args)]
pub(crate) struct Mark {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// What happened, such as "deploy 1.4.2"; without it, marks are listed
    #[arg(value_name = "TEXT", required_unless_present = "list")]
    pub(crate) text: Option<String>,
    /// A field of the mark, such as service=pay; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) field: Vec<String>,
    /// When it happened (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// When it ended, where it took time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The group to store it in: marks, or one whose name ends with /marks
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// List the marks of the last day instead
    #[arg(long, conflicts_with_all = ["text", "field", "at", "until", "group"])]
    pub(crate) list: bool,
    /// List marks from this time on
    #[arg(long, value_name = "TIME", requires = "list")]
    pub(crate) from: Option<String>,
    /// List marks up to this time
    #[arg(long, value_name = "TIME", requires = "list")]
    pub(crate) to: Option<String>,
}
