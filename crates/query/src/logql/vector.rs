//! Series of numbers over the same steps: merging them by labels, calculating with them.

use std::collections::BTreeMap;

use super::metric::{AggregationKind, Grouping, Relabelling};
use super::operator::{BinaryOperator, Matching, Side};

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
        Grouping::Without(names) => !names.contains(name) && name != TWIN,
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
            AggregationKind::Deviation | AggregationKind::Variance => {
                let mean = present().sum::<f64>() / count as f64;
                let variance = present().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
                if kind == AggregationKind::Deviation { variance.sqrt() } else { variance }
            }
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
        // Nothing is divided by zero, as in Loki.
        BinaryOperator::Divide => return Some(if right == 0.0 { f64::NAN } else { left / right }),
        BinaryOperator::Remainder => return Some(if right == 0.0 { f64::NAN } else { left % right }),
        BinaryOperator::Power => return Some(left.powf(right)),
        BinaryOperator::Equal => left == right,
        BinaryOperator::NotEqual => left != right,
        BinaryOperator::Greater => left > right,
        BinaryOperator::GreaterOrEqual => left >= right,
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Unless => return Some(left),
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

/// Calculates with two results. Series meet those with the same labels, or as `matching` says; the others are left out.
///
/// Errors: several series where one must be, as a text.
pub(super) fn combine(
    operator: BinaryOperator,
    matching: &Matching,
    left: Numbers,
    right: Numbers,
) -> Result<Numbers, String> {
    let of = |left: f64, right: f64| calculate(operator, matching.gives_bool, left, right);
    Ok(match (left, right) {
        // Between two numbers a comparison is always 0 or 1.
        (Numbers::Scalar(left), Numbers::Scalar(right)) => {
            Numbers::Scalar(calculate(operator, true, left, right).unwrap_or(f64::NAN))
        }
        (Numbers::Vector(series), Numbers::Scalar(right)) => each(series, |left| of(left, right)),
        (Numbers::Scalar(left), Numbers::Vector(series)) => {
            // A comparison that holds keeps the value of the series, on whichever side it stands.
            each(series, |right| {
                let result = of(left, right)?;
                let is_filter = !matching.gives_bool && is_comparison(operator);
                Some(if is_filter { right } else { result })
            })
        }
        (Numbers::Vector(left), Numbers::Vector(right)) => Numbers::Vector(match operator {
            BinaryOperator::And | BinaryOperator::Unless | BinaryOperator::Or => sets(operator, matching, left, right),
            _ => meet(operator, matching, left, right)?,
        }),
    })
}

type Many = BTreeMap<Labels, Values>;

fn key(labels: &Labels, matching: &Matching) -> Labels {
    matching.on.as_ref().map_or_else(|| labels.clone(), |grouping| kept(labels, grouping))
}

/// `and`, `or`, `unless`, step by step.
fn sets(operator: BinaryOperator, matching: &Matching, left: Many, right: Many) -> Many {
    // At which steps each key has a value.
    let presence = |side: &Many| {
        let mut steps: BTreeMap<Labels, Vec<bool>> = BTreeMap::new();
        for (labels, values) in side {
            let present = steps.entry(key(labels, matching)).or_insert_with(|| vec![false; values.len()]);
            present.iter_mut().zip(values).for_each(|(present, value)| *present |= value.is_some());
        }
        steps
    };
    let masked = |side: Many, other: &BTreeMap<Labels, Vec<bool>>, wanted: bool| {
        let mask = |(labels, mut values): (Labels, Values)| {
            let present = other.get(&key(&labels, matching));
            for (step, value) in values.iter_mut().enumerate() {
                if present.and_then(|present| present.get(step)).copied().unwrap_or(false) != wanted {
                    *value = None;
                }
            }
            values.iter().any(Option::is_some).then_some((labels, values))
        };
        side.into_iter().filter_map(mask).collect::<Many>()
    };
    if operator != BinaryOperator::Or {
        return masked(left, &presence(&right), operator == BinaryOperator::And);
    }
    let added = masked(right, &presence(&left), false);
    let mut all = left;
    for (labels, values) in added {
        match all.get_mut(&labels) {
            Some(known) => known.iter_mut().zip(values).for_each(|(known, value)| *known = known.or(value)),
            None => _ = all.insert(labels, values),
        }
    }
    all
}

/// Series that meet, and what comes of each pair.
fn meet(operator: BinaryOperator, matching: &Matching, left: Many, right: Many) -> Result<Many, String> {
    let is_swapped = matching.many == Some(Side::Right);
    let (many, one) = if is_swapped { (right, left) } else { (left, right) };
    let mut partners: BTreeMap<Labels, (Labels, Values)> = BTreeMap::new();
    for (labels, values) in one {
        if let Some((known, _)) = partners.insert(key(&labels, matching), (labels.clone(), values)) {
            let side = if is_swapped { "left" } else { "right" };
            return Err(format!("several series on the {side} side have the same labels: {known:?} and {labels:?}"));
        }
    }
    let mut met: Many = BTreeMap::new();
    for (labels, values) in many {
        let key = key(&labels, matching);
        let Some((other, other_values)) = partners.get(&key) else { continue };
        let pairs = values.iter().zip(other_values);
        let value = |(many, one): (&Option<f64>, &Option<f64>)| {
            let (left, right) = if is_swapped { (*one, *many) } else { (*many, *one) };
            calculate(operator, matching.gives_bool, left?, right?)
        };
        let values: Values = pairs.map(value).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let mut labels = if matching.many.is_some() || is_comparison(operator) { labels } else { key };
        for name in &matching.taken {
            match other.get(name) {
                Some(value) => labels.insert(name.clone(), value.clone()),
                None => labels.remove(name),
            };
        }
        if met.insert(labels.clone(), values).is_some() {
            return Err(format!("several series meet one and give {labels:?}; say group_left or group_right"));
        }
    }
    Ok(met)
}

/// The label that tells series apart that [`relabel`] has given the same labels. It is in no answer.
pub(super) const TWIN: &str = "\0twin";

/// Sets a label by what a regular expression finds in another; series that it does not fit stay as they are.
pub(super) fn relabel(series: Many, relabelling: &Relabelling) -> Many {
    let mut all = Many::new();
    for (mut labels, values) in series {
        let source = labels.get(&relabelling.source).cloned().unwrap_or_default();
        if let Some(found) = relabelling.regex.captures(&source) {
            let mut value = String::new();
            found.expand(&relabelling.with, &mut value);
            match value.is_empty() {
                true => labels.remove(&relabelling.target),
                false => labels.insert(relabelling.target.clone(), value),
            };
        }
        let n_twins = (0..).find(|n| !all.contains_key(&twin(&labels, *n))).unwrap_or_default();
        all.insert(twin(&labels, n_twins), values);
    }
    all
}

fn twin(labels: &Labels, number: usize) -> Labels {
    let mut labels = labels.clone();
    if number > 0 {
        labels.insert(TWIN.to_owned(), number.to_string());
    }
    labels
}

fn is_comparison(operator: BinaryOperator) -> bool {
    use BinaryOperator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(operator, Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual)
}
