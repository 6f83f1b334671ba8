//! How values count as numbers, compare and sort: LANGUAGE §4 and the decided rules 4 to 8, 15.

use std::cmp::Ordering;

use types::{Timestamp, Value};

use super::Cell;

/// A number without loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Decimal(f64),
}

/// Rule 4: sign, digits, fraction, exponent, all of the text.
fn read(text: &str) -> Option<Number> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let has_form = digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !has_form {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        return Some(text.parse().map_or_else(|_| Number::Decimal(text.parse().expect("digits")), Number::Whole));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Decimal)
}

/// What a value is as a number for comparison: booleans and times are none.
fn plain_number(value: &Value) -> Option<Number> {
    match value {
        Value::Integer(number) => Some(Number::Whole((*number).into())),
        Value::Float(number) => Some(Number::Decimal(*number)),
        Value::String(text) => read(text),
        _ => None,
    }
}

/// What a value counts as in arithmetic and aggregates.
pub(crate) fn number(cell: &Cell) -> Option<Number> {
    match cell.as_ref()? {
        Value::Boolean(truth) => Some(Number::Whole((*truth).into())),
        Value::Timestamp(Timestamp(nanos)) => Some(Number::Decimal(*nanos as f64 / 1e6)),
        other => plain_number(other),
    }
}

impl Number {
    pub(crate) fn decimal(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Decimal(number) => number,
        }
    }

    /// The value that a result is shown as.
    pub(crate) fn value(self) -> Cell {
        match self {
            Self::Whole(number) => {
                Some(i64::try_from(number).map_or_else(|_| Value::Float(number as f64), Value::Integer))
            }
            Self::Decimal(number) => number.is_finite().then_some(Value::Float(number)),
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (Self::Decimal(a), Self::Decimal(b)) => a.partial_cmp(&b).expect("no number is NaN"),
            (Self::Decimal(_), Self::Whole(_)) => other.order(self).reverse(),
            (Self::Whole(a), Self::Decimal(b)) if b.abs() > 1.6e38 => 0.0f64.partial_cmp(&b).unwrap_or(a.cmp(&0)),
            (Self::Whole(a), Self::Decimal(b)) => {
                // Against the next whole number below: equal means that the fraction decides.
                let below = b.floor();
                a.cmp(&(below as i128)).then(if b > below { Ordering::Less } else { Ordering::Equal })
            }
        }
    }
}

/// How the comparison operators see two values; nothing where one is missing.
pub(crate) fn compare(a: &Cell, b: &Cell) -> Option<Ordering> {
    let (a, b) = (a.as_ref()?, b.as_ref()?);
    Some(match (a, b) {
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Timestamp(time), other) => compare_time(*time, other),
        (other, Value::Timestamp(time)) => compare_time(*time, other).reverse(),
        _ => match (plain_number(a), plain_number(b)) {
            (Some(a), Some(b)) => a.order(b),
            _ => a.to_string().cmp(&b.to_string()),
        },
    })
}

fn compare_time(time: Timestamp, other: &Value) -> Ordering {
    if let Value::String(text) = other
        && let Some(instant) = Timestamp::parse_rfc3339(text)
    {
        return time.cmp(&instant);
    }
    match plain_number(other) {
        Some(Number::Whole(number)) => {
            let unit = if number.abs() < 100_000_000_000 { 1_000_000_000 } else { 1_000_000 };
            i128::from(time.0).cmp(&number.saturating_mul(unit))
        }
        Some(Number::Decimal(number)) => {
            let unit = if number.abs() < 1e11 { 1e9 } else { 1e6 };
            i128::from(time.0).cmp(&((number * unit).round() as i128))
        }
        None => time.to_string().cmp(&other.to_string()),
    }
}

/// The severity that a spelling means.
pub(crate) fn severity(text: &str) -> Option<i64> {
    Some(match text.to_ascii_lowercase().as_str() {
        "trace" | "10" => 1,
        "debug" | "20" => 2,
        "info" | "notice" | "30" => 3,
        "warn" | "warning" | "40" => 4,
        "error" | "err" | "50" => 5,
        "fatal" | "panic" | "60" => 6,
        _ => return None,
    })
}

/// Text before numbers and times, missing last.
pub(crate) fn sort_order(a: &Cell, b: &Cell) -> Ordering {
    let rank = |cell: &Cell| match cell {
        None => 3,
        Some(Value::Timestamp(_)) => 2,
        Some(value) => i32::from(plain_number(value).is_some()),
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(Value::Timestamp(a)), Some(Value::Timestamp(b))) => a.cmp(b),
        (Some(a), Some(b)) => match (plain_number(a), plain_number(b)) {
            (Some(a), Some(b)) => a.order(b),
            _ => a.to_string().cmp(&b.to_string()),
        },
        _ => Ordering::Equal,
    })
}

/// The order of values that differ in type only, too.
pub(crate) fn strict_order(a: &Cell, b: &Cell) -> Ordering {
    let kind = |cell: &Cell| match cell {
        Some(Value::Integer(_)) => 0,
        Some(Value::Float(_)) => 1,
        Some(Value::Boolean(_)) => 2,
        Some(Value::Timestamp(_)) => 3,
        Some(Value::String(_)) => 4,
        Some(_) => 5,
        None => 6,
    };
    let text = |cell: &Cell| cell.as_ref().map(ToString::to_string);
    sort_order(a, b).then(kind(a).cmp(&kind(b))).then_with(|| text(a).cmp(&text(b)))
}

/// Equal for values that groups take for one: of one type, and equal; 3.0 is 3.
pub(crate) fn key(cell: &Cell) -> String {
    match cell {
        None => "missing".to_owned(),
        Some(Value::Float(number)) if number.fract() == 0.0 && number.abs() < 9.2e18 => format!("n{}", *number as i64),
        Some(Value::Integer(number)) => format!("n{number}"),
        Some(Value::Float(number)) => format!("f{number:e}"),
        Some(Value::String(text)) => format!("s{text}"),
        Some(Value::Boolean(truth)) => format!("b{truth}"),
        Some(Value::Timestamp(time)) => format!("t{time}"),
        Some(nested) => format!("j{nested}"),
    }
}
