//! Loki: `query_range` by spans of time, pushes (Grafana's reference, *Loki HTTP API*).

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use types::Timestamp;

use super::side::{Side, quoted};
use super::source::{PIECE_BYTES, Piece, Source, Stored};
use crate::arguments::FromLoki;
use crate::commands::spans::{Range, Width, halves, smaller};
use crate::failure::Failure;

/// Lines of an answer (`max_entries_limit_per_query`).
const ANSWER_LINES: u64 = 5_000;

/// Fewer, since lines come while it is read.
const SPAN_LINES: u64 = 4_000;

/// Time that a query is about at most (`max_query_length` is 30 days and an hour).
const QUERY_TIME: i64 = 30 * Timestamp::DAY;

/// Points that an answer has at most.
const POINTS_MAX: i64 = 10_000;

/// Makes an answer name structured metadata apart from labels.
const APART: (&str, &str) = ("X-Loki-Response-Encoding-Flags", "categorize-labels");

pub(super) struct Loki {
    selector: String,
    tenant: Option<String>,
    from: String,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    result: Vec<Stream<'a>>,
}

#[derive(Deserialize)]
struct Stream<'a> {
    stream: BTreeMap<String, String>,
    #[serde(borrow)]
    values: Vec<Vec<&'a RawValue>>,
}

/// What stands beside a line.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LineMetadata {
    #[serde(default)]
    structured_metadata: BTreeMap<String, Value>,
}

impl Loki {
    pub(super) fn new(from: &FromLoki) -> Self {
        Self { selector: from.selector.clone(), tenant: from.tenant.clone(), from: from.from.clone() }
    }

    /// Counts the lines of spans of a width, from one multiple of it to another.
    fn whole_spans(
        &self,
        at: &Side<'_>,
        (first, last): (i64, i64),
        (width, length): Width,
    ) -> Result<Vec<(Timestamp, u64)>, Failure> {
        let query = format!("sum(count_over_time({}[{width}]))", self.selector);
        let (mut counts, mut begin) = (Vec::new(), first);
        while begin < last {
            let end = last.min(begin + (QUERY_TIME / length).clamp(1, POINTS_MAX) * length);
            let ends = [begin + length, end].map(|end| end.to_string());
            let parameters = [("query", &*query), ("start", &*ends[0]), ("end", &*ends[1]), ("step", width)];
            let answer: Value = at.ask(at.request(Method::GET, "/loki/api/v1/query_range").query(&parameters))?;
            let series = answer["data"]["result"].as_array();
            let series =
                series.ok_or_else(|| Failure::other(format!("{}: no counts in {}", at.name, quoted(&answer))))?;
            for point in series.iter().flat_map(|series| series["values"].as_array().into_iter().flatten()) {
                let count = point[0].as_f64().zip(point[1].as_str().and_then(|n| n.parse::<f64>().ok()));
                let Some((seconds, n)) = count else {
                    return Err(Failure::other(format!("{}: {point} is no count", at.name)));
                };
                // Seconds with a fraction are rounded.
                let place = ((seconds * 1e9 - begin as f64) / length as f64).round() as i64 - 1;
                if n > 0.0 {
                    counts.push((Timestamp(begin + place * length + 1), n as u64));
                }
            }
            begin = end;
        }
        Ok(counts)
    }
}

impl Source for Loki {
    fn about(&self, from: &Side<'_>, _range: Range) -> Result<Vec<String>, Failure> {
        let build: Value = from.ask(from.request(Method::GET, "/loki/api/v1/status/buildinfo"))?;
        let version = build["version"].as_str().unwrap_or("of an unknown version");
        let group = "the label group, job, service_name or service is the group, else it is loki";
        Ok(vec![format!("Loki {version} at {}: {}", from.name, self.selector), group.to_owned()])
    }

    fn asked(&self) -> Value {
        json!({"selector": self.selector, "tenant": self.tenant, "from": self.from})
    }

    fn most(&self) -> u64 {
        SPAN_LINES
    }

    /// Spans that Loki counts end with an instant that is theirs, so ranges are whole milliseconds of that kind.
    fn aligned(&self, (from, to): Range) -> Range {
        let floor = |instant: Timestamp| instant.0 - instant.0.rem_euclid(Timestamp::MILLISECOND);
        (Timestamp(floor(from) - Timestamp::MILLISECOND + 1), Timestamp(floor(to)))
    }

    fn counts(&self, at: &Side<'_>, range: Range, width: Width) -> Result<Vec<(Timestamp, u64)>, Failure> {
        let length = width.1;
        let (before, end) = (range.0.0 - 1, range.1.0);
        // Whole spans: each is after one multiple of the width, and up to the next.
        let first = before + (-before).rem_euclid(length);
        let last = end - end.rem_euclid(length);
        let mut counts = Vec::new();
        let mut edge = |from: i64, to: i64| -> Result<(), Failure> {
            let Some(smaller) = smaller(width).filter(|_| from < to) else { return Ok(()) };
            let parts = self.counts(at, (Timestamp(from + 1), Timestamp(to)), smaller)?;
            let n: u64 = parts.iter().map(|(_, n)| n).sum();
            if n > 0 {
                counts.push((Timestamp(from - from.rem_euclid(length) + 1), n));
            }
            Ok(())
        };
        edge(before, first.min(end))?;
        if first <= end {
            edge(last, end)?;
        }
        counts.extend(self.whole_spans(at, (first, last), width)?);
        counts.sort_unstable();
        Ok(counts)
    }

    fn read(&self, from: &Side<'_>, range: Range) -> Result<Vec<Piece>, Failure> {
        // The end of a query is not a part of it.
        let [start, end] = [range.0.0, range.1.0 + 1].map(|instant| instant.to_string());
        let limit = ANSWER_LINES.to_string();
        let parameters = [
            ("query", &*self.selector),
            ("start", &*start),
            ("end", &*end),
            ("limit", &*limit),
            ("direction", "forward"),
        ];
        let request = from.request(Method::GET, "/loki/api/v1/query_range").query(&parameters).header(APART.0, APART.1);
        let text = from.send(request)?;
        let answer: Answer<'_> =
            serde_json::from_str(&text).map_err(|error| Failure::other(format!("{}: {error}", from.name)))?;
        let mut streams = answer.data.result;
        if streams.iter().map(|stream| stream.values.len() as u64).sum::<u64>() >= ANSWER_LINES {
            let Some([first, second]) = halves(range) else {
                let message = format!("{ANSWER_LINES} lines and more at {} are more than one answer has", range.0);
                return Err(Failure::other(message).with("Import them with --match in several parts."));
            };
            let mut pieces = self.read(from, first)?;
            pieces.extend(self.read(from, second)?);
            return Ok(pieces);
        }
        // Streams come in any order, and one may come several times: its lines have different metadata.
        streams.sort_by(|a, b| (&a.stream, first(a)).cmp(&(&b.stream, first(b))));
        let mut pieces: Vec<Push> = Vec::new();
        for stream in &streams {
            for value in &stream.values {
                let bytes: usize = value.iter().map(|part| part.get().len()).sum();
                if pieces.last().is_none_or(|piece| piece.bytes + bytes > PIECE_BYTES) {
                    pieces.push(Push::default());
                }
                if let Some(piece) = pieces.last_mut() {
                    piece.add(&stream.stream, value, bytes)?;
                }
            }
        }
        Ok(pieces.into_iter().map(Push::into_piece).collect())
    }

    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure> {
        let request = to.request(Method::POST, "/loki/api/v1/push").header("Content-Type", "application/json");
        to.send(request.header("X-Catat-Batch", id).body(piece.body))?;
        Ok(Stored { events: piece.events, ..Stored::default() })
    }
}

/// The time of a stream's first line, as it is written.
fn first<'s>(stream: &'s Stream<'_>) -> Option<&'s str> {
    stream.values.first().and_then(|value| value.first()).map(|time| time.get())
}

/// A push that grows.
#[derive(Default)]
struct Push {
    streams: BTreeMap<String, Vec<String>>,
    bytes: usize,
    n_lines: u64,
}

impl Push {
    fn add(&mut self, labels: &BTreeMap<String, String>, value: &[&RawValue], bytes: usize) -> Result<(), Failure> {
        let [time, line, beside @ ..] = value else {
            return Err(Failure::other("Loki's answer has a line without a time or a text"));
        };
        let metadata = match beside.first() {
            Some(beside) => serde_json::from_str::<LineMetadata>(beside.get()).unwrap_or_default().structured_metadata,
            None => BTreeMap::new(),
        };
        let metadata = if metadata.is_empty() { String::new() } else { format!(",{}", json!(metadata)) };
        let lines = self.streams.entry(json!(labels).to_string()).or_default();
        lines.push(format!("[{},{}{metadata}]", time.get(), line.get()));
        self.bytes += bytes;
        self.n_lines += 1;
        Ok(())
    }

    fn into_piece(self) -> Piece {
        let stream = |(labels, lines): (&String, &Vec<String>)| {
            format!("{{\"stream\":{labels},\"values\":[{}]}}", lines.join(","))
        };
        let streams: Vec<String> = self.streams.iter().map(stream).collect();
        Piece { body: format!("{{\"streams\":[{}]}}", streams.join(",")).into_bytes(), events: self.n_lines }
    }
}
