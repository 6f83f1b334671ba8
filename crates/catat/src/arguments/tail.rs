//! What can be typed after `catat tail`.

use clap::Args;

use super::printing::{Color, Format, Zone};
use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Groups to follow; `*` matches any characters (default: all)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    #[command(flatten)]
    pub(crate) zone: Zone,
    /// First show the last N events that match
    #[arg(short = 'n', long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub(crate) lines: u64,
    /// Stop after N events, those of --lines included
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Stop after this time, such as 30s
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// Output format: lines or ndjson (default: lines on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Which events, such as 'filter @level >= "warn"'
    #[arg(default_value = "")]
    pub(crate) query: String,
    /// Whether it shows level and group because its author says nothing of columns.
    #[arg(skip)]
    pub(crate) is_for_people: bool,
}
