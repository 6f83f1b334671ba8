//! What can be typed after `catat query`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::printing::{Color, Format, Zone};
use super::remote::Remote;
use crate::failure::{Failure, Result};

/// Rows shown on a terminal unless `--limit` sets another number.
const TERMINAL_ROWS: u64 = 1_000;

const LANGUAGES: [&str; 8] = ["insights", "logql", "lucene", "kql", "filter-pattern", "promql", "traceql", "esql"];

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Files, folders and buckets (`s3://BUCKET/PREFIX`) to query instead of a server: text, CSV, JSON, .gz, .zst, Parquet; `-` is
    /// standard input, as in `… | catat query - 'QUERY'`
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["group"])]
    pub(crate) file: Vec<PathBuf>,
    /// A table for `lookup` in a query over files: its name and a CSV file; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) lookup: Vec<String>,
    /// Configuration whose formats of programs read the files (default: that of a server on this machine)
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(crate) config: Option<PathBuf>,
    /// Groups to query; `*` matches any characters (default: all)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// How far back, such as 15m or 1h30m (default: 1h; all of it for files)
    #[arg(long, value_name = "DURATION", conflicts_with = "from", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Start: RFC 3339, `now-2h`, `now/d`, or seconds since 1970
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End, inclusive
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) zone: Zone,
    /// Maximum number of rows; 0 for all (default: 1,000 on a terminal, all in a pipe)
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Output format (default: table or lines on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// `insights`, `logql`, `lucene`, `kql`, `filter-pattern` (CloudWatch), `promql`, `traceql` (metrics queries) or `esql`
    #[arg(long, value_name = "LANGUAGE", default_value = "insights", value_parser = LANGUAGES)]
    pub(crate) language: String,
    /// PromQL, LogQL and TraceQL over a range: time between its points, such as 15s (default: in PromQL a 240th of the range,
    /// else one point)
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    /// Show every field that the events have, behind the columns of the query
    #[arg(long, conflicts_with_all = ["file", "explain", "step"])]
    pub(crate) all_fields: bool,
    /// Print how the query was run instead of its rows; for files, print its plan without running it
    #[arg(long)]
    pub(crate) explain: bool,
    /// Exit with code 1 if nothing matches
    #[arg(long)]
    pub(crate) exit_on_empty: bool,
    /// The query, such as 'filter @level >= "error" | stats count(*) by @log'
    #[arg(default_value = "")]
    pub(crate) query: String,
    /// Whether it shows level and group because its author says nothing of columns.
    #[arg(skip)]
    pub(crate) is_for_people: bool,
    /// The query, where `-` stands before it
    #[arg(hide = true)]
    pub(crate) behind_dash: Option<String>,
}

impl Query {
    /// Takes the last path of `--file` as the query if no such file exists, and `-` before the query as standard input.
    pub(crate) fn take_input(&mut self) -> Result<()> {
        let is_query = |last: &mut PathBuf| !last.exists() && last.as_os_str() != "-" && !last.starts_with("s3:");
        if self.query.is_empty()
            && self.file.len() > 1
            && let Some(last) = self.file.pop_if(is_query)
        {
            self.query = last.to_string_lossy().into_owned();
        }
        match self.behind_dash.take() {
            query if self.query == "-" => {
                self.file.push("-".into());
                self.query = query.unwrap_or_default();
            }
            Some(second) => {
                return Err(Failure::usage(format!("{second:?} stands behind the query; quote the query whole")));
            }
            None => {}
        }
        if !self.file.is_empty() && !self.group.is_empty() {
            return Err(Failure::usage("--group is for a server, and files or standard input are asked without one"));
        }
        Ok(())
    }

    /// Returns the start of the range: `--since 1h30m` as a time that the server understands, or `--from`.
    pub(crate) fn start(&self) -> Result<Option<String>> {
        let Some(since) = &self.since else { return Ok(self.from.clone()) };
        if let Some(forward) = since.strip_prefix('-') {
            return Err(Failure::usage(format!(
                "--since {since}: the duration already counts back from now; write --since {forward}"
            )));
        }
        let nanoseconds =
            types::parse_duration_ns(since).map_err(|error| Failure::usage(format!("--since {since}: {error}")))?;
        Ok(Some(format!("now-{}ms", nanoseconds / 1_000_000)))
    }

    /// Returns the maximum number of rows to ask for; `None` for all.
    pub(crate) fn row_limit(&self) -> Option<u64> {
        match self.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None if std::io::stdout().is_terminal() => Some(TERMINAL_ROWS),
            None => None,
        }
    }
}
