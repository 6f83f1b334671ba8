//! Values of templates, as Go has them, and how they are printed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::layout;
use crate::numbers::general;
use crate::times::ZonedTime;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `bool`.
    Boolean(bool),
    /// `int`.
    Integer(i64),
    /// `int64`, which is no `int`.
    Long(i64),
    /// `float64`.
    Float(f64),
    /// `string`.
    Text(Arc<str>),
    /// A slice.
    List(Arc<List>),
    /// A map or a struct.
    Map(Arc<Map>),
    /// `time.Time`.
    Time(ZonedTime),
}

/// A slice.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Go's name of its type.
    pub type_name: &'static str,
    /// Its elements.
    pub items: Vec<Value>,
}

/// A map or a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Its type.
    pub of: MapType,
    /// Its members by name.
    pub members: BTreeMap<String, Value>,
}

/// Types of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`: a missing member is `nil`.
    Values,
    /// `map[string]string`: a missing member is the empty text.
    Texts,
    /// A struct, or a pointer to one, by Go's name of its type: it has these members and no others.
    Struct(&'static str),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl Map {
    /// Reports whether it is a struct, whose members are fields.
    pub(crate) fn is_struct(&self) -> bool {
        matches!(self.of, MapType::Struct(_))
    }

    /// Returns a member; `None` if a struct has none of the name.
    pub fn get(&self, name: &str) -> Option<Value> {
        let member = self.members.get(name).cloned();
        match self.of {
            MapType::Values => Some(member.unwrap_or(Value::Nil)),
            MapType::Texts => Some(member.unwrap_or_else(|| "".into())),
            MapType::Struct(_) => member,
        }
    }

    /// Writes the members, each as `write` does.
    pub(crate) fn write(&self, out: &mut String, mut write: impl FnMut(&mut String, &Value)) {
        let is_struct = self.is_struct();
        out.push_str(match self.of {
            MapType::Struct(name) if name.starts_with('*') => "&{",
            MapType::Struct(_) => "{",
            _ => "map[",
        });
        for (index, (name, value)) in self.members.iter().enumerate() {
            out.push_str(if index > 0 { " " } else { "" });
            if !is_struct {
                write(out, &name.as_str().into());
                out.push(':');
            }
            write(out, value);
        }
        out.push(if is_struct { '}' } else { ']' });
    }
}

impl List {
    /// Writes the elements, each as `write` does.
    pub(crate) fn write(&self, out: &mut String, mut write: impl FnMut(&mut String, &Value)) {
        out.push('[');
        for (index, item) in self.items.iter().enumerate() {
            out.push_str(if index > 0 { " " } else { "" });
            write(out, item);
        }
        out.push(']');
    }
}

impl Value {
    /// Returns a list of values of any type.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List { type_name: "[]interface {}", items }))
    }

    /// Returns a map or a struct.
    pub fn map(of: MapType, members: BTreeMap<String, Self>) -> Self {
        Self::Map(Arc::new(Map { of, members }))
    }

    /// Returns Go's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Boolean(_) => "bool",
            Self::Integer(_) => "int",
            Self::Long(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(list) => list.type_name,
            Self::Map(map) => match map.of {
                MapType::Values => "map[string]interface {}",
                MapType::Texts => "map[string]string",
                MapType::Struct(name) => name,
            },
            Self::Time(_) => "time.Time",
        }
    }

    /// Reports whether `if` takes the value for true: not zero, not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Boolean(value) => *value,
            Self::Integer(number) | Self::Long(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => map.is_struct() || !map.members.is_empty(),
            Self::Time(_) => true,
        }
    }

    /// Writes the value as `%v` does.
    pub(crate) fn print(&self, out: &mut String) {
        match self {
            Self::Nil => out.push_str("<nil>"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(number) | Self::Long(number) => out.push_str(&number.to_string()),
            Self::Float(number) => out.push_str(&general(*number, None)),
            Self::Text(text) => out.push_str(text),
            Self::List(list) => list.write(out, |out, item| item.print(out)),
            Self::Map(map) => map.write(out, |out, member| member.print(out)),
            Self::Time(time) => out.push_str(&layout::format(time, "2006-01-02 15:04:05.999999999 -0700 MST")),
        }
    }

    /// Returns the value as `%v` prints it.
    pub fn printed(&self) -> String {
        let mut out = String::new();
        self.print(&mut out);
        out
    }
}
