//! Numbers as the language knows them: exact whole numbers, decimals, and text that reads as one of both.
//!
//! Whole numbers beyond `i64` come as text with their digits. They compare exactly up to 38 digits; arithmetic
//! turns them into decimals. No result is ever infinite or not a number: such a result is missing.

use std::cmp::Ordering;

use types::Value;

use crate::operator::ArithmeticOperator;

/// A number that is compared or computed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number, exactly.
    Integer(i128),
    /// A finite decimal number.
    Float(f64),
}

/// Two to the power of 127: from here on a decimal is beyond every [`Number::Integer`].
const INTEGER_END: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

impl Number {
    /// Reads text that is a number and nothing else: sign, digits, fraction, exponent.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let unsigned = match bytes.first()? {
            b'+' | b'-' => &bytes[1..],
            _ => bytes,
        };
        if !unsigned.first()?.is_ascii_digit() {
            return None;
        }
        let n_digits = count_digits(unsigned);
        let mut rest = &unsigned[n_digits..];
        if rest.is_empty()
            && let Ok(whole) = text.parse()
        {
            return Some(Self::Integer(whole));
        }
        if let [b'.', fraction @ ..] = rest {
            let n_fraction = count_digits(fraction);
            if n_fraction == 0 {
                return None;
            }
            rest = &fraction[n_fraction..];
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let exponent = match exponent {
                [b'+' | b'-', digits @ ..] => digits,
                digits => digits,
            };
            if exponent.is_empty() || count_digits(exponent) != exponent.len() {
                return None;
            }
            rest = &[];
        }
        let number: f64 = if rest.is_empty() { text.parse().ok()? } else { return None };
        number.is_finite().then_some(Self::Float(number))
    }

    /// Returns the number as a decimal; whole ones beyond 2^53 are rounded.
    pub fn as_float(self) -> f64 {
        match self {
            Self::Integer(whole) => whole as f64,
            Self::Float(number) => number,
        }
    }

    /// Returns the number as a value of a row: whole where it fits, else decimal, missing where it is not finite.
    pub fn into_value(self) -> Option<Value> {
        match self {
            Self::Integer(whole) => Some(match i64::try_from(whole) {
                Ok(whole) => Value::Integer(whole),
                Err(_) => Value::Float(whole as f64),
            }),
            Self::Float(number) => number.is_finite().then_some(Value::Float(number)),
        }
    }

    /// Compares two numbers by value, exactly.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Integer(a), Self::Float(b)) => compare_whole(a, b),
            (Self::Float(a), Self::Integer(b)) => compare_whole(b, a).reverse(),
        }
    }

    /// Returns the whole number below `i64`'s end that it is, `None` for others: those compute as decimals.
    fn small(self) -> Option<i64> {
        match self {
            Self::Integer(whole) => i64::try_from(whole).ok(),
            Self::Float(_) => None,
        }
    }
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn compare_whole(whole: i128, decimal: f64) -> Ordering {
    if decimal >= INTEGER_END {
        return Ordering::Less;
    }
    if decimal < -INTEGER_END {
        return Ordering::Greater;
    }
    let cut = decimal.trunc();
    whole.cmp(&(cut as i128)).then_with(|| cut.partial_cmp(&decimal).unwrap_or(Ordering::Equal))
}

/// Computes `a operator b`; missing for division by zero and for what is not finite.
pub fn arithmetic(operator: ArithmeticOperator, a: Number, b: Number) -> Option<Number> {
    let exact = match (a.small(), b.small()) {
        (Some(a), Some(b)) => whole_arithmetic(operator, a, b)?,
        _ => None,
    };
    if let Some(whole) = exact {
        return Some(Number::Integer(i128::from(whole)));
    }
    let (x, y) = (a.as_float(), b.as_float());
    let result = match operator {
        ArithmeticOperator::Add => x + y,
        ArithmeticOperator::Subtract => x - y,
        ArithmeticOperator::Multiply => x * y,
        ArithmeticOperator::Divide => x / y,
        ArithmeticOperator::Remainder => x % y,
        ArithmeticOperator::Power => x.powf(y),
    };
    result.is_finite().then_some(Number::Float(result))
}

/// Returns the exact result, `Some(None)` where only a decimal can say it, `None` for division by zero.
fn whole_arithmetic(operator: ArithmeticOperator, a: i64, b: i64) -> Option<Option<i64>> {
    Some(match operator {
        ArithmeticOperator::Add => a.checked_add(b),
        ArithmeticOperator::Subtract => a.checked_sub(b),
        ArithmeticOperator::Multiply => a.checked_mul(b),
        ArithmeticOperator::Divide | ArithmeticOperator::Remainder if b == 0 => return None,
        ArithmeticOperator::Divide => (a.checked_rem(b) == Some(0)).then(|| a / b),
        // The one overflow, of the least number by -1, has the remainder 0.
        ArithmeticOperator::Remainder => Some(a.checked_rem(b).unwrap_or(0)),
        ArithmeticOperator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    })
}

#[cfg(test)]
mod tests;
