//! What can be typed after `catat issues`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::remote::ClientOptions;

/// States that a person can set.
const STATES: [&str; 4] = ["open", "acknowledged", "resolved", "ignored"];

#[derive(Debug, Args)]
pub(crate) struct Issues {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(subcommand)]
    pub(crate) command: Option<IssueCommand>,
    #[command(flatten)]
    pub(crate) filter: IssueFilter,
    /// Count the users affected: the different values of this field among the stored events, for list and show
    #[arg(long, value_name = "FIELD", global = true)]
    pub(crate) users: Option<String>,
}

/// Which issues are listed.
#[derive(Debug, Args)]
pub(crate) struct IssueFilter {
    /// Only issues in these states: open, acknowledged, resolved, ignored, regressed
    #[arg(long, value_name = "STATES")]
    pub(crate) state: Option<String>,
    /// Only issues of this service
    #[arg(long, value_name = "SERVICE")]
    pub(crate) service: Option<String>,
    /// Only issues of these groups
    #[arg(long, value_name = "GROUPS")]
    pub(crate) group: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IssueCommand {
    /// List the issues
    List(IssueFilter),
    /// Show an issue
    Show {
        /// The issue's id
        id: String,
    },
    /// Change state, owner or note of an issue
    Set(SetIssue),
    /// Merge issues: the others become parts of the first one
    Merge {
        /// Ids of issues
        #[arg(num_args = 2.., required = true)]
        ids: Vec<String>,
    },
    /// Undo the last merge of an issue
    Split {
        /// The issue's id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetIssue {
    /// The issue's id
    pub(crate) id: String,
    /// The state
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(STATES))]
    pub(crate) state: Option<String>,
    /// Who works on it
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// What to say about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Until when it is ignored: a number of further events, or a time such as now+7d
    #[arg(long, value_name = "COUNT|TIME")]
    pub(crate) until: Option<String>,
    /// The version in which it is resolved, or until which it is ignored
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
}
