//! A panel's expression over the series of its queries: point by point, pairing series with equal labels. A point at the end of a
//! bin is computed with the point at its start, and a value without a time with every point of the other side.

use std::collections::BTreeMap;

use types::Locale;

use super::series::{PanelSeries, Timing, instants};
use crate::expression::{Expression, Operator};

/// The value of a part of an expression.
enum Operand {
    Number(f64),
    Series(Vec<PanelSeries>),
}

/// Why an expression has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// The query with this id found no numbers.
    Empty(String),
    /// No two series have the same labels.
    Labels,
    /// No two points have the same time, or what divides is zero.
    Times,
}

impl NoValue {
    /// Returns the sentence that a reader sees.
    pub(super) fn text(&self, locale: Locale) -> String {
        match (self, locale) {
            (Self::Empty(id), Locale::English) => {
                format!("The expression has no value: query {id} found no numbers in this range.")
            }
            (Self::Empty(id), Locale::Indonesian) => {
                format!("Ekspresi tidak punya nilai: kueri {id} tidak menemukan angka dalam rentang ini.")
            }
            (Self::Labels, _) => locale
                .text(
                    "The expression has no value: no two series of the queries have the same labels.",
                    "Ekspresi tidak punya nilai: tidak ada dua deret dari kueri yang labelnya sama.",
                )
                .to_owned(),
            (Self::Times, _) => locale
                .text(
                    "The expression has no value: the queries have no points at the same time, or it divides by zero.",
                    "Ekspresi tidak punya nilai: kueri tidak punya titik pada waktu yang sama, atau ada pembagian dengan nol.",
                )
                .to_owned(),
        }
    }
}

/// Evaluates an expression over the series of queries by their ids.
///
/// # Errors
///
/// What is wrong with the expression.
pub(super) fn evaluated(text: &str, of: &BTreeMap<String, Vec<PanelSeries>>) -> Result<Vec<PanelSeries>, String> {
    let expression = Expression::parse(text)?;
    Ok(match value_of(&expression, of) {
        Operand::Series(series) => series,
        // A number alone is a line at every instant that there is.
        Operand::Number(value) => {
            let all: Vec<PanelSeries> = of.values().flatten().cloned().collect();
            let points = instants(&all).into_iter().map(|ms| (ms, value)).collect();
            vec![PanelSeries { name: text.to_owned(), points, ..PanelSeries::default() }]
        }
    })
}

/// Returns why an expression over the series of queries gave no value; `None` if it gave one.
pub(super) fn why_no_value(
    text: &str,
    results: &[PanelSeries],
    of: &BTreeMap<String, Vec<PanelSeries>>,
) -> Option<NoValue> {
    let is_empty = |series: &[PanelSeries]| series.iter().all(|one| one.points.is_empty());
    if !is_empty(results) {
        return None;
    }
    let expression = Expression::parse(text).ok()?;
    let empty = expression.ids().into_iter().find(|id| of.get(*id).is_some_and(|series| is_empty(series)));
    Some(match empty {
        Some(id) => NoValue::Empty(id.to_owned()),
        None if results.is_empty() => NoValue::Labels,
        None => NoValue::Times,
    })
}

fn value_of(expression: &Expression, of: &BTreeMap<String, Vec<PanelSeries>>) -> Operand {
    match expression {
        Expression::Number(number) => Operand::Number(*number),
        Expression::Query(id) => Operand::Series(of.get(id).cloned().unwrap_or_default()),
        Expression::Minus(inner) => applied(Operator::Times, Operand::Number(-1.0), value_of(inner, of)),
        Expression::Pair(left, operator, right) => applied(*operator, value_of(left, of), value_of(right, of)),
    }
}

fn applied(operator: Operator, left: Operand, right: Operand) -> Operand {
    let mapped = |series: Vec<PanelSeries>, by: &dyn Fn(f64) -> f64| {
        Operand::Series(series.into_iter().map(|one| with_values(one, &|(_, value)| Some(by(value)))).collect())
    };
    match (left, right) {
        (Operand::Number(left), Operand::Number(right)) => Operand::Number(computed(operator, left, right)),
        (Operand::Number(left), Operand::Series(right)) => mapped(right, &|value| computed(operator, left, value)),
        (Operand::Series(left), Operand::Number(right)) => mapped(left, &|value| computed(operator, value, right)),
        (Operand::Series(left), Operand::Series(right)) => {
            Operand::Series(pairs(&left, &right).into_iter().map(|(a, b)| joined(operator, a, b)).collect())
        }
    }
}

fn computed(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Over => left / right,
    }
}

/// Returns the series with other values at its points; what is no number is left out.
fn with_values(series: PanelSeries, by: &dyn Fn((i64, f64)) -> Option<f64>) -> PanelSeries {
    let value = |point: &(i64, f64)| Some((point.0, by(*point).filter(|value| value.is_finite())?));
    let points = series.points.iter().filter_map(value).collect();
    PanelSeries { points, ..series }
}

/// Returns the points that both have.
fn joined(operator: Operator, left: &PanelSeries, right: &PanelSeries) -> PanelSeries {
    let of_times = match (left.constant(), right.constant()) {
        (Some(one), _) if right.timing == Timing::Course => {
            with_values(right.clone(), &|(_, value)| Some(computed(operator, one, value)))
        }
        (_, Some(other)) if left.timing == Timing::Course => {
            with_values(left.clone(), &|(_, value)| Some(computed(operator, value, other)))
        }
        _ => {
            let (first, second) = at_same_times(left, right);
            with_values(first, &|(ms, value)| Some(computed(operator, value, second.at(ms)?)))
        }
    };
    let named = if left.labels.is_empty() { right } else { left };
    PanelSeries { name: named.name.clone(), labels: named.labels.clone(), ..of_times }
}

/// Returns both series with their points at times that mean the same.
fn at_same_times(left: &PanelSeries, right: &PanelSeries) -> (PanelSeries, PanelSeries) {
    // Two answers that are not by time are computed whatever their times are.
    if left.timing != Timing::Course && right.timing != Timing::Course {
        let timed = if left.timing == Timing::Timeless { right } else { left };
        return (PanelSeries { points: left.points.clone(), ..timed.clone() }, right.clone());
    }
    let (left, right) = (left.clone().at_its_time(), right.clone().at_its_time());
    if left.lag_ms == right.lag_ms { (left, right) } else { (left.at_starts(), right.at_starts()) }
}

/// Returns the series that belong together: with equal labels, or with the only one that has none.
fn pairs<'a>(left: &'a [PanelSeries], right: &'a [PanelSeries]) -> Vec<(&'a PanelSeries, &'a PanelSeries)> {
    let bare = |all: &'a [PanelSeries]| match all {
        [one] if one.labels.is_empty() => Some(one),
        _ => None,
    };
    if let Some(other) = bare(right) {
        return left.iter().map(|series| (series, other)).collect();
    }
    if let Some(one) = bare(left) {
        return right.iter().map(|series| (one, series)).collect();
    }
    let key = |series: &PanelSeries| {
        let mut labels = series.labels.clone();
        labels.sort();
        labels
    };
    let by_key: BTreeMap<_, _> = right.iter().map(|series| (key(series), series)).collect();
    left.iter().filter_map(|series| Some((series, *by_key.get(&key(series))?))).collect()
}

#[cfg(test)]
mod tests;
