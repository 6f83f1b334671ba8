//! `fromJson`.

use gotemplate::{MapType, Value};
use serde_json::Value as Json;

/// Returns the value of a text of JSON; `nil` of any other text.
pub(super) fn read(text: &str) -> Value {
    serde_json::from_str(text).map_or(Value::Nil, value_of)
}

fn value_of(json: Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => text.into(),
        Json::Array(items) => Value::list(items.into_iter().map(value_of).collect()),
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, value_of(value)));
            Value::map(MapType::Values, members.collect())
        }
    }
}
