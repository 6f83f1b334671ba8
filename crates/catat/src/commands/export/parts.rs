//! Which parts an export has: spans of time with so many events that one of them is quickly asked for again.

use chrono_tz::Tz;
use language::ParseOptions;
use plan::Operator;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::Timestamp;

use crate::arguments::{ExportEvents, ExportedForm, FileCompression};
use crate::client::Server;
use crate::failure::Failure;

/// Events of a part, unless a millisecond has more.
const PART_EVENTS_MAX: u64 = 250_000;

/// Widths of the spans in which events are counted, each for spans that have too many.
const WIDTHS: [(&str, i64); 5] = [
    ("1d", Timestamp::DAY),
    ("1h", Timestamp::HOUR),
    ("1m", Timestamp::MINUTE),
    ("1s", Timestamp::SECOND),
    ("1ms", Timestamp::MILLISECOND),
];

/// Before and after all events.
const FIRST: &str = "1678-01-01T00:00:00Z";
const LAST: &str = "2262-01-01T00:00:00Z";

/// An export, as it is on disk.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Plan {
    /// The options, by which it is known again.
    pub(super) asked: Value,
    query: String,
    groups: Vec<String>,
    from: String,
    to: String,
    /// Only events that were accepted by then.
    as_of: String,
    ending: String,
    pub(super) parts: Vec<Part>,
}

/// A span of time.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Part {
    from: String,
    /// The last instant in it.
    to: String,
    pub(super) events: u64,
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
fn check(query: &str) -> Result<(), Failure> {
    let options = ParseOptions { now: storage::Clock::system().now(), time_zone: Tz::UTC };
    let Ok(plan) = language::parse_insights(query, &options) else { return Ok(()) };
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
    };
    let packed = match options.compression {
        FileCompression::Zstd => ".zst",
        FileCompression::Gzip => ".gz",
        FileCompression::None => "",
    };
    format!("{format}{packed}")
}

impl Plan {
    /// Counts the events that there are.
    pub(super) fn new(server: &Server, options: &ExportEvents) -> Result<Self, Failure> {
        check(&options.query)?;
        let time = |text: &str, end: &str| {
            let request = server.request(Method::GET, "/api/v1/time").query(&[("text", text)]);
            server.ask::<Value>(request, "").map(|range| range[end].as_str().unwrap_or_default().to_owned())
        };
        let end_of = |given: &Option<String>, otherwise: &str| match given {
            Some(text) => time(text, "from_time"),
            None => Ok(otherwise.to_owned()),
        };
        let mut plan = Self {
            asked: asked(options),
            query: options.query.clone(),
            groups: options.group.clone(),
            from: end_of(&options.from, FIRST)?,
            to: end_of(&options.to, LAST)?,
            as_of: time("now-1h", "to_time")?,
            ending: ending(options),
            parts: Vec::new(),
        };
        let spans = plan.spans(server, (&plan.from, &plan.to), 0)?;
        for (from, to, events) in spans {
            let rest = plan.parts.last_mut().filter(|part| part.events + events <= PART_EVENTS_MAX);
            match rest.filter(|part| part.from[..10] == from[..10]) {
                Some(part) => (part.to, part.events) = (to, part.events + events),
                None => plan.parts.push(Part { from, to, events }),
            }
        }
        Ok(plan)
    }

    /// Counts the events of a range in spans of a width, and those of spans with too many in smaller ones.
    fn spans(
        &self,
        server: &Server,
        (from, to): (&str, &str),
        level: usize,
    ) -> Result<Vec<(String, String, u64)>, Failure> {
        let (width, length) = WIDTHS[level];
        let command = format!("stats count(*) as n by bin({width}) as t | sort t asc");
        let mut spans = Vec::new();
        for row in self.rows(server, &command, (from, to))? {
            let (Some(begin), Some(n)) = (row["t"].as_str().and_then(Timestamp::parse_rfc3339), row["n"].as_u64())
            else {
                return Err(Failure::other(format!("the server counted in a way that is not understood: {row}")));
            };
            let last = Timestamp(begin.0.saturating_add(length - 1));
            // The first and the last span may reach beyond what is exported.
            let bounded = |text: &str, other: Timestamp, is_first: bool| {
                let bound = Timestamp::parse_rfc3339(text).unwrap_or(other);
                if is_first { bound.max(other) } else { bound.min(other) }.to_string()
            };
            let (begin, end) = (bounded(from, begin, true), bounded(to, last, false));
            if n > PART_EVENTS_MAX && level + 1 < WIDTHS.len() {
                spans.extend(self.spans(server, (&begin, &end), level + 1)?);
            } else {
                spans.push((begin, end, n));
            }
        }
        Ok(spans)
    }

    /// The rows of a query over what is exported.
    fn rows(&self, server: &Server, command: &str, range: (&str, &str)) -> Result<Vec<Value>, Failure> {
        let text =
            server.send(self.request(server, command, range).query(&[("format", "ndjson")]), &self.query)?.text();
        let text = text.map_err(crate::client::broken_off)?;
        let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        rows.map_err(|error| Failure::other(format!("the server's answer is no NDJSON: {error}")))
    }

    /// How many events a part has now.
    pub(super) fn count(&self, server: &Server, part: &Part) -> Result<u64, Failure> {
        self.count_within(server, (&part.from, &part.to))
    }

    /// How many events there are now of those that are exported.
    pub(super) fn count_all(&self, server: &Server) -> Result<u64, Failure> {
        self.count_within(server, (&self.from, &self.to))
    }

    fn count_within(&self, server: &Server, range: (&str, &str)) -> Result<u64, Failure> {
        let rows = self.rows(server, "stats count(*) as n", range)?;
        Ok(rows.first().and_then(|row| row["n"].as_u64()).unwrap_or(0))
    }

    /// Asks for events of the export in a range, with a command behind its query.
    fn request(&self, server: &Server, command: &str, range: (&str, &str)) -> reqwest::blocking::RequestBuilder {
        let filter = format!("filter @ingestionTime <= \"{}\"", self.as_of);
        let steps = [&*self.query, &filter, command];
        let query: Vec<&str> = steps.into_iter().filter(|step| !step.trim().is_empty()).collect();
        let groups: Vec<(&str, &str)> = self.groups.iter().map(|group| ("groups", &**group)).collect();
        let request = server.request(Method::GET, "/api/v1/query").query(&groups);
        request.query(&[("query", &*query.join(" | ")), ("from", range.0), ("to", range.1), ("time_zone", "UTC")])
    }

    /// Asks for the events of an interval of a part, oldest first, with all fields: `(0, 1)` is the whole of it.
    pub(super) fn events(
        &self,
        server: &Server,
        part: &Part,
        (at, of): (i64, i64),
    ) -> reqwest::blocking::RequestBuilder {
        let instant = |text: &str| Timestamp::parse_rfc3339(text).map_or(0, |instant| instant.0);
        let (from, end) = (instant(&part.from), instant(&part.to) + 1);
        let place = |at: i64| from + ((i128::from(end - from) * i128::from(at)) / i128::from(of)) as i64;
        let (from, to) = (Timestamp(place(at)).to_string(), Timestamp(place(at + 1) - 1).to_string());
        let request = self.request(server, "sort @timestamp asc", (&from, &to)).query(&[("all_fields", "true")]);
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
    pub(super) fn file_name(&self, part: &Part) -> String {
        let from: String = part.from.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        format!("{from}.{}", self.ending)
    }

    pub(super) fn query(&self) -> &str {
        &self.query
    }
}
