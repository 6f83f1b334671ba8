//! One value of a row, borrowed, and how values compare, sort and count as numbers or conditions.
//!
//! The rules are LANGUAGE's §4 and the decided rules 4 to 13; every operator and function goes through here, so
//! that a filter, a sort and a group agree about what is equal.

use std::borrow::Cow;
use std::cmp::Ordering;

use types::{Column, Level, MISSING_CODE, Timestamp, Value};

use plan::Number;

/// A value of a row without owning it.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// No value.
    Missing,
    /// Text.
    Text(&'a str),
    /// Whole number.
    Integer(i64),
    /// Decimal number.
    Float(f64),
    /// Boolean.
    Boolean(bool),
    /// Instant in nanoseconds.
    Time(i64),
    /// List or object.
    Nested(&'a Value),
}

/// Numbers below this are seconds where a time is compared with them, from here on milliseconds.
const SECONDS_END: f64 = 1e11;

impl<'a> Cell<'a> {
    /// Returns the cell of a value.
    pub fn of(value: Option<&'a Value>) -> Self {
        match value {
            None => Self::Missing,
            Some(Value::String(text)) => Self::Text(text),
            Some(Value::Integer(number)) => Self::Integer(*number),
            Some(Value::Float(number)) => Self::Float(*number),
            Some(Value::Boolean(truth)) => Self::Boolean(*truth),
            Some(Value::Timestamp(instant)) => Self::Time(instant.0),
            Some(nested) => Self::Nested(nested),
        }
    }

    /// Returns the cell at `row` of a column.
    #[inline]
    pub fn at(column: &'a Column, row: usize) -> Self {
        match column {
            Column::Missing { .. } => Self::Missing,
            Column::Timestamps(values) => Self::Time(values[row]),
            Column::Dictionary { codes, values } => match codes[row] {
                MISSING_CODE => Self::Missing,
                code => Self::of(Some(&values[code as usize])),
            },
            Column::Mixed(values) => Self::of(values[row].as_ref()),
            Column::Integers { values, present } => match present {
                Some(present) if !present.contains(row) => Self::Missing,
                _ => Self::Integer(values[row]),
            },
            Column::Strings { values, present } => match present {
                Some(present) if !present.contains(row) => Self::Missing,
                _ => Self::Text(values.get(row)),
            },
            Column::Floats { values, present, integers } => match (present, integers) {
                (Some(present), _) if !present.contains(row) => Self::Missing,
                (_, Some(integers)) if integers.contains(row) => Self::Integer(values[row] as i64),
                _ => Self::Float(values[row]),
            },
        }
    }

    /// Reports whether there is a value.
    pub fn is_present(self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// Reports whether the cell is true as a condition; only a boolean can be.
    pub fn is_true(self) -> bool {
        matches!(self, Self::Boolean(true))
    }

    /// Returns the value, owned.
    pub fn to_value(self) -> Option<Value> {
        Some(match self {
            Self::Missing => return None,
            Self::Text(text) => Value::text(text),
            Self::Integer(number) => Value::Integer(number),
            Self::Float(number) => Value::Float(number),
            Self::Boolean(truth) => Value::Boolean(truth),
            Self::Time(nanos) => Value::Timestamp(Timestamp(nanos)),
            Self::Nested(value) => value.clone(),
        })
    }

    /// Returns the value as text, `None` where there is none.
    pub fn text(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Missing => return None,
            Self::Text(text) => Cow::Borrowed(text),
            Self::Boolean(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            other => Cow::Owned(other.to_value()?.to_string()),
        })
    }

    /// Returns the number that the value is or reads as; booleans and times are none.
    pub fn plain_number(self) -> Option<Number> {
        match self {
            Self::Integer(number) => Some(Number::Integer(i128::from(number))),
            Self::Float(number) => Some(Number::Float(number)),
            Self::Text(text) => Number::read(text),
            _ => None,
        }
    }

    /// Returns what the value counts as in arithmetic and numeric aggregates: booleans 1 and 0, times milliseconds.
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Boolean(truth) => Some(Number::Integer(i128::from(truth))),
            Self::Time(nanos) if nanos % 1_000_000 == 0 => Some(Number::Integer(i128::from(nanos / 1_000_000))),
            Self::Time(nanos) => Some(Number::Float(nanos as f64 / 1e6)),
            other => other.plain_number(),
        }
    }

    /// Returns the instant that the value is or says in ISO 8601.
    pub fn time(self) -> Option<i64> {
        match self {
            Self::Time(nanos) => Some(nanos),
            Self::Text(text) => Timestamp::parse_iso8601(text).map(|instant| instant.0),
            _ => None,
        }
    }
}

/// What comparing needs to know and has to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComparisonResult {
    /// How the sides compare.
    pub order: Option<Ordering>,
    /// Whether a number was taken as seconds since the epoch.
    pub took_seconds: bool,
}

/// Compares two cells as the comparison operators do; no order where a side is missing.
pub fn compare(a: Cell<'_>, b: Cell<'_>) -> ComparisonResult {
    let order = match (a, b) {
        (Cell::Missing, _) | (_, Cell::Missing) => return ComparisonResult::default(),
        (Cell::Integer(a), Cell::Integer(b)) => a.cmp(&b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(&b),
        (Cell::Time(a), b) => return compare_time(a, b),
        (a, Cell::Time(b)) => {
            let compared = compare_time(b, a);
            return ComparisonResult { order: compared.order.map(Ordering::reverse), ..compared };
        }
        (a, b) => match (a.plain_number(), b.plain_number()) {
            (Some(a), Some(b)) => a.compare(b),
            _ => a.text().cmp(&b.text()),
        },
    };
    ComparisonResult { order: Some(order), took_seconds: false }
}

fn compare_time(nanos: i64, other: Cell<'_>) -> ComparisonResult {
    match instant_of(other) {
        Some((instant, took_seconds)) => {
            ComparisonResult { order: Some(i128::from(nanos).cmp(&instant)), took_seconds }
        }
        None => ComparisonResult { order: Some(Cell::Time(nanos).text().cmp(&other.text())), took_seconds: false },
    }
}

/// Returns the instant that a time is compared with, in nanoseconds, and whether a number was taken as seconds for it.
pub fn instant_of(cell: Cell<'_>) -> Option<(i128, bool)> {
    if let Some(instant) = cell.time() {
        return Some((instant.into(), false));
    }
    let number = cell.plain_number()?;
    let took_seconds = number.as_float().abs() < SECONDS_END;
    let unit_ns: i64 = if took_seconds { 1_000_000_000 } else { 1_000_000 };
    let instant = match number {
        Number::Integer(whole) => whole.saturating_mul(i128::from(unit_ns)),
        // A decimal of seconds says nanoseconds only roughly: the nearest one is meant.
        Number::Float(decimal) => (decimal * unit_ns as f64).round() as i128,
    };
    Some((instant, took_seconds))
}

/// Returns the severity that a value names, in any spelling.
pub fn severity(cell: Cell<'_>) -> Option<Level> {
    match cell {
        Cell::Text(text) => Level::parse(text),
        Cell::Integer(number) => Level::parse(&number.to_string()),
        _ => None,
    }
}

/// Compares levels by severity; where a side names none, as other values.
pub fn compare_levels(a: Cell<'_>, b: Cell<'_>) -> ComparisonResult {
    match (severity(a), severity(b)) {
        (Some(a), Some(b)) => ComparisonResult { order: Some(a.cmp(&b)), took_seconds: false },
        _ => compare(a, b),
    }
}

/// Returns where a value is in a sort: text before numbers and times, missing not considered.
fn rank(cell: Cell<'_>) -> (u8, Option<Number>) {
    match cell {
        Cell::Missing => (3, None),
        Cell::Time(nanos) => (2, Some(Number::Integer(i128::from(nanos)))),
        other => match other.plain_number() {
            Some(number) => (1, Some(number)),
            None => (0, None),
        },
    }
}

/// Orders values as `sort` does, ascending: a total order, missing last, equal where no reader tells them apart.
pub fn sort_order(a: Cell<'_>, b: Cell<'_>) -> Ordering {
    if let (Cell::Integer(a), Cell::Integer(b)) = (a, b) {
        return a.cmp(&b);
    }
    let ((kind_a, number_a), (kind_b, number_b)) = (rank(a), rank(b));
    kind_a.cmp(&kind_b).then_with(|| match (number_a, number_b) {
        (Some(a), Some(b)) => a.compare(b),
        _ => a.text().cmp(&b.text()),
    })
}

/// Orders values as `sort` does and those it holds for equal (`3`, `"3"`) by their type: no two distinct are equal.
pub fn strict_order(a: Cell<'_>, b: Cell<'_>) -> Ordering {
    let kind = |cell| match cell {
        Cell::Integer(_) => 0,
        Cell::Float(_) => 1,
        Cell::Boolean(_) => 2,
        Cell::Time(_) => 3,
        Cell::Text(_) => 4,
        Cell::Nested(_) => 5,
        Cell::Missing => 6,
    };
    sort_order(a, b).then_with(|| kind(a).cmp(&kind(b))).then_with(|| a.text().cmp(&b.text()))
}

#[cfg(test)]
mod tests;
