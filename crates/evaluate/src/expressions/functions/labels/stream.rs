//! Labels of events before any stage: those of their stream and their metadata.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use plan::label_set::{DETECTED_LEVEL, Labels, PushedMetadata, labels_of_stream, metadata_name};
use plan::{Expr, LabelSet};
use types::{Column, MISSING_CODE, Value};

use super::distinct::Distinct;
use crate::columns::cell::Cell;
use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::functions::output::{FunctionOutput, rows};

/// Label sets that are held once each; where a block has more, they hardly repeat.
const REPEATED_MAX: usize = 1_000;

/// The level of a line that no sender said and nothing in the line says.
const LEVEL_UNKNOWN: &str = "unknown";

/// Returns the field that holds the value of metadata; no one forges system fields.
fn field_of(sent: &str) -> Cow<'_, str> {
    sent.strip_prefix('@').map_or(Cow::Borrowed(sent), |bare| Cow::Owned(format!("_{bare}")))
}

/// What a label is for the events of a stream with the same `@loki`.
#[derive(Clone, Debug)]
enum Source {
    Nothing,
    Text(u32),
    Field(usize),
    /// What it is for events that no Loki sender pushed.
    Other,
}

/// Returns a label of events before any stage.
pub(super) fn base(
    name: &str,
    [stream, metadata, other]: [&Expr; 3],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    let (streams, metadata) = (env.evaluate(stream, frame)?, env.evaluate(metadata, frame)?);
    let (streams, metadata) = (Distinct::of(&streams), Distinct::of(&metadata));
    let labels = streams.each(|text| text.and_then(labels_of_stream));
    let pushed = metadata.each(|text| text.and_then(PushedMetadata::read));
    let (mut texts, mut fields): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    let mut known: HashMap<(usize, usize), Source> = HashMap::new();
    let mut source_of = |labels: Option<&Labels>, pushed: Option<&PushedMetadata>| {
        let mut text = |value: &str| {
            texts.push(Value::text(value));
            Source::Text(texts.len() as u32 - 1)
        };
        let Some(labels) = labels else { return Source::Other };
        if let Some(value) = labels.get(name) {
            return text(value);
        }
        let Some(pushed) = pushed else { return Source::Other };
        let is_asked = |sent: &str| {
            let known = metadata_name(sent);
            if labels.contains_key(&*known) {
                name.strip_suffix("_extracted") == Some(&*known)
            } else {
                *known == *name
            }
        };
        match pushed.pairs.iter().rfind(|(sent, _)| is_asked(sent)) {
            Some((_, Some(value))) => text(value),
            Some((sent, None)) => {
                fields.push(field_of(sent).into_owned());
                Source::Field(fields.len() - 1)
            }
            None if name == DETECTED_LEVEL => text(&pushed.level),
            None => Source::Nothing,
        }
    };
    let n_rows = frame.n_rows();
    let sources: Vec<Source> = (0..n_rows)
        .map(|row| {
            let key = (streams.place(row), metadata.place(row));
            known.entry(key).or_insert_with(|| source_of(labels[key.0].as_ref(), pushed[key.1].as_ref())).clone()
        })
        .collect();
    if sources.iter().all(|source| matches!(source, Source::Nothing | Source::Text(_))) {
        let code = |source: &Source| if let Source::Text(code) = source { *code } else { MISSING_CODE };
        let codes = sources.iter().map(code).collect();
        return Ok((Arc::new(Column::Dictionary { codes, values: Arc::new(texts) }), None));
    }
    let others = match sources.iter().any(|source| matches!(source, Source::Other)) {
        true => env.evaluate(other, frame)?,
        false => Arc::new(Column::Missing { n_rows }),
    };
    if sources.iter().all(|source| matches!(source, Source::Other)) {
        return Ok((others, None));
    }
    let columns: Vec<Arc<Column>> = fields.iter().map(|field| frame.column(field)).collect::<Result<_, _>>()?;
    rows(n_rows, env, |row| match &sources[row] {
        Source::Nothing => None,
        Source::Text(code) => Some(texts[*code as usize].clone()),
        Source::Field(place) => columns[*place].value(row),
        Source::Other => others.value(row),
    })
}

/// Label sets of events before any stage.
pub(super) fn begin(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<FunctionOutput> {
    let columns: Vec<Arc<Column>> =
        arguments.iter().map(|argument| env.evaluate(argument, frame)).collect::<Result<_>>()?;
    let (streams, metadata) = (Distinct::of(&columns[0]), Distinct::of(&columns[1]));
    let labels = streams.each(|text| text.and_then(labels_of_stream));
    let pushed = metadata.each(|text| text.and_then(PushedMetadata::read));
    let mut fields: HashMap<String, Arc<Column>> = HashMap::new();
    for sent in pushed.iter().flatten().flat_map(|pushed| &pushed.pairs).filter(|pair| pair.1.is_none()) {
        if !fields.contains_key(&sent.0) {
            fields.insert(sent.0.clone(), frame.column(&field_of(&sent.0))?);
        }
    }
    let mut known: HashMap<(usize, usize), Value> = HashMap::new();
    if let Some(column) = repeated(&streams, &metadata, &labels, &pushed) {
        return Ok((Arc::new(column), None));
    }
    rows(frame.n_rows(), env, |row| {
        let key = (streams.place(row), metadata.place(row));
        let Some(labels) = &labels[key.0] else {
            let stream = streams.text(streams.codes[row]).unwrap_or_default();
            return Some(Value::text(unpushed(stream, &columns[2..], row).write()));
        };
        if let Some(value) = known.get(&key) {
            return Some(value.clone());
        }
        let pushed = pushed[key.1].as_ref();
        let mut set = LabelSet::new(pushed.is_none());
        labels.iter().for_each(|(name, value)| set.add_stream(name.as_str(), value.as_str()));
        let mut is_of_row = pushed.is_none();
        for (sent, value) in pushed.iter().flat_map(|pushed| &pushed.pairs) {
            let value = match value {
                Some(value) => Some(value.clone()),
                None => {
                    is_of_row = true;
                    fields.get(sent).and_then(|column| Some(Cell::at(column, row).text()?.into_owned()))
                }
            };
            if let Some(value) = value {
                set.add_metadata(metadata_name(sent), value);
            }
        }
        if set.get(DETECTED_LEVEL).is_none() {
            let level = match pushed {
                Some(pushed) => pushed.level.clone(),
                None => Cell::at(&columns[5], row).text().map_or_else(|| LEVEL_UNKNOWN.to_owned(), Cow::into_owned),
            };
            set.add_metadata(DETECTED_LEVEL, level);
        }
        let value = Value::text(set.write());
        if !is_of_row {
            known.insert(key, value.clone());
        }
        Some(value)
    })
}

/// Label sets of pushed lines that nothing of the single line is in, each of them once; `None` where there are others.
fn repeated(
    streams: &Distinct,
    metadata: &Distinct,
    labels: &[Option<Labels>],
    pushed: &[Option<PushedMetadata>],
) -> Option<Column> {
    let (mut codes, mut sets) = (Vec::with_capacity(streams.codes.len()), Vec::new());
    let mut known: HashMap<(usize, usize), u32> = HashMap::new();
    for row in 0..streams.codes.len() {
        let key = (streams.place(row), metadata.place(row));
        if let Some(code) = known.get(&key) {
            codes.push(*code);
            continue;
        }
        let (labels, pushed) = (labels[key.0].as_ref()?, pushed[key.1].as_ref()?);
        if pushed.pairs.iter().any(|(_, value)| value.is_none()) || sets.len() >= REPEATED_MAX {
            return None;
        }
        let mut set = LabelSet::new(false);
        labels.iter().for_each(|(name, value)| set.add_stream(name.as_str(), value.as_str()));
        for (sent, value) in &pushed.pairs {
            set.add_metadata(metadata_name(sent), value.clone().unwrap_or_default());
        }
        if set.get(DETECTED_LEVEL).is_none() {
            set.add_metadata(DETECTED_LEVEL, pushed.level.clone());
        }
        known.insert(key, sets.len() as u32);
        codes.push(sets.len() as u32);
        sets.push(Value::text(set.write()));
    }
    Some(Column::Dictionary { codes, values: Arc::new(sets) })
}

/// Returns the labels of an event that no Loki sender pushed, given its group, host, service and level.
fn unpushed(stream: &str, columns: &[Arc<Column>], row: usize) -> LabelSet<'static> {
    let mut set = LabelSet::new(true);
    let text = |at: usize| columns.get(at).and_then(|column| Some(Cell::at(column, row).text()?.into_owned()));
    let labels =
        [("group", text(0)), ("filename", Some(stream.to_owned())), ("host", text(1)), ("service_name", text(2))];
    for (name, value) in labels {
        set.add_stream(name, value.unwrap_or_default());
    }
    if let Some(level) = text(3) {
        set.add_metadata(DETECTED_LEVEL, level);
    }
    set
}
