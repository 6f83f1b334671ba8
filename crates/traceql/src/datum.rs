//! Values during evaluation, and how they compare and compute.

use std::cmp::Ordering;

use plan::number::arithmetic;
use plan::{ArithmeticOperator, Comparison, Number};
use types::Value;

/// A value of an expression for one span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Datum<'a> {
    /// No value.
    Nil,
    Integer(i64),
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    Text(&'a str),
    Boolean(bool),
    Status(&'a str),
    Kind(&'a str),
    List(&'a [Option<Value>]),
    /// An object, which is a value but equal to nothing.
    Object,
}

impl<'a> Datum<'a> {
    /// Returns a stored value.
    pub(crate) fn of(value: Option<&'a Value>) -> Self {
        match value {
            None => Self::Nil,
            Some(Value::String(text)) => Self::Text(text),
            Some(Value::Integer(number)) => Self::Integer(*number),
            Some(Value::Float(number)) => Self::Float(*number),
            Some(Value::Boolean(truth)) => Self::Boolean(*truth),
            Some(Value::Timestamp(instant)) => Self::Integer(instant.0),
            Some(Value::List(items)) => Self::List(items),
            Some(Value::Object(_)) => Self::Object,
        }
    }

    /// Returns the value as an answer shows it: durations in nanoseconds.
    pub(crate) fn to_value(self) -> Option<Value> {
        Some(match self {
            Self::Nil | Self::Object => return None,
            Self::Integer(number) | Self::Duration(number) => Value::Integer(number),
            Self::Float(number) => Value::Float(number),
            Self::Text(text) | Self::Status(text) | Self::Kind(text) => Value::text(text),
            Self::Boolean(truth) => Value::Boolean(truth),
            Self::List(items) => Value::List(items.to_vec().into()),
        })
    }

    pub(crate) fn is_true(self) -> bool {
        self == Self::Boolean(true)
    }

    /// Returns the value as a number; durations as nanoseconds.
    pub(crate) fn number(self) -> Option<Number> {
        match self {
            Self::Integer(number) | Self::Duration(number) => Some(Number::Integer(number.into())),
            Self::Float(number) => Some(Number::Float(number)),
            _ => None,
        }
    }

    /// Compares two values of one type; `None` for others.
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(&b)),
            (Self::Status(a), Self::Status(b)) | (Self::Kind(a), Self::Kind(b)) => Some(a.cmp(b)),
            (a, b) => Some(a.number()?.compare(b.number()?)),
        }
    }
}

/// Reports whether a comparison holds. It never does where a value is missing or the types differ. One element of a list is
/// enough; `!=` holds if an element has the type of the other side and none is equal to it.
pub(crate) fn compare(comparison: Comparison, left: Datum<'_>, right: Datum<'_>) -> bool {
    match (left, right) {
        (Datum::List(_), Datum::List(_)) => false,
        (Datum::List(items), scalar) => compare_elements(comparison, items, scalar),
        (scalar, Datum::List(items)) => compare_elements(comparison.swapped(), items, scalar),
        (left, right) => left.order(right).is_some_and(|order| comparison.holds(order)),
    }
}

fn compare_elements(comparison: Comparison, items: &[Option<Value>], scalar: Datum<'_>) -> bool {
    if comparison != Comparison::NotEqual {
        return any_element(items, &mut |element| compare(comparison, element, scalar));
    }
    any_element(items, &mut |element| element.order(scalar).is_some())
        && !any_element(items, &mut |element| compare(Comparison::Equal, element, scalar))
}

/// Reports whether a condition holds for an element of a list, or of lists in it.
pub(crate) fn any_element(items: &[Option<Value>], holds: &mut dyn FnMut(Datum<'_>) -> bool) -> bool {
    items.iter().flatten().any(|item| match item {
        Value::List(inner) => any_element(inner, holds),
        item => holds(Datum::of(Some(item))),
    })
}

/// Computes with numbers. Two whole numbers give a whole one, truncated as in Tempo; division by zero and overflow give no
/// value.
pub(crate) fn compute<'a>(operator: ArithmeticOperator, left: Datum<'_>, right: Datum<'_>) -> Datum<'a> {
    if let (Datum::Integer(a), Datum::Integer(b)) = (left, right) {
        let whole = match operator {
            ArithmeticOperator::Add => a.checked_add(b),
            ArithmeticOperator::Subtract => a.checked_sub(b),
            ArithmeticOperator::Multiply => a.checked_mul(b),
            ArithmeticOperator::Divide => a.checked_div(b),
            ArithmeticOperator::Remainder => a.checked_rem(b),
            ArithmeticOperator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        };
        return whole.map_or(Datum::Nil, Datum::Integer);
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else { return Datum::Nil };
    let result = arithmetic(operator, Number::Float(a.as_float()), Number::Float(b.as_float()));
    let number = result.map(Number::as_float);
    match number {
        None => Datum::Nil,
        Some(number) if is_length(operator, left, right) && number.abs() < i64::MAX as f64 => {
            Datum::Duration(number.round() as i64)
        }
        Some(number) => Datum::Float(number),
    }
}

/// Reports whether the result of arithmetic is a duration.
fn is_length(operator: ArithmeticOperator, left: Datum<'_>, right: Datum<'_>) -> bool {
    let is_sum = matches!(operator, ArithmeticOperator::Add | ArithmeticOperator::Subtract);
    is_sum && matches!((left, right), (Datum::Duration(_), Datum::Duration(_)))
}
