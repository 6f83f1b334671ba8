//! Events as Loki's streams: label sets, lines, structured metadata.
//!
//! The label set that a Loki agent pushed is the event's log stream, written `{app="pay", env="prod"}`, so that it is
//! returned exactly. Answers are written piece by piece.

use std::collections::HashMap;
use std::sync::Arc;
use std::vec::IntoIter;

use execute::{Answer, Stats};
use language::logql::{LogQuery, STREAM_FIELDS, forward};
pub(crate) use plan::label_set::Labels;
use plan::label_set::{Categories, labels_of_stream, metadata_name};
use plan::{Expr, LabelSet, Name, Operator, Plan, PlanDraft};
use serde_json::{Value as Json, json};
use types::{Run, Timestamp, Value};

use door::{PIECE_BYTES, write_value};

/// Limit on the fields of a group whose values a line contains.
const METADATA_FIELDS_MAX: usize = 500;

/// The column with the label set of a line.
const SET: &str = "#set";

/// Columns before the fields: time, line, label set.
const LEADING: [&str; 3] = ["@timestamp", "@message", SET];

/// Fields that become the labels of a stream, in the order of [`labels`].
pub(crate) const LABEL_FIELDS: [&str; 7] = STREAM_FIELDS;

/// A request for lines: their limit, order and form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineRequest {
    /// Limit on the lines.
    pub(crate) limit: usize,
    /// Oldest first instead of newest first.
    pub(crate) is_forward: bool,
    /// Whether structured metadata is a third element of each line.
    pub(crate) is_categorized: bool,
}

/// Returns the plan of a log query with all columns of a line: its labels and the fields of `runs`.
pub(crate) fn plan(log: &LogQuery, runs: &[Arc<dyn Run>], wanted: LineRequest) -> Plan {
    let mut names: Vec<Name> = LEADING.iter().map(|name| Name::from(*name)).collect();
    if wanted.is_categorized {
        // The fields of events from other senders are metadata.
        let mut fields: Vec<Name> = runs.iter().filter_map(|run| run.field_names().ok()).flatten().collect();
        fields.sort();
        fields.dedup();
        fields.retain(|name| !name.starts_with('@') && !LABEL_FIELDS.contains(&&**name));
        names.extend(fields.into_iter().take(METADATA_FIELDS_MAX));
    }
    let mut operators = with_label_set(log);
    if wanted.is_forward {
        operators.push(forward());
    }
    operators.push(Operator::Limit(wanted.limit as u64));
    finished(log, operators, columns(names))
}

/// Returns the plan of a tail, whose rows are those of a log query without categories.
pub(crate) fn tail_plan(log: &LogQuery) -> Plan {
    let names = LEADING.iter().map(|name| Name::from(*name)).collect();
    finished(log, with_label_set(log), columns(names))
}

/// Returns the operators of a query, and the one that computes label sets.
fn with_label_set(log: &LogQuery) -> Vec<Operator> {
    let mut operators = log.operators.clone();
    // A tail keeps its limit at the end.
    let behind = operators.iter().rposition(|operator| !matches!(operator, Operator::Limit(_))).map_or(0, |at| at + 1);
    operators.insert(behind, Operator::Extend { name: SET.into(), expr: log.shown.label_set() });
    operators
}

fn columns(names: Vec<Name>) -> Vec<(Name, Expr)> {
    names.into_iter().map(|name| (name.clone(), Expr::Field(name))).collect()
}

/// Returns a plan of `operators` over the groups of `log` with `columns`.
pub(crate) fn finished(log: &LogQuery, mut operators: Vec<Operator>, columns: Vec<(Name, Expr)>) -> Plan {
    let is_events = !operators.iter().any(|operator| matches!(operator, Operator::Aggregate { .. }));
    operators.push(Operator::Project { columns, is_events });
    PlanDraft { sources: log.sources.clone(), operators, ..PlanDraft::default() }.finish()
}

/// Returns the labels of the stream of an event, given the values of [`LABEL_FIELDS`].
pub(crate) fn labels(values: &[Option<Value>]) -> Labels {
    let text = |at: usize| values.get(at).and_then(Option::as_ref).map(Value::to_string).filter(|t| !t.is_empty());
    let stream = text(1).unwrap_or_default();
    if let Some(pushed) = labels_of_stream(&stream) {
        return pushed;
    }
    let service = text(3).or_else(|| text(4)).or_else(|| text(5));
    let labels = [("group", text(0)), ("filename", Some(stream)), ("service_name", service), ("host", text(6))];
    labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.filter(|v| !v.is_empty())?))).collect()
}

/// One stream of an answer.
struct Stream {
    labels: Labels,
    rows: Vec<Vec<Option<Value>>>,
}

/// Returns the answer to a log query in Loki's envelope, in pieces.
pub(crate) fn pieces(answer: Answer, wanted: LineRequest) -> impl Iterator<Item = String> + Send + use<> {
    let names: Vec<String> = answer.columns.iter().map(|column| column.name.clone()).collect();
    let n_lines = answer.rows.len();
    let stats = summary(&answer.stats, n_lines);
    let flags = if wanted.is_categorized { "\"encodingFlags\":[\"categorize-labels\"]," } else { "" };
    let head = format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"streams\",{flags}\"result\":[");
    let tail = format!("],\"stats\":{stats}}}}}");
    let streams = streams(answer.rows, wanted).into_iter();
    let body = Body { names, wanted, streams, current: None, n_streams: 0 };
    std::iter::once(head).chain(body).chain(std::iter::once(tail))
}

/// Groups rows by label set, in the order of the first line of each stream.
fn streams(rows: Vec<Vec<Option<Value>>>, wanted: LineRequest) -> Vec<Stream> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut streams: Vec<Stream> = Vec::new();
    for row in rows {
        let Categories { stream: mut labels, metadata, parsed } = LabelSet::read(set_of(&row)).categories();
        if !wanted.is_categorized {
            labels.extend(metadata);
            labels.extend(parsed);
        }
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            streams.push(Stream { labels: labels.clone(), rows: Vec::new() });
            streams.len() - 1
        });
        streams[place].rows.push(row);
    }
    streams
}

/// Returns the text of the label set of a row.
fn set_of(row: &[Option<Value>]) -> &str {
    match row.get(2) {
        Some(Some(Value::String(text))) => text,
        _ => "",
    }
}

/// Returns rows of [`tail_plan`] as streams of a tail's frame, in their order; consecutive rows with equal labels are one.
pub(crate) fn tail_streams(rows: &[Vec<Option<Value>>]) -> String {
    let mut out = String::new();
    let mut current: Option<Labels> = None;
    for row in rows {
        let labels = LabelSet::read(set_of(row)).labels();
        if current.as_ref() == Some(&labels) {
            out.push(',');
        } else {
            out.push_str(if current.is_some() { "]}," } else { "" });
            out.push_str(&format!("{{\"stream\":{},\"values\":[", json!(labels)));
            current = Some(labels);
        }
        out.push_str(&format!("[\"{}\",", time_of(row).0));
        write_value(Some(row.get(1).and_then(Option::as_ref).unwrap_or(&Value::text(""))), &mut out);
        out.push(']');
    }
    out.push_str(if current.is_some() { "]}" } else { "" });
    out
}

/// Returns the time of a row.
pub(crate) fn time_of(row: &[Option<Value>]) -> Timestamp {
    match row.first() {
        Some(Some(Value::Timestamp(instant))) => *instant,
        _ => Timestamp(0),
    }
}

/// Writes streams one line at a time.
struct Body {
    names: Vec<String>,
    wanted: LineRequest,
    streams: IntoIter<Stream>,
    current: Option<IntoIter<Vec<Option<Value>>>>,
    n_streams: usize,
}

impl Iterator for Body {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut out = String::new();
        if self.current.is_none() {
            let stream = self.streams.next()?;
            out.push_str(if self.n_streams > 0 { "," } else { "" });
            out.push_str(&format!("{{\"stream\":{},\"values\":[", json!(stream.labels)));
            self.n_streams += 1;
            let mut rows = stream.rows.into_iter();
            if let Some(row) = rows.next() {
                self.write_line(&row, &mut out);
            }
            self.current = Some(rows);
            return Some(out);
        }
        match self.current.as_mut().and_then(Iterator::next) {
            Some(row) => {
                out.push(',');
                self.write_line(&row, &mut out);
            }
            None => {
                out.push_str("]}");
                self.current = None;
            }
        }
        Some(out)
    }
}

impl Body {
    fn write_line(&self, row: &[Option<Value>], out: &mut String) {
        out.push_str(&format!("[\"{}\",", time_of(row).0));
        let message = row.get(1).and_then(Option::as_ref);
        write_value(Some(message.unwrap_or(&Value::text(""))), out);
        if self.wanted.is_categorized {
            let set = LabelSet::read(set_of(row));
            let Categories { mut metadata, parsed, .. } = set.categories();
            let fields = self.names.iter().zip(row).skip(LEADING.len());
            // The field that contains the line is not shown again.
            for (name, value) in fields.filter(|(_, value)| value.as_ref() != message) {
                let name = metadata_name(name);
                if let Some(value) = value.as_ref().filter(|_| set.admits_field(&name)) {
                    metadata.insert(name.into_owned(), value.to_string());
                }
            }
            let mut categories = serde_json::Map::new();
            for (name, labels) in [("structuredMetadata", metadata), ("parsed", parsed)] {
                if !labels.is_empty() {
                    categories.insert(name.to_owned(), json!(labels));
                }
            }
            out.push(',');
            out.push_str(&Json::Object(categories).to_string());
        }
        out.push(']');
    }
}

/// Returns statistics in the form that Grafana shows.
pub(crate) fn summary(stats: &Stats, n_lines: usize) -> Json {
    let seconds = stats.elapsed_ms / 1000.0;
    let per_second = |count: u64| if seconds > 0.0 { (count as f64 / seconds) as u64 } else { 0 };
    json!({"summary": {
        "bytesProcessedPerSecond": per_second(stats.bytes_read),
        "linesProcessedPerSecond": per_second(stats.events_scanned),
        "totalBytesProcessed": stats.bytes_read, "totalLinesProcessed": stats.events_scanned,
        "totalEntriesReturned": n_lines, "execTime": seconds, "queueTime": 0.0, "subqueries": 0,
    }})
}

/// Joins small texts into pieces of a suitable size.
pub(crate) fn gathered(texts: impl Iterator<Item = String> + Send + 'static) -> impl Iterator<Item = String> + Send {
    let mut texts = texts;
    std::iter::from_fn(move || {
        let mut piece = texts.next()?;
        while piece.len() < PIECE_BYTES
            && let Some(text) = texts.next()
        {
            piece.push_str(&text);
        }
        Some(piece)
    })
}

#[cfg(test)]
mod tests;
