//! Attributes of spans as fields.

use std::borrow::Cow;
use std::sync::Arc;

use parse::FieldWriter;
use serde_json::Value as Json;
use types::Value;

/// Attributes with the status code of a response, in order of precedence.
pub const STATUS_CODES: [&str; 3] = ["http.response.status_code", "http.status_code", "rpc.grpc.status_code"];

/// Attributes of a span on their way into its event.
pub struct SpanAttributes<'f, 'b> {
    fields: &'f mut FieldWriter<'b>,
    field_bytes_max: usize,
}

impl<'f, 'b> SpanAttributes<'f, 'b> {
    pub(super) fn new(fields: &'f mut FieldWriter<'b>, field_bytes_max: usize) -> Self {
        Self { fields, field_bytes_max }
    }

    /// Writes a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.fields.text(&attribute_name(name), text);
    }

    /// Writes a value. The caller makes sure that it is within the limit of a field.
    pub fn value(&mut self, name: &str, value: &Value) {
        self.fields.value(&attribute_name(name), value);
    }

    /// Writes a JSON value: an object as its members under dotted names, a list as a value, or as text if it is too long.
    ///
    /// The depth of an object is limited by `serde_json`, which has read it.
    pub fn json(&mut self, name: &str, json: &Json) {
        match json {
            Json::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    self.json(&format!("{}.{key}", attribute_name(name)), member);
                }
            }
            Json::String(text) => self.text(name, text),
            Json::Array(_) => {
                let text = json.to_string();
                match json_value(json).filter(|_| text.len() <= self.field_bytes_max) {
                    Some(list) => self.value(name, &list),
                    None => self.text(name, &text),
                }
            }
            other => {
                if let Some(value) = json_value(other) {
                    self.value(name, &value);
                }
            }
        }
    }

    /// Lets the attributes written so far give way to later ones of the same name.
    pub fn begin_layer(&mut self) {
        self.fields.begin_layer();
    }

    /// Writes a field without renaming it: a field of the span, or an attribute that is renamed already.
    pub fn own(&mut self, name: &str, value: &Value) {
        self.fields.value(name, value);
    }
}

/// Returns the name of the field in which an attribute is stored.
pub fn attribute_name(name: &str) -> Cow<'_, str> {
    match name {
        "trace_id"
        | "span_id"
        | "parent_span_id"
        | "name"
        | "kind"
        | "status"
        | "status_message"
        | "service"
        | "duration_ms"
        | "scope.name"
        | "scope.version"
        | "trace_state"
        | "flags"
        | "events"
        | "links"
        | "span_problem"
        | "dropped_attributes_count"
        | "dropped_events_count"
        | "dropped_links_count" => Cow::Owned(format!("attributes.{name}")),
        _ => Cow::Borrowed(name),
    }
}

/// Returns a JSON value; `None` for `null`. Whole numbers beyond 64 bits are texts.
pub fn json_value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::String(text) => Value::text(&**text),
        Json::Number(number) => match (number.as_i64(), number.as_f64().filter(|_| number.is_f64())) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) => Value::Float(float),
            (None, None) => Value::text(number.to_string()),
        },
        Json::Array(items) => Value::List(Arc::new(items.iter().map(json_value).collect())),
        Json::Object(members) => {
            let members = members.iter().map(|(name, member)| (Arc::from(&**name), json_value(member)));
            Value::Object(Arc::new(members.collect()))
        }
    })
}

/// Returns the number of fields that a JSON value becomes.
pub fn n_json_fields(json: &Json) -> usize {
    match json {
        Json::Object(members) => members.values().map(n_json_fields).sum::<usize>().max(1),
        _ => 1,
    }
}
