//! Values of templates, as Go has them, and how they are printed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout;
use super::numbers::float_text;
use super::times::ZonedTime;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GoValue {
    Nil,
    Boolean(bool),
    /// `int`.
    Integer(i64),
    /// `int64`, which is no `int`.
    Long(i64),
    Float(f64),
    Text(Arc<str>),
    List(Arc<[GoValue]>),
    Map(Arc<BTreeMap<String, GoValue>>),
    ZonedTime(ZonedTime),
}

impl From<String> for GoValue {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for GoValue {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl GoValue {
    /// Returns the name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Boolean(_) => "bool",
            Self::Integer(_) => "int",
            Self::Long(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::ZonedTime(_) => "time.Time",
        }
    }

    /// Reports whether a condition holds for it.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Boolean(value) => *value,
            Self::Integer(number) | Self::Long(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(members) => !members.is_empty(),
            Self::ZonedTime(_) => true,
        }
    }

    /// The value as `%v` prints it.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Nil => out.push_str("<nil>"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(number) | Self::Long(number) => out.push_str(&number.to_string()),
            Self::Float(number) => out.push_str(&float_text(*number)),
            Self::Text(text) => out.push_str(text),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    item.print(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push_str("map[");
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    out.push_str(name);
                    out.push(':');
                    value.print(out);
                }
                out.push(']');
            }
            Self::ZonedTime(moment) => out.push_str(&layout::format(moment, "2006-01-02 15:04:05.999999999 -0700 MST")),
        }
    }

    /// Returns the value as `%v` prints it.
    pub(super) fn printed(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            _ => {
                let mut out = String::new();
                self.print(&mut out);
                out
            }
        }
    }

    /// Returns a value of JSON.
    pub(super) fn of_json(json: serde_json::Value) -> Self {
        use serde_json::Value;
        match json {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Boolean(value),
            Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::of_json).collect()),
            Value::Object(members) => {
                Self::Map(Arc::new(members.into_iter().map(|(name, value)| (name, Self::of_json(value))).collect()))
            }
        }
    }
}
