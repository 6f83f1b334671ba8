//! Which counts of two sides differ significantly, and enough to matter.

use std::sync::Arc;

use execute::{CountedValue, Event, FieldCounts};
use plan::{Comparison, Expr};
use types::Value;

use super::difference::{NumberDifference, ValueDifference};
use crate::statistics::{contribution, divergence, effect, p_of_distance, p_of_shares, split};
use crate::text::{compare, equal, is_present};

/// The probability of one wrong finding among all, in a comparison of events that do not differ.
const P_MAX: f64 = 0.01;

/// Smallest effect that is reported, as Cohen's `h`: from 0 to 1 %, from 10 to 17 %, from 50 to 60 %.
const EFFECT_MIN: f64 = 0.2;

/// Smallest distance between two distributions of numbers that is reported.
const DISTANCE_MIN: f64 = 0.2;

/// Numbers, and different ones, from which on a field has a distribution.
const NUMBERS_MIN: u64 = 20;
const BUCKETS_MIN: usize = 12;

/// Part of what the presence of a field tells that its most telling value has to tell to be shown first.
const PRESENCE_SHARE_MIN: f64 = 0.4;

/// Share of a field's values that are numbers, from which on it has a distribution.
const NUMBERS_SHARE_MIN: f64 = 0.5;

/// Share of a side from which on a value of a field with too many values is looked for.
const SHARE_MIN: f64 = 0.01;

/// Shares below this on both sides differ by less than [`EFFECT_MIN`], which is 2·asin √0.00997 to nothing.
const SHARE_NOTABLE: f64 = 0.0099;

/// The events of both sides, and how many values are tried.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    pub(super) n_events: [u64; 2],
    pub(super) n_tried: u64,
}

impl Sides {
    fn share(self, side: usize, n: u64) -> f64 {
        n as f64 / self.n_events[side].max(1) as f64
    }

    fn is_significant(self, p: f64) -> bool {
        p * self.n_tried.max(1) as f64 <= P_MAX
    }

    /// Returns a value with its shares where they differ.
    fn difference(self, value: Option<Value>, n_events: [u64; 2]) -> Option<ValueDifference> {
        let shares = [self.share(0, n_events[0]), self.share(1, n_events[1])];
        if effect(shares[0], shares[1]).abs() < EFFECT_MIN {
            return None;
        }
        let p = p_of_shares((n_events[0], self.n_events[0]), (n_events[1], self.n_events[1]));
        self.is_significant(p).then_some(ValueDifference { value, n_events, shares })
    }
}

/// A field that may be shown.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) field: Arc<str>,
    pub(super) score: f64,
    /// Most telling first.
    pub(super) values: Vec<ValueDifference>,
    pub(super) numbers: Option<NumberDifference>,
    /// What holds for the events of the most telling value.
    pub(super) condition: Expr,
    /// Their share in the baseline.
    pub(super) baseline_share: f64,
    pub(super) event: Option<Event>,
    pub(super) same_events: Vec<Arc<str>>,
}

impl Candidate {
    pub(super) fn of_values(field: Arc<str>, values: Vec<ValueDifference>, condition: Expr) -> Self {
        let shares: Vec<(f64, f64)> = values.iter().map(|value| (value.shares[0], value.shares[1])).collect();
        let baseline_share = values.first().map_or(0.0, |value| value.shares[1]);
        let score = divergence(&shares);
        let same_events = Vec::new();
        Self { field, score, values, numbers: None, condition, baseline_share, event: None, same_events }
    }

    /// Returns the score of the most telling value alone.
    pub(super) fn first_score(&self) -> f64 {
        self.values.first().map_or(0.0, |value| divergence(&[(value.shares[0], value.shares[1])]))
    }
}

/// Returns the values whose shares differ with their places, most telling first: those that the selection has more often
/// before those that it lacks.
pub(super) fn judge_counts(
    counted: impl Iterator<Item = (usize, (Option<Value>, [u64; 2]))>,
    sides: Sides,
) -> Vec<(usize, ValueDifference)> {
    let mut found: Vec<(usize, ValueDifference)> =
        counted.filter_map(|(place, (value, n))| Some((place, sides.difference(value, n)?))).collect();
    let order = |value: &ValueDifference| {
        let [p, q] = value.shares;
        (p > q, contribution((p, q)))
    };
    found.sort_by(|(_, a), (_, b)| {
        let (a, b) = (order(a), order(b));
        b.0.cmp(&a.0).then_with(|| b.1.total_cmp(&a.1))
    });
    found
}

/// Judges the values of a field, and whether events have it at all. Of a field with too many values only those of
/// `exact` are judged.
pub(super) fn judge_field(
    field: &Arc<str>,
    counts: [&FieldCounts; 2],
    exact: Option<&[(Value, [u64; 2])]>,
    sides: Sides,
) -> Option<Candidate> {
    let absent = [0, 1].map(|side| sides.n_events[side].saturating_sub(counts[side].n_events));
    let mut counted: Vec<(Option<Value>, [u64; 2])> = vec![(None, absent)];
    match exact {
        Some(exact) => counted.extend(exact.iter().map(|(value, n)| (Some(value.clone()), *n))),
        None => {
            let values = notable(counts, sides).into_iter();
            let n_of = |value: &CountedValue| counts.map(|counts| counts.count(value));
            counted.extend(values.map(|value| (Some(value.value()), n_of(&value))));
        }
    }
    let mut values: Vec<ValueDifference> =
        judge_counts(counted.into_iter().enumerate(), sides).into_iter().map(|(_, value)| value).collect();
    // A value says more than that there is one.
    if values.len() > 1 && values[0].value.is_none() {
        values.rotate_left(1);
    }
    // One value of many, such as the number of an attempt, says less.
    let told = |value: &ValueDifference| divergence(&[(value.shares[0], value.shares[1])]);
    let presence = values.iter().position(ValueDifference::is_presence);
    if let Some(place) = presence.filter(|place| told(&values[0]) < PRESENCE_SHARE_MIN * told(&values[*place])) {
        values[..=place].rotate_right(1);
    }
    let first = values.first()?;
    let is_presence = first.is_presence();
    let condition = if is_presence { is_present(field) } else { equal(field, first.value.clone()) };
    let mut candidate = Candidate::of_values(field.clone(), values, condition);
    if is_presence {
        candidate.baseline_share = 1.0 - candidate.baseline_share;
    }
    Some(candidate)
}

/// Returns, in order, the values that have enough events on at least one side to be judged.
fn notable(counts: [&FieldCounts; 2], sides: Sides) -> Vec<CountedValue> {
    let mut values: Vec<CountedValue> = Vec::new();
    for (side, counts) in counts.into_iter().enumerate() {
        let least = (sides.n_events[side] as f64 * SHARE_NOTABLE) as u64;
        values.extend(counts.values_from(least).map(|(value, _)| value));
    }
    values.sort();
    values.dedup();
    values
}

/// Returns the values that are frequent on one of the sides, at least one in a hundred events.
pub(super) fn frequent_values(counts: [Option<&FieldCounts>; 2], n_max: usize, n_events: [u64; 2]) -> Vec<Value> {
    let mut found: Vec<(f64, CountedValue)> = Vec::new();
    for (side, counts) in counts.into_iter().enumerate() {
        let share = |n: u64| n as f64 / n_events[side].max(1) as f64;
        let least = (n_events[side] as f64 * SHARE_MIN) as u64;
        found.extend(counts.into_iter().flat_map(|one| one.values_from(least)).map(|(value, n)| (share(n), value)));
    }
    // Estimates tell which values cannot differ enough.
    let estimate = |value: &CountedValue, side: usize| {
        let count = counts[side].map_or(0, |counts| counts.count(value));
        count as f64 / n_events[side].max(1) as f64
    };
    let may_differ = |value: &CountedValue| effect(estimate(value, 0), estimate(value, 1)).abs() >= EFFECT_MIN * 0.75;
    found.retain(|(share, value)| *share >= SHARE_MIN && may_differ(value));
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut values: Vec<Value> = Vec::new();
    for (_, value) in found {
        let value = value.value();
        if values.len() < n_max && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Judges the distribution of a field's numbers.
pub(super) fn judge_numbers(field: &Arc<str>, counts: [&FieldCounts; 2], sides: Sides) -> Option<Candidate> {
    let numbers = counts.map(|counts| &counts.numbers);
    let are_numbers = |side: usize| {
        let n = numbers[side].n_numbers();
        n >= NUMBERS_MIN && n as f64 >= NUMBERS_SHARE_MIN * counts[side].n_events as f64
    };
    if !are_numbers(0) || !are_numbers(1) || numbers.iter().all(|numbers| numbers.n_buckets() < BUCKETS_MIN) {
        return None;
    }
    let ordered = numbers.map(execute::NumberHistogram::ordered);
    let (number, above, distance) = split(ordered.each_ref().map(Vec::as_slice))?;
    // A bucket holds numbers up to 1 % above its own; the condition lies above all of them.
    let threshold = upper_end(number);
    let n = numbers.map(execute::NumberHistogram::n_numbers);
    if distance < DISTANCE_MIN || !sides.is_significant(p_of_distance(distance, n[0], n[1])) {
        return None;
    }
    let shares_above = [sides.share(0, above[0]), sides.share(1, above[1])];
    let quantile = |share: f64| numbers.map(|numbers| numbers.quantile(share).unwrap_or_default());
    let is_higher = above[0] as f64 / n[0] as f64 > above[1] as f64 / n[1] as f64;
    let comparison = if is_higher { Comparison::Greater } else { Comparison::LessOrEqual };
    let below = [0, 1].map(|side| sides.share(side, n[side] - above[side]));
    let shares = if is_higher { shares_above } else { below };
    Some(Candidate {
        field: field.clone(),
        score: divergence(&[(shares[0], shares[1])]),
        values: Vec::new(),
        numbers: Some(NumberDifference {
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            threshold,
            shares_above,
        }),
        condition: compare(field, comparison, threshold),
        baseline_share: shares[1],
        event: None,
        same_events: Vec::new(),
    })
}

/// Returns a number between those of the bucket that begins with `number` and those of the next one.
fn upper_end(number: f64) -> f64 {
    let is_exact = number.fract() == 0.0 && number.abs() <= 256.0;
    // Buckets of negative numbers begin with their largest one.
    if is_exact || number <= 0.0 {
        return number;
    }
    let end = number + number.abs() / 128.0;
    let digits = 10_f64.powf((3.0 - end.abs().log10().floor()).clamp(-12.0, 12.0));
    (end * digits).round() / digits
}

#[cfg(test)]
mod tests;
