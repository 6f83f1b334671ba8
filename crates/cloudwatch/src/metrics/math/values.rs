//! Operations on numbers, series and lists of series.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::Operator;
use super::{MathProblem, MathValue, Series};

type Outcome = Result<MathValue, MathProblem>;

/// Changes each value.
pub(super) fn each(value: MathValue, change: impl Fn(f64) -> f64) -> Outcome {
    Ok(match value {
        MathValue::Number(number) => MathValue::Number(change(number)),
        MathValue::Series(series) => MathValue::Series(series.map(|_, value| change(value))),
        MathValue::List(list) => {
            MathValue::List(list.iter().map(|series| series.map(|_, value| change(value))).collect())
        }
    })
}

/// Applies an operator between two values.
pub(super) fn binary(operator: Operator, left: MathValue, right: MathValue) -> Outcome {
    let change = |a: f64, b: f64| operator.apply(a, b);
    Ok(match (left, right) {
        (MathValue::Number(a), MathValue::Number(b)) => MathValue::Number(change(a, b)),
        (MathValue::Number(a), right) => return each(right, |b| change(a, b)),
        (left, MathValue::Number(b)) => return each(left, |a| change(a, b)),
        (MathValue::Series(a), MathValue::Series(b)) => MathValue::Series(joined(&a, &b, change)?),
        (MathValue::Series(a), MathValue::List(list)) => {
            let joined = |b: &Series| Ok(Series { label: b.label.clone(), ..joined(&a, b, change)? });
            MathValue::List(list.iter().map(joined).collect::<Result<_, MathProblem>>()?)
        }
        (MathValue::List(list), MathValue::Series(b)) => {
            MathValue::List(list.iter().map(|a| joined(a, &b, change)).collect::<Result<_, _>>()?)
        }
        (MathValue::List(_), MathValue::List(_)) => {
            return Err(MathProblem("an operation between two lists of series is not possible".to_owned()));
        }
    })
}

/// Returns a datapoint at each time that one of them has; a missing value of the other is 0.
fn joined(a: &Series, b: &Series, change: impl Fn(f64, f64) -> f64) -> Result<Series, MathProblem> {
    same_period([a, b].into_iter())?;
    let times: BTreeSet<i64> = a.points.keys().chain(b.points.keys()).copied().collect();
    let value = |of: &Series, time: i64| of.points.get(&time).copied().unwrap_or(0.0);
    let pairs = times.into_iter().map(|time| (time, change(value(a, time), value(b, time))));
    let points: BTreeMap<i64, f64> = pairs.filter(|(_, value)| value.is_finite()).collect();
    Ok(Series { points, ..a.clone() })
}

/// Checks that datapoints can be brought together by their times.
pub(super) fn same_period<'s>(mut series: impl Iterator<Item = &'s Series>) -> Result<(), MathProblem> {
    let Some(first) = series.next() else { return Ok(()) };
    match series.find(|other| other.period_ms != first.period_ms) {
        None => Ok(()),
        Some(other) => {
            let (a, b) = (first.period_ms / 1_000, other.period_ms / 1_000);
            Err(MathProblem(format!(
                "periods of {a} s and {b} s in one expression are not supported; use the same for all"
            )))
        }
    }
}

impl Operator {
    fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |is_true: bool| if is_true { 1.0 } else { 0.0 };
        match self {
            Self::Or => truth(a != 0.0 || b != 0.0),
            Self::And => truth(a != 0.0 && b != 0.0),
            Self::Equal => truth(a == b),
            Self::Unequal => truth(a != b),
            Self::LessOrEqual => truth(a <= b),
            Self::GreaterOrEqual => truth(a >= b),
            Self::Less => truth(a < b),
            Self::Greater => truth(a > b),
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
        }
    }
}
