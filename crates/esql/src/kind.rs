//! The types of ES|QL.

use std::fmt::Write;

use serde_json::{Number, Value as Json};
use types::{Timestamp, Value};

use super::syntax::Literal;
use plan::decimal_text::decimal_text;
use plan::function::WholeWidth;
use plan::strict_date::date_of;
use plan::{TypedKind, address_of};

types::named! {
    /// A type of values, by its name in errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Kind {
        /// No value ever.
        Null = "null",
        /// `true`, `false`.
        Boolean = "boolean",
        /// Whole numbers of 32 bits.
        Integer = "integer",
        /// Whole numbers of 64 bits.
        Long = "long",
        /// Decimal numbers.
        Double = "double",
        /// Texts.
        Keyword = "keyword",
        /// Texts that are analysed.
        Text = "text",
        /// Instants in milliseconds.
        Date = "datetime",
        /// Addresses.
        Ip = "ip",
        /// A length of time; no column can have it.
        Duration = "time_duration",
        /// Values of several types in different indices.
        Unsupported = "unsupported",
    }
}

impl Kind {
    /// Its name in the columns of an answer.
    pub fn column_name(self) -> &'static str {
        if self == Self::Date { "date" } else { self.name() }
    }

    /// Returns the type of a name, as casts write it.
    pub(super) fn of_cast(name: &str) -> Option<Self> {
        match name {
            "bool" => Some(Self::Boolean),
            "int" => Some(Self::Integer),
            "string" => Some(Self::Keyword),
            "date" => Some(Self::Date),
            "boolean" | "integer" | "long" | "double" | "keyword" | "datetime" | "ip" => Self::named(name),
            _ => None,
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Keyword | Self::Text)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Long | Self::Double)
    }

    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Integer | Self::Long)
    }

    /// Returns the bits of whole numbers of the type.
    pub(super) fn width(self) -> WholeWidth {
        if self == Self::Integer { WholeWidth::Integer } else { WholeWidth::Long }
    }

    /// Returns the type for functions of typed values.
    pub(super) fn typed(self) -> TypedKind {
        match self {
            Self::Boolean => TypedKind::Boolean,
            Self::Integer => TypedKind::Integer,
            Self::Long => TypedKind::Long,
            Self::Double => TypedKind::Double,
            Self::Date => TypedKind::Date,
            Self::Ip => TypedKind::Address,
            Self::Null | Self::Keyword | Self::Text | Self::Duration | Self::Unsupported => TypedKind::Text,
        }
    }

    /// Returns the type that values of both become.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (a, b) if a == b => a,
            (Self::Null, other) | (other, Self::Null) => other,
            (a, b) if a.is_text() && b.is_text() => Self::Keyword,
            (Self::Double, b) | (b, Self::Double) if b.is_number() => Self::Double,
            (a, b) if a.is_number() && b.is_number() => Self::Long,
            _ => return None,
        })
    }

    /// Returns a value of the type as JSON.
    pub fn json(self, value: Option<&Value>) -> Json {
        match (self, value) {
            (_, None) | (Self::Unsupported | Self::Null, _) => Json::Null,
            (kind, Some(Value::List(items))) => items.iter().map(|item| kind.json(item.as_ref())).collect(),
            (Self::Double, Some(Value::Integer(number))) => Json::from(*number as f64),
            (_, Some(Value::Integer(number))) => Json::from(*number),
            (_, Some(Value::Float(number))) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            (_, Some(Value::Boolean(truth))) => Json::from(*truth),
            (_, Some(Value::Timestamp(instant))) => Json::from(shown_date(*instant)),
            (_, Some(other)) => Json::from(other.to_string()),
        }
    }

    /// Returns a value of the type as text for tables: several values in square brackets.
    pub fn text(self, value: Option<&Value>) -> String {
        match (self, value) {
            (_, None) | (Self::Unsupported | Self::Null, _) => String::new(),
            (kind, Some(Value::List(items))) => {
                let mut text = String::from("[");
                for (index, item) in items.iter().enumerate() {
                    let _ = write!(text, "{}{}", if index > 0 { ", " } else { "" }, kind.text(item.as_ref()));
                }
                text + "]"
            }
            (Self::Double, Some(Value::Integer(number))) => decimal_text(*number as f64),
            (_, Some(Value::Float(number))) => decimal_text(*number),
            (_, Some(Value::Timestamp(instant))) => shown_date(*instant),
            (_, Some(other)) => other.to_string(),
        }
    }
}

fn shown_date(instant: Timestamp) -> String {
    plan::date_math::format_time(instant, None)
}

/// Returns the type and the value of a constant; `None` for lists of several types.
pub(super) fn of_literal(literal: &Literal) -> Option<(Kind, Option<Value>)> {
    Some(match literal {
        Literal::Null => (Kind::Null, None),
        Literal::Boolean(truth) => (Kind::Boolean, Some(Value::Boolean(*truth))),
        Literal::Whole(number) => {
            let kind = if i32::try_from(*number).is_ok() { Kind::Integer } else { Kind::Long };
            (kind, Some(Value::Integer(*number)))
        }
        Literal::Decimal(number) => (Kind::Double, Some(Value::Float(*number))),
        Literal::Text(text) => (Kind::Keyword, Some(Value::text(text.as_str()))),
        Literal::List(items) => {
            let items: Vec<(Kind, Option<Value>)> = items.iter().map(of_literal).collect::<Option<_>>()?;
            let kind = items.iter().try_fold(Kind::Null, |kind, (other, _)| kind.common(*other))?;
            let mut values: Vec<Option<Value>> = items.into_iter().map(|(_, value)| value).collect();
            match values.len() {
                1 => (kind, values.pop().flatten()),
                _ => (kind, Some(Value::List(values.into()))),
            }
        }
    })
}

/// Returns a text as a constant of another type, as comparisons convert it; `Err` says what it should be.
pub(super) fn converted(text: &str, kind: Kind) -> Result<Value, String> {
    let failed =
        |why: String| Err(format!("Cannot convert string [{text}] to [{}], error [{why}]", kind.name().to_uppercase()));
    match kind {
        Kind::Date => match date_of(text) {
            Some(nanos) => Ok(Value::Timestamp(Timestamp(nanos))),
            None => failed(format!("failed to parse date field [{text}] with format [strict_date_optional_time]")),
        },
        Kind::Ip => match address_of(text) {
            Some(address) => Ok(Value::text(address.to_string())),
            None => failed(format!("'{text}' is not an IP string literal.")),
        },
        Kind::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => failed(format!("Failed to parse value [{text}] as only [true] or [false] are allowed.")),
        },
        _ => Ok(Value::text(text)),
    }
}
