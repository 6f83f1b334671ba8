//! Which parts an export has: spans of time with so many events that one of them is quickly asked for again.

use chrono_tz::Tz;
use language::ParseOptions;
use plan::Operator;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::Timestamp;

use crate::arguments::{Compression, ExportEvents, ExportedForm};
use crate::client::Server;
use crate::commands::spans::{Range, Span, Width, instant, now, spans};
use crate::failure::{Failure, Result};

/// Events of a part, unless a millisecond has more.
const PART_EVENTS_MAX: u64 = 250_000;

/// The beginnings of 1678 and 2262, before and after all events.
const FIRST: Timestamp = Timestamp(-106_650 * Timestamp::DAY);
const LAST: Timestamp = Timestamp(106_651 * Timestamp::DAY);

/// An export, as it is on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Plan {
    /// The options, by which it is known again.
    pub(super) asked: Value,
    pub(super) query: String,
    groups: Vec<String>,
    /// Only events that were accepted by then.
    as_of: String,
    ending: String,
    pub(super) parts: Vec<Span>,
}

/// What distinguishes one export from another.
pub(super) fn asked(options: &ExportEvents) -> Value {
    serde_json::json!({
        "query": options.query, "groups": options.group, "from": options.from, "to": options.to,
        "format": format!("{:?}", options.format).to_lowercase(),
        "compression": format!("{:?}", options.compression).to_lowercase(),
    })
}

/// Refuses a query that means something else for a part of the time than for all of it, or whose rows are no events. Mistakes are the
/// server's to tell.
fn check(asked: &ExportEvents) -> Result<()> {
    if asked.format == ExportedForm::Parquet && asked.compression != Compression::Zstd {
        return Err(Failure::usage("Parquet files are compressed inside, with zstd; leave out --compression"));
    }
    let options = ParseOptions { now: storage::Clock::system().now(), time_zone: Tz::UTC };
    let Ok(plan) = language::parse_insights(&asked.query, &options) else { return Ok(()) };
    let is_for_each = |operator: &Operator| {
        use Operator::{Extend, Filter, Lookup, Parse, Project};
        matches!(operator, Filter(_) | Extend { .. } | Parse(_) | Lookup(_) | Project { is_events: true, .. })
    };
    if plan.times == plan::Times::default() && plan.operators().iter().all(is_for_each) {
        return Ok(());
    }
    let problem =
        Failure::usage("the query of an export looks at each event by itself: source, filter, parse, fields, lookup");
    Err(problem.with("Times are given with --from and --to; events are not sorted, limited, counted or joined."))
}

/// The extension of its files.
fn ending(options: &ExportEvents) -> String {
    let format = match options.format {
        ExportedForm::Ndjson => "ndjson",
        ExportedForm::Csv => "csv",
        ExportedForm::Parquet => return "parquet".into(),
    };
    let packed = match options.compression {
        Compression::Zstd => ".zst",
        Compression::Gzip => ".gz",
        Compression::None => "",
    };
    format!("{format}{packed}")
}

impl Plan {
    /// Counts the events that there are.
    pub(super) fn new(server: &Server, options: &ExportEvents) -> Result<Self> {
        check(options)?;
        let mut plan = Self {
            asked: asked(options),
            query: options.query.clone(),
            groups: options.group.clone(),
            as_of: now(server)?.to_string(),
            ending: ending(options),
            parts: Vec::new(),
        };
        let at =
            |given: &Option<String>, otherwise| given.as_deref().map_or(Ok(otherwise), |text| instant(server, text));
        let range = (at(&options.from, FIRST)?, at(&options.to, LAST)?);
        let of_one_day = |a: &Span, b: &Span| a.from.day() == b.from.day();
        plan.parts = spans(&|range, width| plan.counts(server, range, width), range, PART_EVENTS_MAX, of_one_day)?;
        Ok(plan)
    }

    fn counts(&self, server: &Server, range: Range, (width, _): Width) -> Result<Vec<(Timestamp, u64)>> {
        let command = format!("stats count(*) as n by bin({width}) as t | sort t asc");
        let rows = self.rows(server, &command, range)?;
        let count = |row: Value| {
            let begin = row["t"].as_str().and_then(Timestamp::parse_rfc3339);
            begin.zip(row["n"].as_u64()).ok_or_else(|| not_understood(&row.to_string()))
        };
        rows.into_iter().map(count).collect()
    }

    /// The rows of a query over what is exported.
    fn rows(&self, server: &Server, command: &str, range: Range) -> Result<Vec<Value>> {
        let text =
            server.send(self.request(server, command, range).query(&[("format", "ndjson")]), &self.query)?.text();
        let text = text.map_err(crate::client::broken_off)?;
        let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        rows.map_err(|error| Failure::other(format!("the server's answer is no NDJSON: {error}")))
    }

    /// How many events of the export a range has now.
    pub(super) fn count(&self, server: &Server, range: Range) -> Result<u64> {
        let rows = self.rows(server, "stats count(*) as n", range)?;
        Ok(rows.first().and_then(|row| row["n"].as_u64()).unwrap_or(0))
    }

    /// The range of the export, from its first part to its last.
    pub(super) fn range(&self) -> Option<Range> {
        self.parts.first().zip(self.parts.last()).map(|(first, last)| (first.from, last.to))
    }

    /// Asks for events of the export in a range, with a command behind its query.
    fn request(&self, server: &Server, command: &str, range: Range) -> reqwest::blocking::RequestBuilder {
        let filter = format!("filter @ingestionTime <= \"{}\"", self.as_of);
        let steps = [&*self.query, &filter, command];
        let query: Vec<&str> = steps.into_iter().filter(|step| !step.trim().is_empty()).collect();
        let groups: Vec<(&str, &str)> = self.groups.iter().map(|group| ("groups", &**group)).collect();
        let request = server.request(Method::GET, "/api/v1/query").query(&groups);
        request.query(&[
            ("query", &*query.join(" | ")),
            ("from", &*range.0.to_string()),
            ("to", &*range.1.to_string()),
            ("time_zone", "UTC"),
        ])
    }

    /// Asks for the events of an interval of a part, oldest first, with all fields: `(0, 1)` is the whole of it.
    pub(super) fn events(
        &self,
        server: &Server,
        part: &Span,
        (at, of): (i64, i64),
    ) -> reqwest::blocking::RequestBuilder {
        let (from, end) = (part.from.0, part.to.0 + 1);
        let place = |at: i64| from + ((i128::from(end - from) * i128::from(at)) / i128::from(of)) as i64;
        let range = (Timestamp(place(at)), Timestamp(place(at + 1) - 1));
        let request = self.request(server, "sort @timestamp asc", range).query(&[("all_fields", "true")]);
        if self.is_csv() {
            return request.header("accept", "text/csv;raw=true");
        }
        request.query(&[("format", "ndjson")])
    }

    /// Whether files have a header, and fields with line ends in quotes.
    pub(super) fn is_csv(&self) -> bool {
        self.ending.starts_with("csv")
    }

    /// The name of a part's file, without the characters that some file systems refuse.
    pub(super) fn file_name(&self, part: &Span) -> String {
        let from = part.from.to_string();
        let from: String = from.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        format!("{from}.{}", self.ending)
    }
}

/// An answer of another version, or of something else.
fn not_understood(answer: &str) -> Failure {
    Failure::other(format!("the server counted in a way that is not understood: {answer}"))
}
