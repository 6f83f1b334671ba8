//! What can be typed after `catat reports`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::remote::Commands;

/// Languages of letters.
const LANGUAGES: [&str; 2] = ["en", "id"];

pub(crate) type Reports = Commands<ReportCommand>;

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// List the reports: when each is sent, and what became of the last letter
    List,
    /// Make a report, or replace the one of that name; its days, its time and its letter are in the zone of --tz
    Put(Box<PutReport>),
    /// Send a report now
    Send {
        /// The report
        name: String,
    },
    /// Delete a report: it is sent no more
    Delete {
        /// The report
        name: String,
    },
}

/// What is sent, when, and to whom.
#[derive(Debug, Args)]
pub(crate) struct PutReport {
    /// The report's name
    pub(crate) name: String,
    /// Send this dashboard
    #[arg(long, value_name = "NAME", required_unless_present = "ledger", conflicts_with = "ledger")]
    pub(crate) dashboard: Option<String>,
    /// Send the ledger of the month before
    #[arg(long)]
    pub(crate) ledger: bool,
    /// The ledger's objectives in percent, services with their own behind it: 99.9,pay=99.95
    #[arg(long, value_name = "PERCENT", conflicts_with = "dashboard")]
    pub(crate) objective: Option<String>,
    /// The days: day, weekday (Monday to Friday), monday to sunday, or 1 to 28 of the month
    #[arg(long, value_name = "DAYS")]
    pub(crate) on: String,
    /// The time of day, such as 07:00
    #[arg(long, value_name = "TIME")]
    pub(crate) at: String,
    /// The topic that channels of type `email` name
    #[arg(long)]
    pub(crate) topic: String,
    /// The subject; absent: the dashboard's title, or that of the ledger
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The language of the letter
    #[arg(long, default_value = "en", value_parser = PossibleValuesParser::new(LANGUAGES))]
    pub(crate) lang: String,
    /// Begin of the dashboard's range, such as now-7d; absent: the dashboard's
    #[arg(long, conflicts_with = "ledger")]
    pub(crate) from: Option<String>,
    /// End of the dashboard's range
    #[arg(long, default_value = "now", requires = "from")]
    pub(crate) to: String,
    /// A variable's value, NAME=VALUE; repeated for several
    #[arg(long, conflicts_with = "ledger")]
    pub(crate) var: Vec<String>,
    /// Keep it without sending it
    #[arg(long)]
    pub(crate) paused: bool,
}
