//! Builds a [`Batch`] event by event, straight from a parser's hands.
//!
//! Each field has a column of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::batch::{Batch, Origin, TimeForm};
use crate::column::value_bytes;
use crate::column_builder::{ColumnBuilder, TextDictionary, is_same};
use crate::{Column, Level, Numbers, Strings, Timestamp, Value};

/// Collects events and turns them into a [`Batch`].
///
/// Use: `field_*`, `set_*` in any order, then [`commit`](Self::commit), for each event in turn; [`finish`](Self::finish) at the
/// end. A name given several times within an event keeps all its values as a list, except those from before the last
/// [`begin_layer`](Self::begin_layer), which give way.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    timestamps: Vec<i64>,
    messages: Strings,
    levels: Vec<u8>,
    streams: TextDictionary,
    origins: Vec<Origin>,
    origin_codes: Vec<u32>,
    names: HashMap<Arc<str>, usize, RandomState>,
    columns: Vec<FieldBuilder>,
    /// Values that were given to columns.
    n_values: usize,
    /// Bytes of all field names, lists and objects.
    held_bytes: usize,
    event: Pending,
    remembered: LastEventCache,
}

/// One field's column as it grows.
#[derive(Debug)]
struct FieldBuilder {
    name: Arc<str>,
    column: ColumnBuilder,
    /// The field that was given after this one the last time: a guess that saves most look-ups by name,
    /// because senders keep the order of their keys.
    next: usize,
    /// The number of rows up to the last one that has a value, and its place among the fields of that event.
    last: (usize, usize),
}

/// What is known of the event being built.
#[derive(Debug, Default)]
struct Pending {
    timestamp: i64,
    level: u8,
    /// Places in [`LastEventCache`].
    text_key: Option<usize>,
    time_key: Option<(usize, TimeForm)>,
    /// Columns written to by this event, in order.
    touched: Vec<usize>,
    /// How many of them were given before the layer at hand.
    n_before_layer: usize,
    is_last_layer: bool,
    /// Values that are not the last ones of their columns.
    repeated: Vec<(usize, Value)>,
}

/// Places in [`LastEventCache`] of an event's text key and time key, and the form of the latter.
type KeyPlaces = (Option<usize>, Option<(usize, TimeForm)>);

/// What is the same in event after event and need not be looked up or allocated again.
#[derive(Debug, Default)]
struct LastEventCache {
    /// The stream of the next event, and its code in the dictionary.
    stream: Option<(String, u32)>,
    keys: Vec<Arc<str>>,
    /// Text key and time key of each of the builder's origins.
    origins: Vec<KeyPlaces>,
}

impl LastEventCache {
    /// The place of a key. There are a handful of names, each known to the caller.
    fn key(&mut self, key: &str) -> usize {
        self.keys.iter().position(|known| **known == *key).unwrap_or_else(|| {
            self.keys.push(key.into());
            self.keys.len() - 1
        })
    }
}

impl BatchBuilder {
    /// A builder without events.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder without events whose next one belongs to the same stream.
    pub fn successor(&self) -> Self {
        let mut next = Self::default();
        if let Some((stream, _)) = &self.remembered.stream {
            next.set_stream(stream);
        }
        next
    }

    /// How many events were committed.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Tells whether no event was committed.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// The time of the event that was committed last.
    pub fn last_timestamp(&self) -> Option<Timestamp> {
        self.timestamps.last().copied().map(Timestamp)
    }

    /// Bytes of message text committed; together with `len` a measure of how full the batch is.
    pub fn text_bytes(&self) -> usize {
        self.messages.ends().last().map_or(0, |end| *end as usize)
    }

    /// How many values the columns would hold if every event had every field: memory follows from it.
    pub fn n_cells(&self) -> usize {
        self.len().saturating_mul(self.columns.len() + 1)
    }

    /// The same with one more event, of which every field might be a new one.
    pub fn n_cells_with(&self, n_fields: usize) -> usize {
        (self.len() + 1).saturating_mul(self.columns.len() + n_fields + 1)
    }

    /// Reports whether nearly all of its cells are empty.
    pub fn is_sparse(&self) -> bool {
        self.n_cells() > self.n_values.saturating_mul(16)
    }

    /// Bytes that the finished batch will hold next to its dictionaries, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.n_cells().saturating_mul(8)
            + self.len() * 40
            + self.text_bytes()
            + self.held_bytes
            + self.columns.len() * 128
    }

    fn column(&mut self, name: &str) -> (&mut ColumnBuilder, usize) {
        let row = self.timestamps.len();
        let last = self.event.touched.last().copied();
        let guess = last.map_or(0, |last| self.columns[last].next);
        let index = match self.columns.get(guess) {
            Some(guessed) if is_same(guessed.name.as_bytes(), name.as_bytes()) => guess,
            _ => self.index_of(name),
        };
        if let Some(last) = last {
            self.columns[last].next = index;
        }
        let field = &mut self.columns[index];
        if field.last.0 == row + 1
            && field.last.1 >= self.event.n_before_layer
            && let Some(value) = field.column.value(row)
        {
            self.event.repeated.push((index, value));
        }
        field.last = (row + 1, self.event.touched.len());
        self.n_values += 1;
        self.event.touched.push(index);
        (&mut field.column, row)
    }

    /// Lets the fields of the event give way to those of the same name that are given from now on.
    pub fn begin_layer(&mut self) {
        if !self.event.is_last_layer {
            self.join_repeated();
            self.event.n_before_layer = self.event.touched.len();
        }
    }

    /// Makes the layer at hand the last one of the event.
    pub fn join_layers(&mut self) {
        self.event.is_last_layer = true;
    }

    /// Makes a list of the values of each field that the event was given several times.
    fn join_repeated(&mut self) {
        if self.event.repeated.is_empty() {
            return;
        }
        let row = self.timestamps.len();
        let mut by_column: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for (index, value) in std::mem::take(&mut self.event.repeated) {
            by_column.entry(index).or_default().push(value);
        }
        for (index, values) in by_column {
            let column = &mut self.columns[index].column;
            let last = column.value(row);
            // What two layers say alike is one statement, whereas a list of equal numbers has them all.
            if self.event.is_last_layer && values.iter().all(|value| Some(value) == last.as_ref()) {
                continue;
            }
            if let Some(value) = Value::joined(values.into_iter().chain(last)) {
                self.held_bytes += value_bytes(&value);
                column.push(row, value);
            }
        }
    }

    fn index_of(&mut self, name: &str) -> usize {
        if let Some(index) = self.names.get(name) {
            return *index;
        }
        let name: Arc<str> = name.into();
        let index = self.columns.len();
        self.held_bytes += name.len();
        self.columns.push(FieldBuilder { name: name.clone(), column: ColumnBuilder::default(), next: 0, last: (0, 0) });
        self.names.insert(name, index);
        index
    }

    /// Gives the event a text field.
    pub fn field_text(&mut self, name: &str, text: &str) {
        let (column, row) = self.column(name);
        column.push_text(row, text);
    }

    /// Gives the event a text field that is not expected to have the same value in other events, such as an id.
    pub fn field_distinct_text(&mut self, name: &str, text: &str) {
        let (column, row) = self.column(name);
        column.push_distinct_text(row, text);
    }

    /// Gives the event a whole number.
    pub fn field_integer(&mut self, name: &str, number: i64) {
        let (column, row) = self.column(name);
        column.push_integer(row, number);
    }

    /// Gives the event a decimal number; one that is not finite is ignored.
    pub fn field_float(&mut self, name: &str, number: f64) {
        if number.is_finite() {
            let (column, row) = self.column(name);
            column.push_float(row, number);
        }
    }

    /// Gives the event a boolean.
    pub fn field_boolean(&mut self, name: &str, truth: bool) {
        let (column, row) = self.column(name);
        column.push_boolean(row, truth);
    }

    /// Gives the event a value of any type.
    pub fn field_value(&mut self, name: &str, value: Value) {
        self.held_bytes += value_bytes(&value);
        let (column, row) = self.column(name);
        column.push(row, value);
    }

    /// Sets when the event happened; without it the epoch.
    pub fn set_timestamp(&mut self, timestamp: Timestamp) {
        self.event.timestamp = timestamp.0;
    }

    /// The time set for the event being built.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp(self.event.timestamp)
    }

    /// Says that the field `key` gave the timestamp and is to be shown from it in the form `form`.
    ///
    /// Only for values that `form` gives back exactly; others are given as fields.
    pub fn set_time_key(&mut self, key: &str, form: TimeForm) {
        self.event.time_key = Some((self.remembered.key(key), form));
    }

    /// Sets the event's text.
    pub fn set_message(&mut self, text: &str) {
        self.messages.stage(text);
    }

    /// Says that the text came from the field `key`, which is to be shown with the same text.
    pub fn set_text_key(&mut self, key: &str) {
        self.event.text_key = Some(self.remembered.key(key));
    }

    /// Sets the event's level.
    pub fn set_level(&mut self, level: Option<Level>) {
        self.event.level = level.map_or(0, Level::code);
    }

    /// Sets the stream of this event and of the following ones.
    pub fn set_stream(&mut self, stream: &str) {
        match &mut self.remembered.stream {
            Some((known, _)) if known == stream => {}
            // Senders of many streams change it with every event: its room is used again.
            Some((known, code)) => {
                *code = self.streams.code_of(stream);
                stream.clone_into(known);
            }
            none => *none = Some((stream.to_owned(), self.streams.code_of(stream))),
        }
    }

    /// Adds the event.
    pub fn commit(&mut self) {
        self.join_repeated();
        let row = self.timestamps.len();
        self.timestamps.push(self.event.timestamp);
        self.levels.push(self.event.level);
        self.messages.push_staged();
        if self.remembered.stream.is_none() {
            self.set_stream("");
        }
        let stream = self.remembered.stream.as_ref().map_or(0, |(_, code)| *code);
        self.streams.push_code(row, stream);
        let origin_code = self.origin_code();
        self.origin_codes.push(origin_code);
        self.clear_event();
    }

    fn origin_code(&mut self) -> u32 {
        let keys = (self.event.text_key, self.event.time_key);
        if let Some(known) = self.remembered.origins.iter().position(|known| *known == keys) {
            return known as u32;
        }
        let name = |index: usize| self.remembered.keys[index].clone();
        self.origins.push(Origin { text_key: keys.0.map(name), time_key: keys.1.map(|(key, form)| (name(key), form)) });
        self.remembered.origins.push(keys);
        (self.origins.len() - 1) as u32
    }

    fn clear_event(&mut self) {
        self.event.timestamp = 0;
        self.event.level = 0;
        self.messages.unstage();
        self.event.text_key = None;
        self.event.time_key = None;
        self.event.touched.clear();
        self.event.n_before_layer = 0;
        self.event.is_last_layer = false;
        self.event.repeated.clear();
    }

    /// Makes the batch: sequences count from 0 and ingestion times are the epoch until storage accepts it.
    pub fn finish(self) -> Batch {
        let n_rows = self.timestamps.len();
        let mut fields: Vec<(Arc<str>, Column)> =
            self.columns.into_iter().map(|field| (field.name, field.column.finish(n_rows))).collect();
        fields.retain(|(_, column)| !column.presence().is_empty());
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        let streams = ColumnBuilder::Texts(self.streams).finish(n_rows);
        Batch {
            timestamps: self.timestamps.into(),
            sequences: Numbers::consecutive(0, n_rows),
            ingestion_times: Numbers::same(0, n_rows),
            messages: self.messages,
            levels: self.levels.into(),
            streams,
            series: None,
            origins: Arc::new(self.origins),
            origin_codes: self.origin_codes.into(),
            fields,
        }
    }
}

#[cfg(test)]
mod tests;
