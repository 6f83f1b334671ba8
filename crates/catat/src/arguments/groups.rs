//! What can be typed after `catat groups`.

use clap::{ArgGroup, Args, Subcommand};

use super::remote::Commands;

pub(crate) type Groups = Commands<GroupCommand>;

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List the groups
    List,
    /// Show one group
    Show {
        /// The group
        name: String,
    },
    /// Set a group's retention and time zone
    Set(SetGroup),
    /// Delete a group with all its events
    Delete {
        /// The group
        name: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Delete the events of a group that match a query
    DeleteEvents(DeleteEvents),
    /// Show deletions of events and their progress
    Deletions {
        /// The group
        name: String,
        /// One deletion, with the segments that it rewrote
        id: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limits").required(true).multiple(true).args(["retention_age", "retention_size", "time_zone"]))]
pub(crate) struct SetGroup {
    /// The group, which need not exist yet
    pub(crate) name: String,
    /// Maximum age of events, such as 7d; `never` for no limit
    #[arg(long, value_name = "DURATION", alias = "age")]
    pub(crate) retention_age: Option<String>,
    /// Maximum size, such as 10GB, beyond which the oldest events are deleted; `never` for no limit
    #[arg(long, value_name = "SIZE", alias = "size")]
    pub(crate) retention_size: Option<String>,
    /// Time zone of new events whose times have none, such as Asia/Jakarta or +07:00; `none` for that of the sender or
    /// server
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Show the effect without changing anything
    #[arg(long)]
    pub(crate) preview: bool,
    /// Do not ask for confirmation, even if events are deleted at once
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
    /// End, inclusive (default: now)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "all_time")]
    pub(crate) to: Option<String>,
    /// Events of all time instead of a range
    #[arg(long)]
    pub(crate) all_time: bool,
    /// Reason to record in the receipt, which does not contain the query
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Count matching events without deleting them
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}
