//! `detected_labels` and `detected_fields`: the labels and fields that Explore and Drilldown offer.
//!
//! Fields are those of the newest lines that a query matches: structured metadata, labels from the query's parsers, and the
//! members that a JSON or logfmt parser finds in the line. Labels of streams are not fields.

mod kind;
mod line;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::kind::{kind, listed};
use super::labels::{check_selector, with_sets};
use super::lines::{self, LABEL_FIELDS, Labels, LineRequest};
use super::{select, times};
use crate::problem::in_time;
use crate::state::Call;
use door::{Outcome, Parameters, Problem, Reply, Result, Scope};

/// Default number of fields, or of values of one, as in Loki.
const FIELDS_DEFAULT: usize = 1_000;

/// Labels that are listed regardless of their values.
const KNOWN_LABELS: [&str; 4] = ["cluster", "namespace", "instance", "pod"];

/// Answers with the labels of the streams that a selector matches, each with its number of values. Labels whose values are
/// all numbers or UUIDs are left out, as in Loki.
pub(crate) fn labels(call: Call) -> Outcome {
    check_selector(&call.parameters)?;
    with_sets(&call, &["query"], &LABEL_FIELDS, |sets| {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in sets.iter().flatten() {
            values.entry(name).or_default().insert(value);
        }
        values.retain(|name, values| KNOWN_LABELS.contains(name) || !are_ids(values));
        let found = values.iter().map(|(name, values)| json!({"label": name, "cardinality": values.len()}));
        let found: Vec<Value> = found.collect();
        if found.is_empty() { json!({}) } else { json!({"detectedLabels": found}) }
    })
}

/// Reports whether all values are numbers or UUIDs. The values 0 and 1 alone are a switch.
fn are_ids(values: &BTreeSet<&str>) -> bool {
    let is_switch = values.len() <= 2 && values.iter().all(|value| matches!(*value, "0" | "1"));
    let is_id = |value: &&str| value.parse::<f64>().is_ok() || uuid_digits(value);
    !is_switch && values.iter().all(is_id)
}

/// Reports whether a text has the form of a UUID.
fn uuid_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Answers with the fields of the newest lines that a query matches.
pub(crate) fn fields(call: Call) -> Outcome {
    let limit = limit_of(&call.parameters)?;
    with_entries(&call, move |entries| fields_json(&entries, limit))
}

fn fields_json(entries: &[Entry], limit: usize) -> Value {
    let mut found: BTreeMap<String, DetectedField> = BTreeMap::new();
    for entry in entries {
        for (name, value) in &entry.metadata {
            note(&mut found, limit, name, value);
        }
        let (of_line, parser) = line::fields(&entry.line, &entry.labels);
        for (name, value) in &entry.parsed {
            note(&mut found, limit, name, value).into_iter().for_each(|field| _ = field.parsers.insert(parser));
        }
        for field in of_line {
            if let Some(known) = note(&mut found, limit, &field.name, &field.value) {
                known.parsers.insert(parser);
                if !field.path.is_empty() {
                    known.path = field.path;
                }
            }
        }
    }
    let fields: Vec<Value> = found.iter().map(|(name, field)| field.shown(name)).collect();
    if fields.is_empty() { json!({}) } else { json!({"fields": fields, "limit": limit}) }
}

/// Answers with the values of one field.
pub(crate) fn values(mut call: Call) -> Outcome {
    let (limit, name) = (limit_of(&call.parameters)?, call.variable());
    with_entries(&call, move |entries| {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for entry in entries {
            if found.len() >= limit {
                break;
            }
            found.extend(entry.metadata.get(&name).cloned());
            let (of_line, _) = line::fields(&entry.line, &entry.labels);
            let of_line = of_line.into_iter().filter(|field| field.name == name).map(|field| field.value);
            found.extend(of_line.chain(entry.parsed.get(&name).cloned()).map(|value| listed(&value)));
        }
        if found.is_empty() { json!({}) } else { json!({"values": found, "limit": limit}) }
    })
}

/// A detected field.
#[derive(Default)]
struct DetectedField {
    values: BTreeSet<String>,
    /// The type of the value that was read last.
    kind: &'static str,
    parsers: BTreeSet<&'static str>,
    path: Vec<String>,
}

impl DetectedField {
    fn shown(&self, name: &str) -> Value {
        let parsers = if self.parsers.is_empty() { Value::Null } else { json!(self.parsers) };
        let mut field = json!({"label": name, "type": self.kind, "cardinality": self.values.len(), "parsers": parsers});
        if !self.path.is_empty() {
            field["jsonPath"] = json!(self.path);
        }
        field
    }
}

/// Records a value of a field, unless the field is new and there are `limit` fields already.
fn note<'f>(
    found: &'f mut BTreeMap<String, DetectedField>,
    limit: usize,
    name: &str,
    value: &str,
) -> Option<&'f mut DetectedField> {
    if !found.contains_key(name) && found.len() >= limit {
        return None;
    }
    let field = found.entry(name.to_owned()).or_default();
    field.values.insert(value.to_owned());
    field.kind = kind(value);
    Some(field)
}

fn limit_of(parameters: &Parameters) -> Result<usize> {
    let limit = match parameters.number::<i64>("limit")? {
        None => parameters.number::<i64>("field_limit")?,
        limit => limit,
    };
    match limit {
        None => Ok(FIELDS_DEFAULT),
        Some(limit) => usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(select::bad_limit),
    }
}

/// A line in the answer of a query with categories.
struct Entry {
    labels: Labels,
    line: String,
    metadata: Labels,
    parsed: Labels,
}

/// Answers with what `shown` makes of the newest lines that the query in the parameters matches.
fn with_entries(call: &Call, shown: impl FnOnce(Vec<Entry>) -> Value + Send + 'static) -> Outcome {
    let (range, now) = (times::range(&call.parameters, call.server.now())?, call.server.now());
    let text = call.parameters.get("query").unwrap_or_default();
    let (log, limit) = (select::selector(text)?, select::limit(&call.parameters, "line_limit")?);
    let wanted = LineRequest { limit, is_forward: false, is_categorized: true };
    Ok(Reply::query(&call.server, text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let snapshot = reading.snapshot(&scope.groups, range);
        let plan = lines::plan(&log, &snapshot.runs, wanted);
        let answer = in_time(reading.execute_on(&snapshot, &plan, &scope, range)?)?;
        let answer: Value = serde_json::from_str(&lines::pieces(answer, wanted).collect::<String>())
            .map_err(|error| Problem::internal(format!("the lines of a query are not JSON: {error}")))?;
        let streams = answer["data"]["result"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Reply::json(&shown(streams.iter().flat_map(entries_of).collect())))
    }))
}

fn entries_of(stream: &Value) -> Vec<Entry> {
    let labels = members(&stream["stream"]);
    let entry = |value: &Value| {
        let mut metadata = members(&value[2]["structuredMetadata"]);
        metadata.retain(|name, _| !labels.contains_key(name));
        Entry {
            labels: labels.clone(),
            line: value[1].as_str().unwrap_or_default().to_owned(),
            metadata,
            parsed: members(&value[2]["parsed"]),
        }
    };
    stream["values"].as_array().into_iter().flatten().map(entry).collect()
}

/// Returns the texts of an object, except errors of parsers.
fn members(object: &Value) -> Labels {
    let members = object.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("__error"));
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests;
