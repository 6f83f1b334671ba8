//! A panel's expression over the series of its queries: point by point, pairing series with equal labels.

use std::collections::BTreeMap;

use super::series::{PanelSeries, instants};
use crate::expression::{Expression, Operator};

/// The value of a part of an expression.
enum Operand {
    Number(f64),
    Series(Vec<PanelSeries>),
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
            vec![PanelSeries { name: text.to_owned(), labels: Vec::new(), points }]
        }
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
    let mapped = |mut series: Vec<PanelSeries>, by: &dyn Fn(f64) -> f64| {
        for one in &mut series {
            one.points.iter_mut().for_each(|point| point.1 = by(point.1));
            one.points.retain(|point| point.1.is_finite());
        }
        Operand::Series(series)
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

/// Returns the points that both have; what is no number is left out.
fn joined(operator: Operator, left: &PanelSeries, right: &PanelSeries) -> PanelSeries {
    let value = |(ms, value): &(i64, f64)| Some((*ms, computed(operator, *value, right.at(*ms)?)));
    let points = left.points.iter().filter_map(value).filter(|(_, value)| value.is_finite()).collect();
    let named = if left.labels.is_empty() { right } else { left };
    PanelSeries { points, ..named.clone() }
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
mod tests {
    use super::*;

    fn series(labels: &[(&str, &str)], points: &[(i64, f64)]) -> PanelSeries {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        PanelSeries { name: "n".to_owned(), labels, points: points.to_vec() }
    }

    #[test]
    fn series_with_equal_labels_are_computed_point_by_point() {
        let a = vec![series(&[("h", "x")], &[(0, 1.0), (1, 2.0)]), series(&[("h", "y")], &[(0, 5.0)])];
        let b = vec![series(&[("h", "x")], &[(0, 4.0), (1, 0.0)])];
        let of = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        let percent = evaluated("a / b * 100", &of).expect("an expression");
        assert_eq!(percent, [series(&[("h", "x")], &[(0, 25.0)])]);
        let negated = evaluated("-a", &of).expect("an expression");
        assert_eq!(negated[1].points, [(0, -5.0)]);
        assert_eq!(evaluated("1 + 1", &of).expect("an expression")[0].points, [(0, 2.0), (1, 2.0)]);
        let total = vec![series(&[], &[(0, 10.0)])];
        let of = BTreeMap::from([("a".to_owned(), of["a"].clone()), ("b".to_owned(), total)]);
        assert_eq!(evaluated("a / b", &of).expect("an expression").len(), 2);
        assert!(evaluated("a /", &of).is_err());
    }
}
