//! Arguments for the form of the output.

use clap::{Args, ValueEnum};

/// The time zone in which times are read and printed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Zone {
    /// Time zone of --from and --to, of bins of a day or longer, and of printed times (default: TZ or this machine's; formats
    /// for programs have UTC)
    #[arg(long, value_name = "ZONE", conflicts_with = "utc", global = true)]
    pub(crate) tz: Option<String>,
    /// The same as --tz UTC
    #[arg(long, global = true)]
    pub(crate) utc: bool,
}

/// How lists are printed.
#[derive(Debug, Args)]
pub(crate) struct Printing {
    /// Output format (default: table on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) zone: Zone,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns
    Table,
    /// One readable line per event
    Lines,
    /// One JSON array
    Json,
    /// One JSON object per line
    Ndjson,
    /// Comma-separated values with a header; formulas get an apostrophe
    Csv,
    /// The same without the apostrophes
    CsvRaw,
    /// Tab-separated values with a header; tabs, line ends and backslashes are escaped, formulas get an apostrophe
    Tsv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}
