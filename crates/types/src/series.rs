//! Series of samples: their labels, and the fields of events that follow from them.
//!
//! A sample is an event whose stream is the canonical text of its labels, `{"__name__":"up","job":"node"}`: a JSON object in order of
//! name. Everything else that people read of it, except time and value, follows from the stream, so a [`Batch`](crate::Batch) of
//! samples has each series once ([`Batch::series`](crate::Batch::series)) and no column of a label.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Column, MISSING_CODE, RowSet, Strings, Value};

/// Label that holds the name of a metric.
pub const METRIC_NAME: &str = "__name__";

/// The value of `@type` of a sample.
pub const SAMPLE_TYPE: &str = "sample";

/// The field that says what an event is.
const TYPE_FIELD: &str = "@type";

/// The field that has the number of a sample.
pub const VALUE_FIELD: &str = "value";

/// The field that has the native histogram of a sample, as text.
pub const HISTOGRAM_FIELD: &str = "histogram";

/// Returns the field that has a label.
pub fn field_of_label(label: &str) -> Cow<'_, str> {
    match label {
        METRIC_NAME => Cow::Borrowed("name"),
        "name" | VALUE_FIELD | HISTOGRAM_FIELD => Cow::Owned(format!("label.{label}")),
        _ if label.starts_with("label.") || label.starts_with('@') => Cow::Owned(format!("label.{label}")),
        _ => Cow::Borrowed(label),
    }
}

/// Returns the column of a label where samples are rows: one whose name is that of the time or the value is called as its field.
pub fn column_of_label(label: &str) -> Cow<'_, str> {
    // A label that is called so already gives way too, so that no two labels have one column.
    let is_taken = matches!(label, "@timestamp" | VALUE_FIELD) || label.starts_with("label.");
    if is_taken { field_of_label(label) } else { Cow::Borrowed(label) }
}

/// Bytes of a series besides fields and texts, and of a text besides its letters.
const SERIES_BYTES: usize = 144;
const TEXT_BYTES: usize = 24;

thread_local! {
    static LAST_FIELDS: RefCell<LastFields> = RefCell::default();
}

/// Length of a text up to which the next series may share it: what a thread remembers stays small.
const SHARED_BYTES_MAX: usize = 256;

/// Fields of the series that a thread made last, in the order of its labels: the next one has most of its texts, and shares them.
#[derive(Default)]
struct LastFields(Vec<(Arc<str>, Arc<str>)>);

impl LastFields {
    /// Returns the field with these texts, which becomes the last one at its place; adds the bytes of texts that are new.
    fn field(&mut self, place: usize, name: &str, value: &str, n_new_bytes: &mut usize) -> (Arc<str>, Arc<str>) {
        if place == self.0.len() {
            self.0.push(Default::default());
        }
        let (last_name, last_value) = &mut self.0[place];
        let mut shared = |last: &mut Arc<str>, text: &str| {
            if **last == *text {
                return last.clone();
            }
            *n_new_bytes += text.len() + TEXT_BYTES;
            let new: Arc<str> = text.into();
            if text.len() <= SHARED_BYTES_MAX {
                *last = new.clone();
            }
            new
        };
        (shared(last_name, name), shared(last_value, value))
    }
}

/// What all samples of a series have in common.
#[derive(Debug)]
pub struct Series {
    stream: Arc<str>,
    message: Arc<str>,
    /// Fields and their texts, in order of name.
    fields: Vec<(Arc<str>, Arc<str>)>,
    /// Whether message and fields follow from the stream.
    is_of_labels: bool,
    memory_bytes: usize,
    /// Whether a cache has it, which counts its memory.
    is_cached: AtomicBool,
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) && self.is_of_labels == other.is_of_labels
    }
}

impl Eq for Series {}

impl Series {
    /// Returns the series of a canonical text; `None` if it is none.
    pub fn of_labels(stream: &str) -> Option<Self> {
        let labels = label_texts(stream)?;
        labels.iter().find(|(name, _)| *name == METRIC_NAME)?;
        let mut fields: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(labels.len() + 1);
        let (mut message, mut n_own_bytes) = (None, 0);
        LAST_FIELDS.with_borrow_mut(|last| {
            fields.push(last.field(0, TYPE_FIELD, SAMPLE_TYPE, &mut n_own_bytes));
            for (name, value) in &labels {
                let field = last.field(fields.len(), &field_of_label(name), value, &mut n_own_bytes);
                if *name == METRIC_NAME {
                    message = Some(field.1.clone());
                }
                fields.push(field);
            }
        });
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        let is_unique = fields.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let memory_bytes = stream.len() + n_own_bytes + size_of_val(&fields[..]) + SERIES_BYTES;
        let message = message.filter(|_| is_unique)?;
        let is_cached = AtomicBool::new(false);
        Some(Self { stream: stream.into(), message, fields, is_of_labels: true, memory_bytes, is_cached })
    }

    /// Returns a series as it was stored; `fields` are in order of name.
    pub fn stored(stream: Arc<str>, message: Arc<str>, fields: Vec<(Arc<str>, Arc<str>)>) -> Self {
        debug_assert!(fields.is_sorted_by(|a, b| a.0 < b.0));
        let texts = fields.iter().flat_map(|(name, text)| [name, text]).chain([&message]);
        let n_own_bytes: usize = texts.map(|text| text.len() + TEXT_BYTES).sum();
        let memory_bytes = stream.len() + n_own_bytes + size_of_val(&fields[..]) + SERIES_BYTES;
        Self { stream, message, fields, is_of_labels: false, memory_bytes, is_cached: AtomicBool::new(false) }
    }

    /// Returns the streams of some series as the values of a column.
    pub fn streams(series: &[Arc<Self>]) -> Arc<Vec<Value>> {
        Arc::new(series.iter().map(|series| Value::String(series.stream.clone())).collect())
    }

    /// Returns the stream of its samples.
    pub fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    /// Returns the message of its samples.
    pub fn message(&self) -> &Arc<str> {
        &self.message
    }

    /// Returns the fields of its samples, besides the value, in order of name.
    pub fn fields(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.fields
    }

    /// Returns the text of a field.
    pub fn field(&self, name: &str) -> Option<&Arc<str>> {
        self.field_at(&mut 0, name)
    }

    /// Returns the text of a field, which is looked for at a place first and then everywhere; the place is set to where it is. Series
    /// of a metric have their fields at the same places.
    pub(crate) fn field_at(&self, place: &mut usize, name: &str) -> Option<&Arc<str>> {
        if let Some((known, text)) = self.fields.get(*place)
            && **known == *name
        {
            return Some(text);
        }
        let found = self.fields.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        *place = found;
        Some(&self.fields[found].1)
    }

    /// Reports whether everything follows from the stream, as [`of_labels`](Self::of_labels) gives it.
    pub fn is_of_labels(&self) -> bool {
        self.is_of_labels
    }

    /// Reports whether samples of both have the same in common.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.stream == other.stream && self.message == other.message && self.fields == other.fields
    }

    /// Bytes held in memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Notes whether a cache has the series and counts its memory.
    pub fn note_cached(&self, is_cached: bool) {
        self.is_cached.store(is_cached, Ordering::Relaxed);
    }

    /// Returns the bytes that one owner counts: its share of them, or 0 if a cache counts them.
    pub(crate) fn own_memory_bytes(self: &Arc<Self>) -> usize {
        if self.is_cached.load(Ordering::Relaxed) {
            return 0;
        }
        self.memory_bytes / Arc::strong_count(self).saturating_sub(1).max(1)
    }
}

/// The series of a batch, by code of its streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeriesOfRows<'a> {
    pub(crate) series: &'a [Arc<Series>],
    pub(crate) codes: &'a [u32],
}

impl SeriesOfRows<'_> {
    /// Returns the names of all fields, sorted.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        // There are many series, and few names.
        let names: foldhash::HashSet<&Arc<str>> = self.series.iter().flat_map(|s| &s.fields).map(|f| &f.0).collect();
        let mut names: Vec<Arc<str>> = names.into_iter().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Reports whether everything about every row but time and value follows from its stream.
    pub(crate) fn are_samples(&self) -> bool {
        self.series.iter().all(|series| series.is_of_labels)
    }

    /// Returns those of some rows, counted from the first of them, whose stream is wanted.
    pub(crate) fn rows_of(&self, rows: Range<usize>, is_wanted: &dyn Fn(&str) -> bool) -> RowSet {
        let wanted: Vec<bool> = self.series.iter().map(|series| is_wanted(&series.stream)).collect();
        RowSet::of_slice(&self.codes[rows], |code| wanted[*code as usize])
    }

    /// Returns the column of a field in the rows of `codes`.
    pub(crate) fn column(&self, name: &str, codes: &[u32]) -> Column {
        let (mut values, mut place) = (Vec::new(), 0);
        let mut is_there = |series: &Arc<Series>| match series.field_at(&mut place, name) {
            None => MISSING_CODE,
            Some(text) => {
                let last = values.last().is_some_and(|last| matches!(last, Value::String(last) if *last == *text));
                if !last {
                    values.push(Value::String(text.clone()));
                }
                values.len() as u32 - 1
            }
        };
        let by_series: Vec<u32> = self.series.iter().map(&mut is_there).collect();
        if values.is_empty() {
            return Column::Missing { n_rows: codes.len() };
        }
        let codes = codes.iter().map(|code| by_series[*code as usize]).collect();
        Column::Dictionary { codes, values: Arc::new(values) }
    }

    /// Returns how many rows have a field.
    pub(crate) fn n_with(&self, name: &str) -> usize {
        let has: Vec<bool> = self.series.iter().map(|series| series.field(name).is_some()).collect();
        self.codes.iter().filter(|code| has[**code as usize]).count()
    }

    /// Reports whether a field of some series holds a text.
    pub(crate) fn holds(&self, name: &str, literal: &str) -> bool {
        self.series.iter().any(|series| series.field(name).is_some_and(|text| text.contains(literal)))
    }

    /// Returns the messages of the rows of `codes`.
    pub(crate) fn messages(&self, codes: impl Iterator<Item = u32>) -> Strings {
        codes.map(|code| &*self.series[code as usize].message).collect()
    }

    /// Returns all columns of fields.
    pub(crate) fn columns(&self) -> Vec<(Arc<str>, Column)> {
        self.names().into_iter().map(|name| (name.clone(), self.column(&name, self.codes))).collect()
    }
}

/// Reads a canonical text of labels; `None` if it is none. Texts that are written as they are, are not copied.
fn label_texts(text: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let mut rest = text.strip_prefix('{')?;
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(rest.len() / 16);
    if let Some("") = rest.strip_prefix('}') {
        return Some(pairs);
    }
    loop {
        let name = take_text(&mut rest)?;
        rest = rest.strip_prefix(':')?;
        let value = take_text(&mut rest)?;
        if pairs.last().is_some_and(|(last, _)| *last >= name) {
            return None;
        }
        pairs.push((name, value));
        match rest.as_bytes() {
            b"}" => return Some(pairs),
            [b',', ..] => rest = &rest[1..],
            _ => return None,
        }
    }
}

/// Takes a JSON string.
fn take_text<'t>(rest: &mut &'t str) -> Option<Cow<'t, str>> {
    let text = rest.strip_prefix('"')?;
    let end = text.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
    if text.as_bytes()[end] == b'"' {
        *rest = &text[end + 1..];
        return Some(Cow::Borrowed(&text[..end]));
    }
    let mut out = text[..end].to_owned();
    let mut left = &text[end..];
    loop {
        if let Some(after) = left.strip_prefix('"') {
            *rest = after;
            return Some(Cow::Owned(out));
        }
        let escape = left.strip_prefix('\\')?;
        let kind = *escape.as_bytes().first()?;
        let mut n_bytes = 1;
        out.push(match kind {
            b'"' | b'\\' | b'/' => kind as char,
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                n_bytes = 5;
                char::from_u32(u32::from_str_radix(escape.get(1..5)?, 16).ok()?)?
            }
            _ => return None,
        });
        left = &escape[n_bytes..];
        let end = left.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
        out.push_str(&left[..end]);
        left = &left[end..];
    }
}

#[cfg(test)]
mod tests;
