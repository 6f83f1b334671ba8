//! Functions of numbers.

use types::Value;

use super::super::cell::Cell;
use plan::function::WholeWidth;
use plan::{ArithmeticOperator, DecimalFunction, TypedFunction};

fn whole(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(number),
        _ => None,
    }
}

pub(super) fn decimal(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Integer(number) => Some(number as f64),
        Cell::Float(number) => Some(number),
        _ => None,
    }
}

/// Returns a whole number that fits.
pub(super) fn fitting(number: Option<i64>, width: WholeWidth) -> Option<Value> {
    let number = number?;
    (width == WholeWidth::Long || i32::try_from(number).is_ok()).then_some(Value::Integer(number))
}

/// Returns the value of a function of numbers.
pub(super) fn scalar(function: TypedFunction, cells: &[Cell<'_>]) -> Option<Value> {
    match function {
        TypedFunction::Whole(operator, width) => {
            let (a, b) = (whole(cells[0])?, whole(*cells.get(1)?)?);
            let result = match operator {
                ArithmeticOperator::Add => a.checked_add(b),
                ArithmeticOperator::Subtract => a.checked_sub(b),
                ArithmeticOperator::Multiply => a.checked_mul(b),
                ArithmeticOperator::Divide => a.checked_div(b),
                ArithmeticOperator::Remainder if b == -1 => Some(0),
                ArithmeticOperator::Remainder => a.checked_rem(b),
                ArithmeticOperator::Power => None,
            };
            fitting(result, width)
        }
        TypedFunction::AbsoluteWhole(width) => fitting(whole(cells[0])?.checked_abs(), width),
        TypedFunction::Sign => decimal(cells[0]).map(|number| {
            Value::Float(if number > 0.0 {
                1.0
            } else if number < 0.0 {
                -1.0
            } else {
                0.0
            })
        }),
        TypedFunction::Round => round(cells[0], cells.get(1).copied().and_then(whole).unwrap_or(0)),
        TypedFunction::Decimal(function) => {
            let number = decimal(cells[0])?;
            let second = cells.get(1).map(|cell| decimal(*cell));
            let result = match second {
                Some(second) => of_two(function, number, second?)?,
                None => of_one(function, number)?,
            };
            result.is_finite().then_some(Value::Float(result))
        }
        _ => None,
    }
}

fn of_one(function: DecimalFunction, number: f64) -> Option<f64> {
    use DecimalFunction as D;
    Some(match function {
        D::Absolute => number.abs(),
        D::Ceil => number.ceil(),
        D::Floor => number.floor(),
        D::SquareRoot => number.sqrt(),
        D::CubeRoot => number.cbrt(),
        D::Exponential => number.exp(),
        D::Logarithm => number.ln(),
        D::LogarithmTo10 => number.log10(),
        D::Sine => number.sin(),
        D::Cosine => number.cos(),
        D::Tangent => number.tan(),
        D::InverseSine => number.asin(),
        D::InverseCosine => number.acos(),
        D::InverseTangent => number.atan(),
        D::HyperbolicSine => number.sinh(),
        D::HyperbolicCosine => number.cosh(),
        D::HyperbolicTangent => number.tanh(),
        D::ToDegrees => number.to_degrees(),
        D::ToRadians => number.to_radians(),
        D::LogarithmTo | D::Power | D::AngleOf | D::Hypotenuse => return None,
    })
}

fn of_two(function: DecimalFunction, a: f64, b: f64) -> Option<f64> {
    Some(match function {
        // A base of 1 gives no finite number.
        DecimalFunction::LogarithmTo if a <= 0.0 || b <= 0.0 => return None,
        DecimalFunction::LogarithmTo => b.ln() / a.ln(),
        DecimalFunction::Power => a.powf(b),
        DecimalFunction::AngleOf => a.atan2(b),
        DecimalFunction::Hypotenuse => a.hypot(b),
        _ => return None,
    })
}

/// Rounds halves away from zero.
fn round(cell: Cell<'_>, decimals: i64) -> Option<Value> {
    match cell {
        Cell::Integer(number) if decimals >= 0 => Some(Value::Integer(number)),
        Cell::Integer(number) => {
            let Some(unit) = u32::try_from(-decimals).ok().and_then(|n| 10i64.checked_pow(n)) else {
                return Some(Value::Integer(0));
            };
            let half = i128::from(unit / 2);
            let number = i128::from(number);
            let up = if number < 0 { number - half } else { number + half };
            let rounded = up / i128::from(unit) * i128::from(unit);
            i64::try_from(rounded).ok().map(Value::Integer)
        }
        Cell::Float(number) => {
            let unit = 10f64.powi(decimals.clamp(-400, 400) as i32);
            let rounded = (number.abs() * unit + 0.5).floor() / unit * number.signum();
            let is_exact = !rounded.is_finite() || number.abs() >= 9e15 || unit == 0.0;
            let rounded = if unit == 0.0 {
                0.0
            } else if is_exact {
                number
            } else {
                rounded
            };
            Some(Value::Float(rounded))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
