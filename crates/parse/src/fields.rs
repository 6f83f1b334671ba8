//! Fields that a protocol brings beside a text or a record: written straight into the batch, within the limits of an event.
//!
//! What is over a limit is kept as JSON text in `@rest`, as of a JSON record, and nobody forges system fields: a name
//! that begins with `@` gets `_` in its place.

use std::borrow::Cow;

use types::{BatchBuilder, Level, Limits, Value};

/// Longest name of a field, as of JSON records.
const NAME_BYTES_MAX: usize = 512;

/// Writes the fields of one event that is being built.
#[derive(Debug)]
pub struct FieldWriter<'b> {
    builder: &'b mut BatchBuilder,
    limits: &'b Limits,
    n_fields: usize,
    level: Option<Level>,
    rest: String,
    n_dropped: i64,
}

impl<'b> FieldWriter<'b> {
    /// A writer for the event that `builder` builds next.
    pub fn new(builder: &'b mut BatchBuilder, limits: &'b Limits) -> Self {
        Self { builder, limits, n_fields: 0, level: None, rest: String::new(), n_dropped: 0 }
    }

    /// Gives the event a text.
    pub fn text(&mut self, name: &str, text: &str) {
        if text.len() > self.limits.field_bytes_max {
            return self.drop_into_rest(name, &Value::text(text));
        }
        let Some(kept) = self.admit(name, || Value::text(text)) else { return };
        if self.level.is_none() {
            self.level = crate::level::level_field(name).and_then(|kind| crate::level::level_of_word(kind, text));
        }
        self.builder.field_text(&kept, text);
    }

    /// Gives the event an id: a text that few other events of the batch have, and that says no level.
    pub fn id(&mut self, name: &str, id: &str) {
        if id.len() > self.limits.field_bytes_max {
            return self.drop_into_rest(name, &Value::text(id));
        }
        if let Some(kept) = self.admit(name, || Value::text(id)) {
            self.builder.field_distinct_text(&kept, id);
        }
    }

    /// Gives the event a system field, which no sender can write.
    pub fn system(&mut self, name: &str, text: &str) {
        self.builder.field_text(name, text);
    }

    /// Gives the event a whole number.
    pub fn integer(&mut self, name: &str, number: i64) {
        let Some(kept) = self.admit(name, || Value::Integer(number)) else { return };
        if self.level.is_none() {
            self.level = crate::level::level_field(name).and_then(|kind| crate::level::level_of_number(kind, number));
        }
        self.builder.field_integer(&kept, number);
    }

    /// Gives the event a decimal; one that is not finite is left out, since no type holds it.
    pub fn float(&mut self, name: &str, number: f64) {
        if number.is_finite()
            && let Some(kept) = self.admit(name, || Value::Float(number))
        {
            self.builder.field_float(&kept, number);
        }
    }

    /// Gives the event a boolean.
    pub fn boolean(&mut self, name: &str, truth: bool) {
        if let Some(kept) = self.admit(name, || Value::Boolean(truth)) {
            self.builder.field_boolean(&kept, truth);
        }
    }

    /// Gives the event a value of any type. The caller has bounded its size by that of a field.
    pub fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.text(name, text),
            Value::Integer(number) => self.integer(name, *number),
            Value::Float(number) => self.float(name, *number),
            Value::Boolean(truth) => self.boolean(name, *truth),
            other => {
                if let Some(kept) = self.admit(name, || other.clone()) {
                    self.builder.field_value(&kept, other.clone());
                }
            }
        }
    }

    /// Lets the fields written so far give way to later ones of the same name.
    pub fn begin_layer(&mut self) {
        self.builder.begin_layer();
    }

    /// Joins the fields written since the layer began with the event's own fields of the same name, as further values.
    pub fn join_own(&mut self) {
        self.builder.join_layers();
    }

    /// Writes what was over the limits, and returns the level that the fields say.
    pub fn finish(self) -> Option<Level> {
        if self.n_dropped > 0 {
            self.builder.field_text("@rest", &format!("{{{}}}", self.rest));
            self.builder.field_integer("@fieldsDropped", self.n_dropped);
        }
        self.level
    }

    /// The name under which a field is kept; none where there are too many or it is too long.
    fn admit<'n>(&mut self, name: &'n str, value: impl FnOnce() -> Value) -> Option<Cow<'n, str>> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || self.n_fields >= self.limits.fields_max {
            self.drop_into_rest(name, &value());
            return None;
        }
        self.n_fields += 1;
        Some(name.strip_prefix('@').map_or(Cow::Borrowed(name), |bare| Cow::Owned(format!("_{bare}"))))
    }

    fn drop_into_rest(&mut self, name: &str, value: &Value) {
        let mut pair = String::new();
        Value::text(name).write_json(&mut pair);
        pair.push(':');
        value.write_json(&mut pair);
        self.add_rest(&pair, 1);
    }

    /// Keeps members of an object, as JSON without its braces, that somebody found to be over the limits.
    pub(crate) fn add_rest(&mut self, members: &str, n_dropped: i64) {
        if !self.rest.is_empty() && !members.is_empty() {
            self.rest.push(',');
        }
        self.rest.push_str(members);
        self.n_dropped += n_dropped;
    }
}

#[cfg(test)]
mod tests;
