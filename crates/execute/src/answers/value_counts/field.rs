//! The values of one field, finished: which came, how often, and which numbers.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use types::Value;

use super::numbers::NumberHistogram;

/// Distinct values of a field that are told apart; beyond it the rare ones go.
pub(super) const VALUES_MAX: usize = 4_096;

/// Values that are left of a field with too many.
const VALUES_FREQUENT: usize = VALUES_MAX / 8;

/// Bytes of a value next to its text, roughly.
pub(super) const VALUE_BYTES: usize = 64;

/// Longer texts are no names of anything; events are not told apart by them.
pub(super) const TEXT_BYTES_MAX: usize = 256;

pub(super) type Counts<K> = HashMap<K, u64, foldhash::fast::RandomState>;

/// A value by which events are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CountedValue {
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(Arc<str>),
}

impl CountedValue {
    /// Returns the value itself.
    pub fn value(&self) -> Value {
        match self {
            Self::Boolean(truth) => Value::Boolean(*truth),
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::String(text.clone()),
        }
    }
}

/// The values of one field.
#[derive(Clone, Debug, Default)]
pub struct FieldCounts {
    /// How many events have a value.
    pub n_events: u64,
    pub(super) texts: Counts<Arc<str>>,
    pub(super) integers: Counts<i64>,
    pub(super) booleans: [u64; 2],
    /// Whether rare values were left out; the counts of the others are estimates then.
    pub is_cut: bool,
    /// Values that are numbers.
    pub numbers: NumberHistogram,
}

impl FieldCounts {
    /// Returns those of them that at least so many events have.
    pub fn values_from(&self, least: u64) -> impl Iterator<Item = (CountedValue, u64)> + '_ {
        let least = least.max(1);
        let texts = self.texts.iter().filter(move |(_, count)| **count >= least);
        let texts = texts.map(|(text, count)| (CountedValue::Text(text.clone()), *count));
        let integers = self.integers.iter().filter(move |(_, count)| **count >= least);
        let integers = integers.map(|(number, count)| (CountedValue::Integer(*number), *count));
        let booleans = [false, true].into_iter().zip(self.booleans).filter(move |(_, count)| *count >= least);
        texts.chain(integers).chain(booleans.map(|(truth, count)| (CountedValue::Boolean(truth), count)))
    }

    /// Returns how many events have a value.
    pub fn count(&self, value: &CountedValue) -> u64 {
        match value {
            CountedValue::Boolean(truth) => self.booleans[usize::from(*truth)],
            CountedValue::Integer(number) => self.integers.get(number).copied().unwrap_or_default(),
            CountedValue::Text(text) => self.texts.get(text).copied().unwrap_or_default(),
        }
    }

    /// Returns how many different values were counted.
    pub fn n_values(&self) -> usize {
        self.texts.len() + self.integers.len() + self.booleans.iter().filter(|count| **count > 0).count()
    }

    /// Counts a value of a dictionary.
    pub(super) fn add(&mut self, value: &Value, count: u64) {
        match value {
            Value::String(text) if text.len() <= TEXT_BYTES_MAX => {
                *self.texts.entry(text.clone()).or_insert(0) += count;
            }
            Value::Integer(number) => {
                *self.integers.entry(*number).or_insert(0) += count;
                self.numbers.add(*number as f64, count);
            }
            Value::Float(number) => self.numbers.add(*number, count),
            Value::Boolean(truth) => self.booleans[usize::from(*truth)] += count,
            _ => {}
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.n_events += other.n_events;
        self.is_cut |= other.is_cut;
        self.numbers.merge(&other.numbers);
        other.texts.iter().for_each(|(text, count)| *self.texts.entry(text.clone()).or_insert(0) += count);
        other.integers.iter().for_each(|(number, count)| *self.integers.entry(*number).or_insert(0) += count);
        self.booleans.iter_mut().zip(other.booleans).for_each(|(mine, count)| *mine += count);
    }

    /// Takes away events that are among those counted.
    pub(super) fn subtract(&mut self, part: &Self) {
        self.n_events = self.n_events.saturating_sub(part.n_events);
        self.is_cut |= part.is_cut;
        self.numbers.subtract(&part.numbers);
        subtract(&mut self.texts, &part.texts);
        subtract(&mut self.integers, &part.integers);
        self.booleans.iter_mut().zip(part.booleans).for_each(|(mine, count)| *mine = mine.saturating_sub(count));
    }

    /// Returns the bytes that it takes, roughly.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_values() * VALUE_BYTES + self.texts.keys().map(|text| text.len()).sum::<usize>() + self.numbers.n_bytes()
    }

    /// Leaves out rare values where there are too many.
    pub(super) fn prune(&mut self) {
        if self.n_values() > VALUES_MAX {
            self.keep_frequent();
            self.is_cut = true;
        }
    }

    /// Leaves out values that as many others are more frequent than.
    pub(super) fn keep_frequent(&mut self) {
        let mut counts: Vec<u64> = self.texts.values().chain(self.integers.values()).copied().collect();
        let Some(place) = counts.len().checked_sub(VALUES_FREQUENT).filter(|place| *place > 0) else { return };
        let least = *counts.select_nth_unstable(place).1;
        self.texts.retain(|_, count| *count > least);
        self.integers.retain(|_, count| *count > least);
    }
}

fn subtract<K: Eq + Hash>(all: &mut Counts<K>, part: &Counts<K>) {
    for (value, count) in part {
        if let Some(known) = all.get_mut(value) {
            *known = known.saturating_sub(*count);
        }
    }
    all.retain(|_, count| *count > 0);
}
