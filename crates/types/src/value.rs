//! A field's value.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::Timestamp;

/// A value as an event or a result row holds it. Missing is `Option::None`, never a variant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    String(Arc<str>),
    /// A whole number.
    Integer(i64),
    /// A finite decimal number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// An instant.
    Timestamp(Timestamp),
    /// Elements in order; `None` is JSON's `null`.
    List(Arc<Vec<Option<Value>>>),
    /// Names and values in order: an object inside a list, `{}` among the fields, or what `jsonParse` gave.
    Object(Arc<Vec<(Arc<str>, Option<Value>)>>),
}

impl Value {
    /// Makes a text value.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// Returns a number as a float; `None` for what is no number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the members of an object; none for what is no object.
    pub fn members(&self) -> &[(Arc<str>, Option<Self>)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    /// Returns the value of a field that was given `values` one after the other: the elements of lists are among them, and an
    /// equal text or truth counts once; `None` without values.
    pub fn joined(values: impl IntoIterator<Item = Self>) -> Option<Self> {
        let (mut items, mut seen) = (Vec::new(), HashSet::new());
        for value in values {
            match value {
                Self::List(list) => items.extend(list.iter().cloned()),
                value => items.push(Some(value)),
            }
        }
        items.retain(|item| match item {
            Some(Self::String(text)) => seen.insert((Some(text.clone()), false)),
            Some(Self::Boolean(truth)) => seen.insert((None, *truth)),
            _ => true,
        });
        if items.len() <= 1 { items.pop().flatten() } else { Some(Self::List(Arc::new(items))) }
    }

    /// Writes the value as JSON onto `out`, without white space.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::String(text) => write_json_string(text, out),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_json_or_null(item.as_ref(), out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_json_string(name, out);
                    out.push(':');
                    write_json_or_null(value.as_ref(), out);
                }
                out.push('}');
            }
            Self::Timestamp(instant) => {
                use fmt::Write;
                let _ = write!(out, "\"{instant}\"");
            }
            scalar => {
                use fmt::Write;
                let _ = write!(out, "{scalar}");
            }
        }
    }
}

fn write_json_or_null(value: Option<&Value>, out: &mut String) {
    match value {
        Some(value) => value.write_json(out),
        None => out.push_str("null"),
    }
}

/// Writes `text` as a JSON string (RFC 8259 §7) onto `out`.
pub fn write_json_string(text: &str, out: &mut String) {
    use fmt::Write;
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        plain_from = at + 1;
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// Text without quotes, numbers and times in their usual form, lists and objects as JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) if number.abs() >= 1e17 || (*number != 0.0 && number.abs() < 1e-5) => {
                write!(f, "{number:e}")
            }
            Self::Float(number) if number.fract() == 0.0 => write!(f, "{number:.1}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Timestamp(instant) => write!(f, "{instant}"),
            Self::List(_) | Self::Object(_) => {
                let mut json = String::new();
                self.write_json(&mut json);
                f.write_str(&json)
            }
        }
    }
}

#[cfg(test)]
mod tests;
