//! Series of numbers over the same steps: merging them by labels, calculating with them.

use std::collections::BTreeMap;

use super::metric::{AggregationKind, BinaryOperator, Grouping};

/// Names and values of labels, in the order of the names; a label without value is not there.
pub(super) type Labels = BTreeMap<String, String>;

/// One number per step, where there is one.
pub(super) type Values = Vec<Option<f64>>;

/// What a part of a metric query gives.
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    /// The same number at every step.
    Scalar(f64),
    /// Series by their labels.
    Vector(BTreeMap<Labels, Values>),
}

fn kept(labels: &Labels, grouping: &Grouping) -> Labels {
    let is_kept = |name: &String| match grouping {
        Grouping::By(names) => names.contains(name),
        Grouping::Without(names) => !names.contains(name),
    };
    labels.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Merges series step by step.
pub(super) fn aggregate(
    series: BTreeMap<Labels, Values>,
    kind: AggregationKind,
    grouping: &Grouping,
) -> BTreeMap<Labels, Values> {
    let mut groups: BTreeMap<Labels, Vec<(Labels, Values)>> = BTreeMap::new();
    for (labels, values) in series {
        groups.entry(kept(&labels, grouping)).or_default().push((labels, values));
    }
    let mut merged = BTreeMap::new();
    for (labels, members) in groups {
        match kind {
            AggregationKind::Top(n) => merged.extend(best(members, n, |a, b| b.total_cmp(a))),
            AggregationKind::Bottom(n) => merged.extend(best(members, n, f64::total_cmp)),
            _ => {
                merged.insert(labels, merge(&members, kind));
            }
        }
    }
    merged
}

fn merge(members: &[(Labels, Values)], kind: AggregationKind) -> Values {
    let n_steps = members.first().map_or(0, |(_, values)| values.len());
    let at_step = |step: usize| {
        let present = || members.iter().filter_map(|(_, values)| values[step]);
        let count = present().count();
        if count == 0 {
            return None;
        }
        Some(match kind {
            AggregationKind::Min => present().fold(f64::INFINITY, f64::min),
            AggregationKind::Max => present().fold(f64::NEG_INFINITY, f64::max),
            AggregationKind::Average => present().sum::<f64>() / count as f64,
            AggregationKind::Count => count as f64,
            _ => present().sum(),
        })
    };
    (0..n_steps).map(at_step).collect()
}

/// The `n` first series of each step in the order `compare`, equal ones in the order of their labels.
fn best(
    mut members: Vec<(Labels, Values)>,
    n: usize,
    compare: fn(&f64, &f64) -> std::cmp::Ordering,
) -> Vec<(Labels, Values)> {
    let n_steps = members.first().map_or(0, |(_, values)| values.len());
    for step in 0..n_steps {
        let mut order: Vec<(f64, usize)> =
            members.iter().enumerate().filter_map(|(index, (_, values))| Some((values[step]?, index))).collect();
        order.sort_by(|a, b| compare(&a.0, &b.0));
        for (_, index) in order.into_iter().skip(n) {
            members[index].1[step] = None;
        }
    }
    members.retain(|(_, values)| values.iter().any(Option::is_some));
    members
}

/// `left operator right` of two numbers; `None` is a comparison that does not hold and filters.
fn calculate(operator: BinaryOperator, gives_bool: bool, left: f64, right: f64) -> Option<f64> {
    let holds = match operator {
        BinaryOperator::Add => return Some(left + right),
        BinaryOperator::Subtract => return Some(left - right),
        BinaryOperator::Multiply => return Some(left * right),
        BinaryOperator::Divide => return Some(left / right),
        BinaryOperator::Remainder => return Some(left % right),
        BinaryOperator::Power => return Some(left.powf(right)),
        BinaryOperator::Equal => left == right,
        BinaryOperator::NotEqual => left != right,
        BinaryOperator::Greater => left > right,
        BinaryOperator::GreaterOrEqual => left >= right,
        BinaryOperator::Less => left < right,
        BinaryOperator::LessOrEqual => left <= right,
    };
    match (gives_bool, holds) {
        (true, holds) => Some(f64::from(u8::from(holds))),
        (false, true) => Some(left),
        (false, false) => None,
    }
}

fn each(series: BTreeMap<Labels, Values>, calculate: impl Fn(f64) -> Option<f64>) -> Numbers {
    let changed = |(labels, values): (Labels, Values)| {
        let values: Values = values.into_iter().map(|value| value.and_then(&calculate)).collect();
        values.iter().any(Option::is_some).then_some((labels, values))
    };
    Numbers::Vector(series.into_iter().filter_map(changed).collect())
}

/// Calculates with two results. Series meet those with the same labels; the others are left out.
pub(super) fn combine(operator: BinaryOperator, gives_bool: bool, left: Numbers, right: Numbers) -> Numbers {
    let of = |left: f64, right: f64| calculate(operator, gives_bool, left, right);
    match (left, right) {
        // Between two numbers a comparison is always 0 or 1.
        (Numbers::Scalar(left), Numbers::Scalar(right)) => {
            Numbers::Scalar(calculate(operator, true, left, right).unwrap_or(f64::NAN))
        }
        (Numbers::Vector(series), Numbers::Scalar(right)) => each(series, |left| of(left, right)),
        (Numbers::Scalar(left), Numbers::Vector(series)) => {
            // A comparison that holds keeps the value of the series, on whichever side it stands.
            each(series, |right| {
                let result = of(left, right)?;
                let is_filter = !gives_bool && is_comparison(operator);
                Some(if is_filter { right } else { result })
            })
        }
        (Numbers::Vector(left), Numbers::Vector(mut right)) => {
            let mut series = BTreeMap::new();
            for (labels, left_values) in left {
                let Some(right_values) = right.remove(&labels) else { continue };
                let pairs = left_values.into_iter().zip(right_values);
                let values: Values = pairs.map(|(left, right)| of(left?, right?)).collect();
                if values.iter().any(Option::is_some) {
                    series.insert(labels, values);
                }
            }
            Numbers::Vector(series)
        }
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    use BinaryOperator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(operator, Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual)
}
