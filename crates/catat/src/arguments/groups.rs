//! What can be typed after `catat groups`.

use clap::{ArgGroup, Args, Subcommand};

use super::{Printing, Remote};

#[derive(Debug, Args)]
pub(crate) struct Groups {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(subcommand)]
    pub(crate) command: Option<GroupCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List the groups
    List,
    /// Show one group
    Show {
        /// The group
        name: String,
    },
    /// Set how long and how much of a group is kept
    Set(SetGroup),
    /// Delete a group with all its events
    Delete {
        /// The group
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Delete the events of a group that a query chooses
    DeleteEvents(DeleteEvents),
    /// Show deletions of events and how far they are
    Deletions {
        /// The group
        name: String,
        /// One of them, with the segments that were written again
        id: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limits").required(true).multiple(true).args(["retention_age", "retention_size", "time_zone"]))]
pub(crate) struct SetGroup {
    /// The group; it need not exist yet
    pub(crate) name: String,
    /// Age beyond which events go, such as 7d; `never` for no limit
    #[arg(long, value_name = "DURATION", alias = "age")]
    pub(crate) retention_age: Option<String>,
    /// Bytes beyond which the oldest events go, such as 10GB; `never` for no limit
    #[arg(long, value_name = "SIZE", alias = "size")]
    pub(crate) retention_size: Option<String>,
    /// Zone in which times that name none are read from now on, such as Asia/Jakarta or +07:00; `none` for that of the
    /// sender or server
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Only say what it would do
    #[arg(long)]
    pub(crate) preview: bool,
    /// Do not ask, even where events go at once
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("span").required(true).args(["from", "all_time"]))]
pub(crate) struct DeleteEvents {
    /// The group
    pub(crate) name: String,
    /// Which events: filter, parse, fields and eval, such as 'filter user = "ann"'
    #[arg(long, value_name = "QUERY")]
    pub(crate) query: String,
    /// Start: RFC 3339, `now-30d`, `now/d`, or seconds since 1970
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End, included (default: now)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "all_time")]
    pub(crate) to: Option<String>,
    /// Events of all time, instead of a range
    #[arg(long)]
    pub(crate) all_time: bool,
    /// Why; kept in the receipt, unlike the query
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Only count what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
