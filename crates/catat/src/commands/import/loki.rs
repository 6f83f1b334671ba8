//! Loki: `query_range` by spans of time, pushes (Grafana's reference, *Loki HTTP API*).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

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

/// Lines of an answer, if Loki does not say less (`max_entries_limit_per_query`).
const ANSWER_LINES: u64 = 5_000;

/// Lines that an answer is asked for where all of them have the same time.
const INSTANT_LINES: u64 = 200_000;

/// Time that a query is about at most (`max_query_length`, 30 days and an hour if nobody sets less).
const QUERY_TIME: i64 = 5 * Timestamp::DAY;

/// Points that an answer has at most.
const POINTS_MAX: i64 = 10_000;

/// Makes an answer name structured metadata apart from labels.
const APART: (&str, &str) = ("X-Loki-Response-Encoding-Flags", "categorize-labels");

pub(super) struct Loki {
    selector: String,
    tenant: Option<String>,
    from: String,
    /// Lines that this Loki gives at once.
    answer_lines: AtomicU64,
}

/// A line: the labels of its stream, its time, and its text with what stands beside it, all as they are written in a push.
type Line = (String, String, String);

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
        let answer_lines = AtomicU64::new(ANSWER_LINES);
        Self { selector: from.selector.clone(), tenant: from.tenant.clone(), from: from.from.clone(), answer_lines }
    }

    /// Asks for the lines of a range, oldest first.
    fn ask(&self, at: &Side<'_>, range: Range, limit: u64) -> Result<String, Failure> {
        // The end of a query is not a part of it.
        let [start, end] = [range.0.0, range.1.0 + 1].map(|instant| instant.to_string());
        let (query, limit) = (&*self.selector, limit.to_string());
        let parameters =
            [("query", query), ("start", &start), ("end", &end), ("limit", &limit), ("direction", "forward")];
        let request = at.request(Method::GET, "/loki/api/v1/query_range").query(&parameters).header(APART.0, APART.1);
        at.send(request)
    }

    /// Learns how many lines this Loki gives at once.
    fn learn(&self, at: &Side<'_>, range: Range) -> Result<(), Failure> {
        let Err(failure) = self.ask(at, (range.1, range.1), ANSWER_LINES) else { return Ok(()) };
        self.answer_lines.store(limit_of(&failure).ok_or(failure)?, Relaxed);
        Ok(())
    }

    /// Reads the lines of a range, in the same order each time: lines of one time come in any.
    fn lines(&self, at: &Side<'_>, range: Range) -> Result<Vec<Line>, Failure> {
        let limit = self.answer_lines.load(Relaxed);
        let mut text = self.ask(at, range, limit)?;
        let mut read = lines_of(&text, at)?;
        if read.len() as u64 >= limit {
            if let Some([first, second]) = halves(range) {
                read = self.lines(at, first)?;
                read.extend(self.lines(at, second)?);
                return Ok(read);
            }
            let (mut most, mut asked) = (INSTANT_LINES, self.ask(at, range, INSTANT_LINES));
            if let Err(failure) = &asked
                && let Some(limit) = limit_of(failure)
            {
                (most, asked) = (limit, self.ask(at, range, limit));
            }
            text = asked?;
            read = lines_of(&text, at)?;
            if read.len() as u64 >= most {
                let message = format!("{}: {most} lines and more are of {}", at.name, range.0);
                return Err(Failure::other(message).with("Raise max_entries_limit_per_query there for the import."));
            }
        }
        read.sort_unstable();
        Ok(read)
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
    fn about(&self, from: &Side<'_>, range: Range) -> Result<Vec<String>, Failure> {
        self.learn(from, range)?;
        let build: Value = from.ask(from.request(Method::GET, "/loki/api/v1/status/buildinfo"))?;
        let version = build["version"].as_str().filter(|version| !version.is_empty());
        let version = version.unwrap_or("of an unknown version");
        let group = "the label group, job, service_name or service is the group, else it is loki";
        Ok(vec![format!("Loki {version} at {}: {}", from.name, self.selector), group.to_owned()])
    }

    fn asked(&self) -> Value {
        json!({"selector": self.selector, "tenant": self.tenant, "from": self.from})
    }

    /// Fewer than an answer has, since lines come while it is read.
    fn most(&self) -> u64 {
        (self.answer_lines.load(Relaxed) * 4 / 5).max(1)
    }

    fn longest(&self) -> i64 {
        QUERY_TIME
    }

    /// Spans that Loki counts end with an instant that is theirs, so ranges are whole milliseconds of that kind.
    fn aligned(&self, (from, to): Range) -> Range {
        let floor = |nanos: i64| nanos - nanos.rem_euclid(Timestamp::MILLISECOND);
        (Timestamp(floor(from.0) - Timestamp::MILLISECOND + 1), Timestamp(floor(to.0 + Timestamp::MILLISECOND - 1)))
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
        Ok(pieces(self.lines(from, range)?))
    }

    /// Compares the lines of both sides: the server's door has what was pushed as it was.
    fn missing(&self, from: &Side<'_>, to: &Side<'_>, range: Range) -> Result<Option<Vec<Piece>>, Failure> {
        // Each side has its own way to write a text.
        let read = |(labels, time, rest): &Line| {
            let rest: Option<Value> = serde_json::from_str(&format!("[{rest}]")).ok();
            (labels.clone(), time.clone(), rest.map(|rest| rest.to_string()))
        };
        let mut here: BTreeMap<(String, String, Option<String>), u64> = BTreeMap::new();
        for line in self.lines(to, range)? {
            *here.entry(read(&line)).or_default() += 1;
        }
        let is_missing = |line: &Line| match here.get_mut(&read(line)).filter(|n| **n > 0) {
            Some(n) => {
                *n -= 1;
                false
            }
            None => true,
        };
        Ok(Some(pieces(self.lines(from, range)?.into_iter().filter(is_missing).collect())))
    }

    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure> {
        let request = to.request(Method::POST, "/loki/api/v1/push").header("Content-Type", "application/json");
        to.send(request.header("X-Catat-Batch", id).body(piece.body))?;
        Ok(Stored { events: piece.events, ..Stored::default() })
    }
}

/// Returns the limit that a refusal names: `… limit > max_entries_limit_per_query (5000 > 500)`.
fn limit_of(failure: &Failure) -> Option<u64> {
    let (_, rest) = failure.message.split_once("max_entries_limit_per_query (")?;
    let (limit, _) = rest.split_once(" > ")?.1.split_once(')')?;
    limit.parse().ok().filter(|limit| *limit > 0)
}

/// Reads the lines of an answer.
fn lines_of(text: &str, at: &Side<'_>) -> Result<Vec<Line>, Failure> {
    let answer: Answer<'_> =
        serde_json::from_str(text).map_err(|error| Failure::other(format!("{}: {error}", at.name)))?;
    let mut lines = Vec::new();
    for stream in &answer.data.result {
        let labels = json!(stream.stream).to_string();
        for value in &stream.values {
            let [time, line, beside @ ..] = &value[..] else {
                return Err(Failure::other("Loki's answer has a line without a time or a text"));
            };
            let metadata = match beside.first() {
                Some(beside) => {
                    serde_json::from_str::<LineMetadata>(beside.get()).unwrap_or_default().structured_metadata
                }
                None => BTreeMap::new(),
            };
            let metadata = if metadata.is_empty() { String::new() } else { format!(",{}", json!(metadata)) };
            lines.push((labels.clone(), time.get().to_owned(), format!("{}{metadata}", line.get())));
        }
    }
    Ok(lines)
}

/// Makes pushes of lines.
fn pieces(lines: Vec<Line>) -> Vec<Piece> {
    let mut pieces: Vec<Push> = Vec::new();
    for (labels, time, rest) in lines {
        let bytes = time.len() + rest.len();
        if pieces.last().is_none_or(|piece| piece.bytes + bytes > PIECE_BYTES) {
            pieces.push(Push::default());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.streams.entry(labels).or_default().push(format!("[{time},{rest}]"));
            piece.bytes += bytes;
            piece.n_lines += 1;
        }
    }
    pieces.into_iter().map(Push::into_piece).collect()
}

/// A push that grows.
#[derive(Default)]
struct Push {
    streams: BTreeMap<String, Vec<String>>,
    bytes: usize,
    n_lines: u64,
}

impl Push {
    fn into_piece(self) -> Piece {
        let stream = |(labels, lines): (&String, &Vec<String>)| {
            format!("{{\"stream\":{labels},\"values\":[{}]}}", lines.join(","))
        };
        let streams: Vec<String> = self.streams.iter().map(stream).collect();
        Piece { body: format!("{{\"streams\":[{}]}}", streams.join(",")).into_bytes(), events: self.n_lines }
    }
}
