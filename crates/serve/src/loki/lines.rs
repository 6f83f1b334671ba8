//! Events as Loki's streams: label sets, lines, structured metadata.
//!
//! The label set that a Loki sender pushed is the event's log stream, spelled `{app="pay", env="prod"}`: it comes
//! back exactly, without a place of its own in the store. Answers are written piece by piece, as native ones are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::vec::IntoIter;

use query::logql::{LogQuery, Made, STREAM_FIELDS, Shown};
use query::plan::{Expr, Name, Operator, Plan, SortKey};
use query::{Answer, Stats};
use serde_json::{Value as Json, json};
use types::{Run, Timestamp, Value};

use crate::answer::{PIECE_BYTES, write_value};

/// A label set, sorted by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// Most fields of a group whose values come with each line; beyond it the rest stay in the store.
const METADATA_FIELDS_MAX: usize = 500;

/// Columns before the structured metadata: time, line, and the fields that make the labels.
const LEADING: [&str; 2 + LABEL_FIELDS.len()] =
    ["@timestamp", "@message", "@log", "@logStream", "@level", "service_name", "service.name", "service", "host"];

/// Fields that make the labels of a stream, in the order that [`labels`] takes them.
pub(crate) const LABEL_FIELDS: [&str; 7] = STREAM_FIELDS;

/// Which lines are wanted, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Most lines.
    pub(crate) limit: usize,
    /// Oldest first instead of newest first.
    pub(crate) is_forward: bool,
    /// Whether structured metadata stands apart, as a third element of each line.
    pub(crate) is_categorized: bool,
}

/// The plan of a log query with everything that a line shows: its labels, and the fields of `runs`.
pub(crate) fn plan(log: &LogQuery, runs: &[Arc<dyn Run>], wanted: Wanted) -> Plan {
    let mut names: Vec<Name> = LEADING.iter().map(|name| Name::from(*name)).collect();
    // Then what stages make: in an answer with categories apart from the rest, else labels like any other.
    let made = Made::of(&log.shown);
    names.extend(made.columns());
    if wanted.is_categorized {
        let mut fields: Vec<Name> = runs.iter().filter_map(|run| run.field_names().ok()).flatten().collect();
        fields.sort();
        fields.dedup();
        fields.retain(|name| !name.starts_with('@') && !names.contains(name) && log.shown.has(name));
        names.extend(fields.into_iter().take(METADATA_FIELDS_MAX));
    }
    let mut operators = made.operators(log);
    if wanted.is_forward {
        operators.push(Operator::Sort(vec![SortKey { expr: Expr::Field("@timestamp".into()), descending: false }]));
    }
    operators.push(Operator::Limit(wanted.limit as u64));
    finished(log, operators, columns(names))
}

/// The plan of a tail, whose rows are those of a log query without categories.
pub(crate) fn tail_plan(log: &LogQuery) -> Plan {
    let made = Made::of(&log.shown);
    let names = LEADING.iter().map(|name| Name::from(*name)).chain(made.columns()).collect();
    finished(log, made.operators(log), columns(names))
}

fn columns(names: Vec<Name>) -> Vec<(Name, Expr)> {
    names.into_iter().map(|name| (name.clone(), Expr::Field(name))).collect()
}

/// A plan of `operators` over the groups of `log` that shows `columns`.
pub(crate) fn finished(log: &LogQuery, mut operators: Vec<Operator>, columns: Vec<(Name, Expr)>) -> Plan {
    let is_events = !operators.iter().any(|operator| matches!(operator, Operator::Aggregate { .. }));
    operators.push(Operator::Project { columns, is_events });
    Plan { sources: log.sources.clone(), operators, ..Plan::default() }
}

/// The labels of an event, given the values of [`LABEL_FIELDS`].
pub(crate) fn labels(values: &[Option<Value>]) -> Labels {
    let text = |at: usize| values.get(at).and_then(Option::as_ref).map(Value::to_string).filter(|t| !t.is_empty());
    let mut labels = Labels::new();
    let stream = text(1).unwrap_or_default();
    match parse_label_set(&stream) {
        Some(pushed) => labels.extend(pushed),
        None if !stream.is_empty() => _ = labels.insert("stream".into(), stream),
        None => {}
    }
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            labels.entry(name.into()).or_insert(value);
        }
    };
    add("group", text(0));
    add("level", text(2));
    add("detected_level", text(2));
    add("service_name", text(3).or_else(|| text(4)).or_else(|| text(5)));
    add("host", text(6));
    labels
}

/// Reads the label set that names a stream; `None` for the name of any other stream.
pub(crate) fn parse_label_set(text: &str) -> Option<Labels> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
        labels.insert(name.trim().to_owned(), values.next()?.ok()?);
        rest = value[values.byte_offset()..].trim_start_matches([',', ' ']);
    }
    Some(labels)
}

/// One stream of an answer.
struct Stream {
    labels: Labels,
    rows: Vec<Vec<Option<Value>>>,
}

/// The answer of a log query as Loki's envelope, in pieces.
pub(crate) fn pieces(answer: Answer, wanted: Wanted, shown: &Shown) -> impl Iterator<Item = String> + Send + use<> {
    let names: Vec<String> = answer.columns.iter().map(|column| column.name.clone()).collect();
    let n_lines = answer.rows.len();
    let stats = summary(&answer.stats, n_lines);
    let flags = if wanted.is_categorized { "\"encodingFlags\":[\"categorize-labels\"]," } else { "" };
    let head = format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"streams\",{flags}\"result\":[");
    let tail = format!("],\"stats\":{stats}}}}}");
    let made = Made::of(shown);
    let streams = streams(answer.rows, shown, (!wanted.is_categorized).then_some(&made)).into_iter();
    let body = Body { names, made, wanted, streams, labels: Labels::new(), current: None, n_streams: 0 };
    std::iter::once(head).chain(body).chain(std::iter::once(tail))
}

/// Rows by label set, each stream at the place of its first line.
fn streams(rows: Vec<Vec<Option<Value>>>, shown: &Shown, made: Option<&Made>) -> Vec<Stream> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut streams: Vec<Stream> = Vec::new();
    for row in rows {
        let labels = labels_of(&row, shown, made);
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            streams.push(Stream { labels: labels.clone(), rows: Vec::new() });
            streams.len() - 1
        });
        streams[place].rows.push(row);
    }
    streams
}

/// The labels of a row, with those that stages made where they do not stand apart.
fn labels_of(row: &[Option<Value>], shown: &Shown, made: Option<&Made>) -> Labels {
    let mut labels = labels(row.get(2..LEADING.len()).unwrap_or_default());
    labels.retain(|name, _| shown.has(name));
    if let Some(made) = made {
        let parsed = made.labels(row.get(LEADING.len()..).unwrap_or_default(), &labels);
        labels.extend(parsed);
    }
    labels
}

/// Rows of [`tail_plan`] as streams of a tail's frame, in their order: rows in a row that share their labels are one.
pub(crate) fn tail_streams(rows: &[Vec<Option<Value>>], shown: &Shown) -> String {
    let (made, mut out) = (Made::of(shown), String::new());
    let mut current: Option<Labels> = None;
    for row in rows {
        let labels = labels_of(row, shown, Some(&made));
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

/// The time of a row.
pub(crate) fn time_of(row: &[Option<Value>]) -> Timestamp {
    match row.first() {
        Some(Some(Value::Timestamp(instant))) => *instant,
        _ => Timestamp(0),
    }
}

/// Writes streams one line at a time.
struct Body {
    names: Vec<String>,
    made: Made,
    wanted: Wanted,
    streams: IntoIter<Stream>,
    /// Labels of the stream that is written.
    labels: Labels,
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
            self.labels = stream.labels;
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
            let columns = row.get(LEADING.len()..).unwrap_or_default();
            let n_made = self.made.n_columns().min(columns.len());
            let parsed = self.made.labels(columns, &self.labels);
            let metadata = self.names[LEADING.len() + n_made..].iter().zip(&columns[n_made..]);
            out.push_str(",{\"structuredMetadata\":");
            // The field that the line was taken from is the line; it is not shown twice, and nor is what was parsed.
            let is_new = |name: &str| parsed.iter().all(|(known, _)| known != name);
            write_members(metadata.filter(|(name, value)| value.as_ref() != message && is_new(name)), out);
            out.push_str(",\"parsed\":");
            out.push_str(
                &Json::Object(parsed.into_iter().map(|(name, value)| (name, value.into())).collect()).to_string(),
            );
            out.push('}');
        }
        out.push(']');
    }
}

/// An object of texts, of the values that are there.
fn write_members<'a>(members: impl Iterator<Item = (&'a String, &'a Option<Value>)>, out: &mut String) {
    out.push('{');
    let present = members.filter_map(|(name, value)| Some((name, value.as_ref()?)));
    for (index, (name, value)) in present.enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        write_value(Some(&Value::text(name.as_str())), out);
        out.push(':');
        write_value(Some(&Value::text(value.to_string())), out);
    }
    out.push('}');
}

/// Statistics as Grafana shows them.
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

/// Puts small texts together into pieces worth sending.
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
mod tests {
    use super::*;

    #[test]
    fn a_pushed_label_set_comes_back_from_the_stream_that_it_names() {
        let labels: Labels = [("app", "pay"), ("quote", "a\"b, c=\"}")].map(|(k, v)| (k.into(), v.into())).into();
        assert_eq!(parse_label_set(r#"{app="pay", quote="a\"b, c=\"}"}"#), Some(labels));
        assert_eq!(parse_label_set("{}"), Some(Labels::new()));
        assert_eq!(parse_label_set("web-1:/var/log/syslog"), None);
        assert_eq!(parse_label_set("{x"), None);
        assert_eq!(parse_label_set("{x=1}"), None);
    }

    #[test]
    fn labels_are_those_of_the_event_and_those_pushed() {
        let text = |text: &str| Some(Value::text(text));
        let check = |stream: &str| labels(&[text("g"), text(stream), text("error"), None, None, text("pay"), None]);
        let own = check("host:/var/log/x");
        assert_eq!(own.get("stream").map(String::as_str), Some("host:/var/log/x"));
        assert_eq!(own.get("service_name").map(String::as_str), Some("pay"));
        let pushed = check(r#"{level="warning", app="a"}"#);
        assert_eq!(pushed.get("level").map(String::as_str), Some("warning"));
        assert_eq!(pushed.get("app").map(String::as_str), Some("a"));
        assert_eq!(pushed.get("stream"), None);
    }
}
