//! What can be typed after `catat export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::remote::Remote;
use super::send::Compression;

#[derive(Debug, Args)]
pub(crate) struct ExportEvents {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Groups to export; `*` matches any characters (default: all but what catat writes of itself)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// Start: RFC 3339, `now-2h`, `now/d`, or seconds since 1970 (default: the oldest event)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End, inclusive (default: the newest event)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// Form of the files; each CSV file has a header of its own, with the fields of its events
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    pub(crate) format: ExportedForm,
    #[arg(long, value_name = "METHOD", default_value = "zstd")]
    pub(crate) compression: Compression,
    /// Directory for the files, new or empty, or with an export that was interrupted
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// A query whose rows are events, such as 'filter @level >= "error"' (default: all events)
    #[arg(default_value = "")]
    pub(crate) query: String,
}

/// Forms of exported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportedForm {
    /// One JSON object per line
    Ndjson,
    /// RFC 4180, texts as they are
    Csv,
    /// Columns with types, those of published tables
    Parquet,
}
