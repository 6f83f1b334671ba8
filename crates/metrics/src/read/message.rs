//! The messages of remote read. Layout (field numbers):
//!
//! ```text
//! request   queries = 1*   accepted response types = 2* (samples 0, streamed chunks 1)
//! query     start = 1 (ms)   end = 2 (ms)   matchers = 3*
//! matcher   type = 1 (= 0, != 1, =~ 2, !~ 3)   name = 2   value = 3
//! response  results = 1*
//! result    series = 1*
//! series    labels = 1* (name = 1, value = 2)   samples = 2* (value = 1, double; time = 2, ms)   histograms = 4*
//! ```

use std::sync::Arc;

use door::{Problem, Result};
use ingest::IngestError;
use ingest::protobuf::{Content, Message, put_bytes, put_varint};
use promql::{Histogram, Labels, Matcher};
use types::Timestamp;

use crate::native_histogram;

/// What the body should be, for errors.
const WHAT: &str = "remote read request";

/// Most queries of a request.
const QUERIES_MAX: usize = 100;

/// Times beyond this many ms from the epoch are taken for this one: the year 2262.
const TIME_MAX: i64 = i64::MAX / Timestamp::MILLISECOND - 1;

const OPERATORS: [&str; 4] = ["=", "!=", "=~", "!~"];

/// A series with times in ms and values.
pub(super) struct ReadSeries {
    pub(super) labels: Labels,
    pub(super) floats: Vec<(i64, f64)>,
    pub(super) histograms: Vec<(i64, Arc<Histogram>)>,
}

impl ReadSeries {
    /// Returns the number of samples; a histogram counts for one per bucket as well.
    pub(super) fn n_samples(&self) -> usize {
        let of_histogram = |(_, one): &(i64, Arc<Histogram>)| 1 + one.positive.len() + one.negative.len();
        self.floats.len() + self.histograms.iter().map(of_histogram).sum::<usize>()
    }
}

/// The samples that are asked for.
#[derive(Debug)]
pub(super) struct ReadQuery {
    /// First and last time, in ms.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) matchers: Vec<Matcher>,
}

/// Reads a request.
pub(super) fn queries(body: &[u8]) -> Result<Vec<ReadQuery>> {
    let (mut queries, mut accepted) = (Vec::new(), Vec::new());
    for field in Message::new(body, WHAT) {
        match field? {
            (1, Content::Bytes(message)) => queries.push(query(message)?),
            (2, Content::Number(kind)) => accepted.push(kind),
            // Packed: each is one byte.
            (2, Content::Bytes(kinds)) => accepted.extend(kinds.iter().map(|kind| u64::from(*kind))),
            _ => {}
        }
    }
    if queries.len() > QUERIES_MAX {
        let message = format!("the request has {} queries; {QUERIES_MAX} at most", queries.len());
        return Err(Problem::bad_request("too-many-queries", message));
    }
    if !accepted.is_empty() && !accepted.contains(&0) {
        let problem = Problem::bad_request("unsupported", "streamed chunks are not supported by remote read");
        return Err(problem.hint("accept the response type SAMPLES as well"));
    }
    Ok(queries)
}

fn query(message: &[u8]) -> Result<ReadQuery> {
    let mut query = ReadQuery { start: 0, end: 0, matchers: Vec::new() };
    let time = |number: u64| number.cast_signed().clamp(-TIME_MAX, TIME_MAX);
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(number)) => query.start = time(number),
            (2, Content::Number(number)) => query.end = time(number),
            (3, Content::Bytes(message)) => query.matchers.push(matcher(message)?),
            _ => {}
        }
    }
    Ok(query)
}

fn matcher(message: &[u8]) -> Result<Matcher> {
    let (mut kind, mut name, mut value) = (0, "", "");
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(number)) => kind = number,
            (2, Content::Bytes(bytes)) => name = text(bytes)?,
            (3, Content::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
    }
    let bad = |message: String| Problem::bad_request("bad-matcher", message);
    let operator = usize::try_from(kind).ok().and_then(|kind| OPERATORS.get(kind));
    let operator = operator.ok_or_else(|| bad(format!("there is no matcher of the type {kind}")))?;
    Matcher::new(name, operator, value).map_err(bad)
}

fn text(bytes: &[u8]) -> Result<&str, IngestError> {
    let problem = || "a text is not UTF-8".to_owned();
    std::str::from_utf8(bytes).map_err(|_| IngestError::BadBody { what: WHAT, problem: problem() })
}

/// Writes a response: a result for each query.
pub(super) fn encode(results: &[Vec<ReadSeries>]) -> Vec<u8> {
    let mut out = Vec::new();
    for series in results {
        let mut result = Vec::new();
        for one in series {
            put_bytes(1, &encode_series(one), &mut result);
        }
        put_bytes(1, &result, &mut out);
    }
    out
}

fn encode_series(series: &ReadSeries) -> Vec<u8> {
    // A sample has at most 22 bytes.
    let mut out = Vec::with_capacity(series.floats.len() * 22);
    for label in series.labels.iter() {
        let mut pair = Vec::new();
        put_bytes(1, label.name.as_bytes(), &mut pair);
        put_bytes(2, label.value.as_bytes(), &mut pair);
        put_bytes(1, &pair, &mut out);
    }
    let mut sample = Vec::with_capacity(20);
    for (time, value) in &series.floats {
        sample.clear();
        sample.push(1 << 3 | 1);
        sample.extend(value.to_le_bytes());
        sample.push(2 << 3);
        put_varint(time.cast_unsigned(), &mut sample);
        put_bytes(2, &sample, &mut out);
    }
    for (time, histogram) in &series.histograms {
        put_bytes(4, &native_histogram::write(*time, histogram), &mut out);
    }
    out
}

#[cfg(test)]
mod tests;
