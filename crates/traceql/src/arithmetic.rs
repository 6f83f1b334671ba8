//! Arithmetic of series and numbers.
//!
//! As in Tempo, series of both sides belong together if they have the same labels, and a series without labels belongs to each
//! series of the other side; series that belong to none are left out. A missing point counts as 0, and a division by 0 gives no
//! point. The name of a function is no label of its own.

use std::collections::{BTreeMap, HashMap};

use plan::ArithmeticOperator;
use types::{TimeRange, Timestamp, Value};

use crate::literal::Literal;
use crate::series::{NAME_LABEL, Series, SeriesPlan, apply, sort};
use crate::syntax::SecondStage;

/// Several metrics queries, joined by arithmetic.
#[derive(Clone, Debug)]
pub struct ArithmeticPlan {
    /// The range of the events of all of them.
    pub range: TimeRange,
    pub(crate) operand: Operand,
}

/// One side of an operator.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Number(f64),
    Series(Box<SeriesPlan>),
    Binary(ArithmeticOperator, Box<Operand>, Box<Operand>),
    Second(Box<Operand>, Vec<SecondStage>),
}

/// The value of an operand.
enum Computed {
    Number(f64),
    Series(Vec<Series>),
}

/// The rows that a plan gives.
type Rows = Vec<Vec<Option<Value>>>;

impl ArithmeticPlan {
    /// Returns the series, given the rows of each plan.
    ///
    /// # Errors
    /// Those of `rows`.
    pub fn series<E>(&self, rows: &mut dyn FnMut(&SeriesPlan) -> Result<Rows, E>) -> Result<Vec<Series>, E> {
        Ok(match computed(&self.operand, rows)? {
            Computed::Series(series) => series,
            Computed::Number(_) => Vec::new(),
        })
    }
}

fn computed<E>(operand: &Operand, rows: &mut dyn FnMut(&SeriesPlan) -> Result<Rows, E>) -> Result<Computed, E> {
    Ok(match operand {
        Operand::Number(number) => Computed::Number(*number),
        Operand::Series(plan) => Computed::Series(plan.series(&rows(plan)?)),
        Operand::Second(inner, stages) => match computed(inner, rows)? {
            Computed::Series(mut series) => {
                stages.iter().for_each(|stage| apply(*stage, &mut series));
                series.retain(|series| !series.points.is_empty());
                Computed::Series(series)
            }
            number => number,
        },
        Operand::Binary(operator, left, right) => joined(*operator, computed(left, rows)?, computed(right, rows)?),
    })
}

fn joined(operator: ArithmeticOperator, left: Computed, right: Computed) -> Computed {
    match (left, right) {
        // Without a value, as after a division by 0, no point has one either.
        (Computed::Number(left), Computed::Number(right)) => {
            Computed::Number(value(operator, left, right).unwrap_or(f64::NAN))
        }
        (Computed::Series(series), Computed::Number(number)) => {
            let shown = Literal::Float(number).to_string();
            Computed::Series(with_number(
                series,
                |name| named(operator, name, &shown),
                |at| value(operator, at, number),
            ))
        }
        (Computed::Number(number), Computed::Series(series)) => {
            let shown = Literal::Float(number).to_string();
            Computed::Series(with_number(
                series,
                |name| named(operator, &shown, name),
                |at| value(operator, number, at),
            ))
        }
        (Computed::Series(left), Computed::Series(right)) => Computed::Series(pairs(operator, &left, &right)),
    }
}

/// Returns a value; `None` for a division by 0 and for what is no number.
fn value(operator: ArithmeticOperator, left: f64, right: f64) -> Option<f64> {
    let value = match operator {
        ArithmeticOperator::Add => left + right,
        ArithmeticOperator::Subtract => left - right,
        ArithmeticOperator::Multiply => left * right,
        ArithmeticOperator::Divide if right != 0.0 => left / right,
        _ => return None,
    };
    value.is_finite().then_some(value)
}

fn with_number(mut all: Vec<Series>, name: impl Fn(&str) -> String, value: impl Fn(f64) -> Option<f64>) -> Vec<Series> {
    for series in &mut all {
        series.points = series.points.iter().filter_map(|(time, at)| Some((*time, value(*at)?))).collect();
        let names = series.labels.iter_mut().filter(|(label, _)| label == NAME_LABEL);
        names.for_each(|(_, text)| *text = text.as_ref().map(|text| Value::text(name(&text.to_string()))));
    }
    all.retain(|series| !series.points.is_empty());
    all
}

fn named(operator: ArithmeticOperator, left: &str, right: &str) -> String {
    let sign = operator.name();
    format!("({left} {sign} {right})")
}

/// Returns the text by which series belong together.
fn key_of(series: &Series) -> String {
    let labels: Vec<_> = series.labels.iter().filter(|(name, _)| name != NAME_LABEL).collect();
    if labels.is_empty() { String::new() } else { format!("{labels:?}") }
}

/// Joins the series that belong together.
fn pairs(operator: ArithmeticOperator, left: &[Series], right: &[Series]) -> Vec<Series> {
    let by_key = |all: &[Series]| -> HashMap<String, usize> {
        all.iter().enumerate().map(|(place, series)| (key_of(series), place)).collect()
    };
    let (of_left, of_right) = (by_key(left), by_key(right));
    let found = |places: &HashMap<String, usize>, key: &str| places.get(key).or_else(|| places.get("")).copied();
    let wanted = if of_right.contains_key("") { &of_left } else { &of_right };
    let join = |key: &String| {
        let (a, b) = (&left[found(&of_left, key)?], &right[found(&of_right, key)?]);
        let points = points(operator, a, b);
        (!points.is_empty()).then(|| Series { labels: labels(operator, a, b), points, exemplars: Vec::new() })
    };
    let mut joined: Vec<Series> = wanted.keys().filter_map(join).collect();
    sort(&mut joined);
    joined
}

fn points(operator: ArithmeticOperator, left: &Series, right: &Series) -> Vec<(Timestamp, f64)> {
    let mut sides: BTreeMap<Timestamp, (f64, f64)> = BTreeMap::new();
    left.points.iter().for_each(|(time, value)| sides.entry(*time).or_default().0 = *value);
    right.points.iter().for_each(|(time, value)| sides.entry(*time).or_default().1 = *value);
    sides.into_iter().filter_map(|(time, (a, b))| Some((time, value(operator, a, b)?))).collect()
}

/// Returns the labels of a pair, one of which may have none but a name.
fn labels(operator: ArithmeticOperator, left: &Series, right: &Series) -> Vec<(String, Option<Value>)> {
    let name = |series: &Series| match series.labels.as_slice() {
        [(label, Some(name))] if label == NAME_LABEL => Some(name.to_string()),
        _ => None,
    };
    match (name(left), name(right)) {
        (Some(left), Some(right)) => vec![(NAME_LABEL.into(), Some(Value::text(named(operator, &left, &right))))],
        (Some(_), None) => right.labels.clone(),
        _ => left.labels.clone(),
    }
}

#[cfg(test)]
mod tests;
