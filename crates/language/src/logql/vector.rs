//! Series of numbers over the same steps: merging them by labels, calculating with them.

use std::collections::{BTreeMap, BTreeSet};

use super::grouping::Grouping;
use super::metric::{AggregationKind, Relabelling};
use super::operator::{BinaryOperator, Side, VectorMatching};

/// Names and values of labels, in the order of the names. A label that a stage made may have an empty value.
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
///
/// A label without value tells groups apart; what is left by `without` loses it, so that two groups may look alike
/// then.
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
    for (mut labels, members) in groups {
        match kind {
            AggregationKind::Top(n) => merged.extend(best(members, n, true)),
            AggregationKind::Bottom(n) => merged.extend(best(members, n, false)),
            _ => {
                if matches!(grouping, Grouping::Without(_)) {
                    labels.retain(|_, value| !value.is_empty());
                }
                insert(&mut merged, labels, merge(&members, kind));
            }
        }
    }
    merged
}

/// Adds a series; one with the same labels stays next to it.
fn insert(all: &mut SeriesMap, labels: Labels, values: Values) {
    let n_twins = (0..).find(|n| !all.contains_key(&twin(&labels, *n))).unwrap_or_default();
    all.insert(twin(&labels, n_twins), values);
}

/// Labels without value are taken away.
pub(super) fn without_empty(series: SeriesMap) -> SeriesMap {
    let mut all = SeriesMap::new();
    for (mut labels, values) in series {
        labels.retain(|_, value| !value.is_empty());
        insert(&mut all, labels, values);
    }
    all
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
            // A number that is none loses against every other.
            AggregationKind::Min => present().reduce(f64::min).unwrap_or(f64::NAN),
            AggregationKind::Max => present().reduce(f64::max).unwrap_or(f64::NAN),
            AggregationKind::Average => mean(present()),
            AggregationKind::Count => count as f64,
            AggregationKind::Deviation => variance(present()).sqrt(),
            AggregationKind::Variance => variance(present()),
            _ => present().sum(),
        })
    };
    (0..n_steps).map(at_step).collect()
}

/// Returns the mean; an infinite one stays what it is whatever finite number comes.
fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut mean, mut count) = (0.0_f64, 0.0);
    for number in numbers {
        count += 1.0;
        if count == 1.0 {
            mean = number;
        } else if !(mean.is_infinite() && (number.is_finite() || number == mean)) {
            mean += (number - mean) / count;
        }
    }
    mean
}

/// Returns the mean of squared distances from the mean; that of a single number is 0, whatever number it is.
fn variance(mut numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut mean, mut sum, mut count) = (numbers.next().unwrap_or(f64::NAN), 0.0, 1.0);
    for number in numbers {
        count += 1.0;
        let distance = number - mean;
        mean += distance / count;
        sum += distance * (number - mean);
    }
    sum / count
}

/// Returns the `n` highest series of each step, or the lowest. Of equal ones those stay that stay in Loki: it goes
/// through the series in the order of their labels and keeps the best so far in a heap.
fn best(mut members: Vec<(Labels, Values)>, n: usize, is_highest: bool) -> Vec<(Labels, Values)> {
    let n_steps = members.first().map_or(0, |(_, values)| values.len());
    let mut heap = Heap { numbers: Vec::new(), is_highest };
    for step in 0..n_steps {
        heap.numbers.clear();
        for (index, (_, values)) in members.iter_mut().enumerate() {
            let Some(value) = values[step].take() else { continue };
            if heap.numbers.len() == n {
                let (worst, _) = heap.numbers[0];
                let is_better = if is_highest { worst < value } else { worst > value };
                if !is_better && !worst.is_nan() {
                    continue;
                }
                heap.pop();
            }
            heap.push(value, index);
        }
        for (value, index) in &heap.numbers {
            members[*index].1[step] = Some(*value);
        }
    }
    members.retain(|(_, values)| values.iter().any(Option::is_some));
    members
}

/// Numbers and places, the worst number first. What is no number is the worst.
struct Heap {
    numbers: Vec<(f64, usize)>,
    is_highest: bool,
}

impl Heap {
    fn is_worse(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.numbers[one].0, self.numbers[other].0);
        one.is_nan() || if self.is_highest { one < other } else { one > other }
    }

    fn push(&mut self, number: f64, place: usize) {
        self.numbers.push((number, place));
        let mut at = self.numbers.len() - 1;
        while at > 0 {
            let above = (at - 1) / 2;
            if !self.is_worse(at, above) {
                break;
            }
            self.numbers.swap(at, above);
            at = above;
        }
    }

    /// Takes the worst one away.
    fn pop(&mut self) {
        if self.numbers.is_empty() {
            return;
        }
        self.numbers.swap_remove(0);
        let (mut at, n) = (0, self.numbers.len());
        while 2 * at + 1 < n {
            let left = 2 * at + 1;
            let below = if left + 1 < n && self.is_worse(left + 1, left) { left + 1 } else { left };
            if !self.is_worse(below, at) {
                break;
            }
            self.numbers.swap(at, below);
            at = below;
        }
    }
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
    matching: &VectorMatching,
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

type SeriesMap = BTreeMap<Labels, Values>;

/// Returns the labels by which series meet. Those without value do not count.
fn key(labels: &Labels, matching: &VectorMatching) -> Labels {
    let all = Grouping::Without(Vec::new());
    let mut key = kept(labels, matching.on.as_ref().unwrap_or(&all));
    key.retain(|_, value| !value.is_empty());
    key
}

/// `and`, `or`, `unless`, step by step.
fn sets(operator: BinaryOperator, matching: &VectorMatching, left: SeriesMap, right: SeriesMap) -> SeriesMap {
    // At which steps each key has a value.
    let presence = |side: &SeriesMap| {
        let mut steps: BTreeMap<Labels, Vec<bool>> = BTreeMap::new();
        for (labels, values) in side {
            let present = steps.entry(key(labels, matching)).or_insert_with(|| vec![false; values.len()]);
            present.iter_mut().zip(values).for_each(|(present, value)| *present |= value.is_some());
        }
        steps
    };
    let masked = |side: SeriesMap, other: &BTreeMap<Labels, Vec<bool>>, wanted: bool| {
        let mask = |(labels, mut values): (Labels, Values)| {
            let present = other.get(&key(&labels, matching));
            for (step, value) in values.iter_mut().enumerate() {
                if present.and_then(|present| present.get(step)).copied().unwrap_or(false) != wanted {
                    *value = None;
                }
            }
            values.iter().any(Option::is_some).then_some((labels, values))
        };
        side.into_iter().filter_map(mask).collect::<SeriesMap>()
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

/// Series that meet, and what comes of each pair. At each step they meet anew: whether several have the same labels is
/// a matter of those that have a value there.
fn meet(
    operator: BinaryOperator,
    matching: &VectorMatching,
    left: SeriesMap,
    right: SeriesMap,
) -> Result<SeriesMap, String> {
    let is_swapped = matching.many == Some(Side::Right);
    let (many, one) = if is_swapped { (right, left) } else { (left, right) };
    let mut keys: BTreeMap<Labels, usize> = BTreeMap::new();
    let mut numbered = |side: SeriesMap| -> Vec<(usize, Labels, Values)> {
        let number = |(labels, values): (Labels, Values)| {
            let next = keys.len();
            (*keys.entry(key(&labels, matching)).or_insert(next), labels, values)
        };
        side.into_iter().map(number).collect()
    };
    let (many, one) = (numbered(many), numbered(one));
    let n_steps = one.first().map_or(0, |(.., values)| values.len());
    let mut met = MatchedSeries { matching, known: BTreeMap::new(), series: SeriesMap::new() };
    for step in 0..n_steps {
        let mut partners: Vec<Option<usize>> = vec![None; keys.len()];
        for (index, (key, labels, values)) in one.iter().enumerate() {
            if values[step].is_some()
                && let Some(other) = partners[*key].replace(index)
            {
                let side = if is_swapped { "left" } else { "right" };
                let known = shown(&one[other].1);
                return Err(format!(
                    "several series on the {side} side have the same labels: {known} and {}",
                    shown(labels)
                ));
            }
        }
        let mut given: BTreeSet<(usize, Labels)> = BTreeSet::new();
        for (index, (key, labels, values)) in many.iter().enumerate() {
            let (Some(of_many), Some(partner)) = (values[step], partners[*key]) else { continue };
            let (_, other, other_values) = &one[partner];
            let Some(of_one) = other_values[step] else { continue };
            let (left, right) = if is_swapped { (of_one, of_many) } else { (of_many, of_one) };
            let result = met.labels((index, partner), labels, other);
            if !given.insert((*key, result.clone())) {
                return Err(format!(
                    "several series meet one and give {}; say group_left or group_right",
                    shown(&result)
                ));
            }
            if let Some(value) = calculate(operator, matching.gives_bool, left, right) {
                met.add(result, step, n_steps, value);
            }
        }
    }
    Ok(met.series)
}

/// Labels as an error shows them.
fn shown(labels: &Labels) -> String {
    let label = |(name, value): (&String, &String)| format!("{name}={value:?}");
    let labels: Vec<String> = labels.iter().filter(|(name, _)| *name != TWIN).map(label).collect();
    format!("{{{}}}", labels.join(", "))
}

/// What comes of series that meet.
struct MatchedSeries<'m> {
    matching: &'m VectorMatching,
    /// Labels that came of pairs, given the places of both.
    known: BTreeMap<(usize, usize), Labels>,
    series: SeriesMap,
}

impl MatchedSeries<'_> {
    /// Returns the labels that a pair gives.
    fn labels(&mut self, pair: (usize, usize), many: &Labels, one: &Labels) -> Labels {
        let make = || {
            if self.matching.many.is_none() {
                return key(many, self.matching);
            }
            let mut labels = many.clone();
            labels.retain(|name, value| !value.is_empty() && name != TWIN);
            for name in &self.matching.taken {
                match one.get(name).filter(|value| !value.is_empty()) {
                    Some(value) => labels.insert(name.clone(), value.clone()),
                    None => labels.remove(name),
                };
            }
            labels
        };
        self.known.entry(pair).or_insert_with(make).clone()
    }

    fn add(&mut self, labels: Labels, step: usize, n_steps: usize, value: f64) {
        let mut number = 0;
        loop {
            let values = self.series.entry(twin(&labels, number)).or_insert_with(|| vec![None; n_steps]);
            if values[step].is_none() {
                values[step] = Some(value);
                return;
            }
            number += 1;
        }
    }
}

/// The label that tells series apart that [`relabel`] has given the same labels. It is in no answer.
pub(super) const TWIN: &str = "\0twin";

/// Sets a label by what a regular expression finds in another; series that it does not fit stay as they are.
pub(super) fn relabel(series: SeriesMap, relabelling: &Relabelling) -> SeriesMap {
    let mut all = SeriesMap::new();
    for (mut labels, values) in series {
        let source = labels.get(&relabelling.source).cloned().unwrap_or_default();
        if let Some(found) = relabelling.regex.captures(&source) {
            labels.retain(|name, value| !value.is_empty() && name != TWIN);
            let mut value = String::new();
            goregex::expand(&found, &relabelling.with, &mut value);
            match value.is_empty() {
                true => labels.remove(&relabelling.target),
                false => labels.insert(relabelling.target.clone(), value),
            };
        }
        insert(&mut all, labels, values);
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
