//! An event that can still be changed: after it was parsed, before it is in a batch.

use std::borrow::Cow;
use std::sync::Arc;

use parse::commit_in_parts;
use types::{Batch, BatchBuilder, Column, GroupName, Level, Limits, TimeForm, Timestamp, Value};

/// Longest name of a field, as of JSON records.
const NAME_BYTES_MAX: usize = 512;

/// One event as pipelines see it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) group: GroupName,
    pub(crate) stream: String,
    pub(crate) time: Timestamp,
    pub(crate) level: Option<Level>,
    pub(crate) message: String,
    /// The key that gave the text: a field with the same text.
    pub(crate) text_key: Option<Arc<str>>,
    /// The key that gave the time: a field with the same instant.
    pub(crate) time_key: Option<(Arc<str>, TimeForm)>,
    /// The other fields, and rare system fields, in no order.
    pub(crate) fields: Vec<(Arc<str>, Value)>,
}

impl Draft {
    /// Returns the event of a batch that has just one.
    pub(crate) fn of(batch: &Batch, group: GroupName, stream: &str) -> Self {
        let of_column = |(name, column): &(Arc<str>, Column)| Some((name.clone(), column.value(0)?));
        let origin = batch.origin_codes.iter().next().and_then(|code| batch.origins.get(code as usize));
        let origin = origin.cloned().unwrap_or_default();
        Self {
            group,
            stream: stream.to_owned(),
            time: Timestamp(batch.timestamps.first().unwrap_or_default()),
            level: batch.levels.iter().next().and_then(Level::of_code),
            message: if batch.is_empty() { String::new() } else { batch.messages.get(0).to_owned() },
            text_key: origin.text_key,
            time_key: origin.time_key,
            fields: batch.fields.iter().filter_map(of_column).collect(),
        }
    }

    /// Returns the value of a field.
    pub(crate) fn value(&self, name: &str) -> Option<Cow<'_, Value>> {
        if self.text_key.as_deref() == Some(name) || name == "@message" {
            return Some(Cow::Owned(Value::text(self.message.as_str())));
        }
        if let Some((_, form)) = self.time_key.as_ref().filter(|(key, _)| **key == *name) {
            return Some(Cow::Owned(form.value(self.time)));
        }
        self.fields.iter().find(|(known, _)| **known == *name).map(|(_, value)| Cow::Borrowed(value))
    }

    /// Returns the value of a field or of a system field as text.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "@message" => return Some(Cow::Borrowed(&self.message)),
            "@log" => return Some(Cow::Borrowed(self.group.as_str())),
            "@logStream" => return Some(Cow::Borrowed(&self.stream)),
            "@level" => return self.level.map(|level| Cow::Borrowed(level.name())),
            "@timestamp" => return Some(Cow::Owned(self.time.to_string())),
            _ if self.text_key.as_deref() == Some(name) => return Some(Cow::Borrowed(&self.message)),
            _ => {}
        }
        match self.value(name)? {
            Cow::Borrowed(Value::String(text)) => Some(Cow::Borrowed(text)),
            value => Some(Cow::Owned(value.to_string())),
        }
    }

    /// Sets a field; reports whether the limits allow it.
    pub(crate) fn put(&mut self, name: &str, value: Value, limits: &Limits) -> bool {
        let is_long = matches!(&value, Value::String(text) if text.len() > limits.field_bytes_max);
        if is_long || name.is_empty() || name.len() > NAME_BYTES_MAX {
            return false;
        }
        self.forget_derived(name);
        if let Some((_, known)) = self.fields.iter_mut().find(|(known, _)| **known == *name) {
            *known = value;
            return true;
        }
        let has_room = self.fields.len() < limits.fields_max;
        if has_room {
            self.fields.push((name.into(), value));
        }
        has_room
    }

    /// Takes a field away.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Value> {
        let derived = self.value(name).map(Cow::into_owned);
        self.forget_derived(name);
        match self.fields.iter().position(|(known, _)| **known == *name) {
            Some(place) => Some(self.fields.swap_remove(place).1),
            None => derived,
        }
    }

    /// Returns the names of all fields, derived ones included.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let derived = self.text_key.iter().chain(self.time_key.iter().map(|(key, _)| key));
        self.fields.iter().map(|(name, _)| name).chain(derived).cloned().collect()
    }

    /// A key that gave text or time is a field like others from now on.
    fn forget_derived(&mut self, name: &str) {
        if self.text_key.as_deref() == Some(name) {
            self.text_key = None;
        }
        if self.time_key.as_ref().is_some_and(|(key, _)| **key == *name) {
            self.time_key = None;
        }
    }

    /// Sets the time; the key that gave the one before keeps its value.
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        if let Some((key, form)) = self.time_key.take() {
            self.fields.push((key, form.value(self.time)));
        }
        self.time = time;
    }

    /// Sets the text; the key that gave the one before keeps its value.
    pub(crate) fn set_message(&mut self, text: String) {
        let before = std::mem::replace(&mut self.message, text);
        if let Some(key) = self.text_key.take() {
            self.fields.push((key, Value::text(before)));
        }
    }

    /// Adds the event to a batch, in parts where its text is too long for one.
    pub(crate) fn write(&self, limits: &Limits, builder: &mut BatchBuilder) {
        builder.set_stream(&self.stream);
        // Within limits: the parser and `put` have seen to it.
        for (name, value) in &self.fields {
            match value {
                Value::String(text) => builder.field_text(name, text),
                other => builder.field_value(name, other.clone()),
            }
        }
        builder.set_timestamp(self.time);
        builder.set_level(self.level);
        if let Some((key, form)) = &self.time_key {
            builder.set_time_key(key, *form);
        }
        commit_in_parts(&self.message, self.text_key.as_deref(), limits, builder);
    }
}
