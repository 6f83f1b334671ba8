//! Arithmetic in decimals, so that `mulf 3 0.1` is 0.3.

/// Digits after the point of a quotient.
const QUOTIENT_DIGITS: i32 = 16;

/// `digits · 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Computes from left to right; `None` is a division by zero.
pub(super) fn calculate(first: f64, others: &[f64], operation: Operation) -> Option<f64> {
    let mut exact = Decimal::of(first);
    let mut nearly = first;
    for other in others {
        if operation == Operation::Divide && *other == 0.0 {
            return None;
        }
        exact = exact.zip(Decimal::of(*other)).and_then(|(left, right)| left.with(right, operation));
        nearly = match operation {
            Operation::Add => nearly + other,
            Operation::Subtract => nearly - other,
            Operation::Multiply => nearly * other,
            Operation::Divide => nearly / other,
        };
    }
    // Numbers with too many digits for decimals are close enough as they are.
    Some(exact.map_or(nearly, Decimal::value))
}

impl Decimal {
    fn of(number: f64) -> Option<Self> {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let n_fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits = mantissa.replace('.', "").parse().ok()?;
        Some(Self { digits, exponent: exponent.parse::<i32>().ok()? - i32::try_from(n_fraction).ok()? })
    }

    fn value(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// Returns the same number with an exponent that is not greater.
    fn at(self, exponent: i32) -> Option<i128> {
        let n_places = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10i128.checked_pow(n_places)?)
    }

    fn with(self, other: Self, operation: Operation) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        match operation {
            Operation::Add => Some(Self { digits: self.at(exponent)?.checked_add(other.at(exponent)?)?, exponent }),
            Operation::Subtract => {
                Some(Self { digits: self.at(exponent)?.checked_sub(other.at(exponent)?)?, exponent })
            }
            Operation::Multiply => {
                let digits = self.digits.checked_mul(other.digits)?;
                Some(Self { digits, exponent: self.exponent.checked_add(other.exponent)? })
            }
            Operation::Divide => {
                let dividend = self.at(other.exponent - QUOTIENT_DIGITS)?;
                let (quotient, rest) = (dividend / other.digits, dividend % other.digits);
                // Halves are rounded away from zero.
                let is_up = rest.unsigned_abs().checked_mul(2)? >= other.digits.unsigned_abs();
                let sign = (dividend.signum() * other.digits.signum()) * i128::from(is_up);
                Some(Self { digits: quotient.checked_add(sign)?, exponent: -QUOTIENT_DIGITS })
            }
        }
    }
}
