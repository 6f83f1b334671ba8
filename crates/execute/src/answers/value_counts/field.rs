//! The values of one field, as one thread counts them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use types::{Column, Value};

use super::dictionary::DictionaryCounts;
use super::numbers::NumberHistogram;
use evaluate::columns::cell::Cell;

/// Distinct values of a field that one thread keeps; beyond it the rare ones go.
const VALUES_MAX: usize = 4_096;

/// Of a column with too many values every so many rows are looked at.
pub(super) const SAMPLE_STEP: usize = 16;

/// Bytes of a value next to its text, roughly.
const VALUE_BYTES: usize = 64;

/// Longer texts are no names of anything; events are not told apart by them.
const TEXT_BYTES_MAX: usize = 256;

type Counts<K> = HashMap<K, u64, foldhash::fast::RandomState>;

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
    texts: Counts<Arc<str>>,
    integers: Counts<i64>,
    booleans: [u64; 2],
    /// Whether rare values were left out; the counts of the others are estimates then.
    pub is_cut: bool,
    /// Values that are numbers.
    pub numbers: NumberHistogram,
}

impl FieldCounts {
    /// Returns the values that came, and how many events have each, in any order. Lists, objects, times and decimal numbers
    /// are not told apart.
    pub fn values(&self) -> impl Iterator<Item = (CountedValue, u64)> + '_ {
        let texts = self.texts.iter().map(|(text, count)| (CountedValue::Text(text.clone()), *count));
        let integers = self.integers.iter().map(|(number, count)| (CountedValue::Integer(*number), *count));
        let booleans = [false, true].into_iter().zip(self.booleans).filter(|(_, count)| *count > 0);
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

    /// Counts one value; returns the bytes that it takes if it was not there before.
    fn add(&mut self, cell: Cell<'_>, count: u64) -> usize {
        match cell {
            Cell::Text(text) if text.len() <= TEXT_BYTES_MAX => match self.texts.get_mut(text) {
                Some(known) => *known += count,
                None => {
                    self.texts.insert(Arc::from(text), count);
                    return VALUE_BYTES + text.len();
                }
            },
            Cell::Integer(number) => {
                let known = self.integers.entry(number).or_insert(0);
                let is_new = *known == 0;
                *known += count;
                return if is_new { VALUE_BYTES } else { 0 };
            }
            Cell::Boolean(truth) => self.booleans[usize::from(truth)] += count,
            _ => {}
        }
        0
    }

    fn merge(&mut self, other: Self) {
        self.n_events += other.n_events;
        self.is_cut |= other.is_cut;
        self.numbers.merge(&other.numbers);
        other.texts.into_iter().for_each(|(text, count)| *self.texts.entry(text).or_insert(0) += count);
        other.integers.into_iter().for_each(|(number, count)| *self.integers.entry(number).or_insert(0) += count);
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

    /// Returns the bytes that the values take, roughly.
    fn n_bytes(&self) -> usize {
        self.n_values() * VALUE_BYTES + self.texts.keys().map(|text| text.len()).sum::<usize>()
    }

    /// Leaves out values that as many others are more frequent than.
    fn prune(&mut self) {
        let mut counts: Vec<u64> = self.texts.values().chain(self.integers.values()).copied().collect();
        let place = counts.len().saturating_sub(VALUES_MAX / 8);
        let least = *counts.select_nth_unstable(place).1;
        self.texts.retain(|_, count| *count > least);
        self.integers.retain(|_, count| *count > least);
        self.is_cut = true;
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

/// The values of one field that one thread has seen so far.
#[derive(Default)]
pub(super) struct FieldCounter {
    counts: FieldCounts,
    /// Counts by the codes of the dictionary seen last: blocks of a run share one.
    dictionary: Option<DictionaryCounts>,
    n_bytes: usize,
}

impl FieldCounter {
    /// Reports whether a sample of the rows will do: there are too many values, and no numbers, whose distribution has all.
    pub(super) fn is_sparse(&self) -> bool {
        self.counts.is_cut && self.counts.numbers.n_numbers() == 0
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    pub(super) fn count_present(&mut self, n_events: u64) {
        self.counts.n_events += n_events;
    }

    /// Counts all rows of a column.
    pub(super) fn add(&mut self, column: &Column) {
        match column {
            Column::Missing { .. } => {}
            // Every event has a time of its own.
            Column::Timestamps(times) => self.counts.n_events += times.len() as u64,
            Column::Dictionary { codes, values } => {
                if !self.dictionary.as_ref().is_some_and(|known| known.is_of(values)) {
                    self.settle();
                    self.n_bytes += 8 * values.len();
                    self.dictionary = Some(DictionaryCounts::new(values.clone()));
                }
                if let Some(dictionary) = &mut self.dictionary {
                    self.counts.n_events += dictionary.add(codes);
                }
            }
            column => {
                let is_cut = self.counts.is_cut;
                for row in 0..column.n_rows() {
                    let cell = Cell::at(column, row);
                    if !cell.is_present() {
                        continue;
                    }
                    self.counts.n_events += 1;
                    match cell {
                        Cell::Integer(number) => self.counts.numbers.add(number as f64, 1),
                        Cell::Float(number) => self.counts.numbers.add(number, 1),
                        _ => {}
                    }
                    if !is_cut {
                        self.add_cell(cell, 1);
                    } else if row % SAMPLE_STEP == 0 {
                        self.add_cell(cell, SAMPLE_STEP as u64);
                    }
                }
            }
        }
        self.prune();
    }

    /// Counts rows each of which stands for several; how many events have a value is counted elsewhere.
    pub(super) fn add_sample(&mut self, column: &Column) {
        for row in 0..column.n_rows() {
            self.add_cell(Cell::at(column, row), SAMPLE_STEP as u64);
        }
        self.prune();
    }

    fn add_cell(&mut self, cell: Cell<'_>, count: u64) {
        self.n_bytes += self.counts.add(cell, count);
    }

    /// Counts the values of the dictionary seen last among the others.
    fn settle(&mut self) {
        for (value, count) in self.dictionary.take().into_iter().flat_map(DictionaryCounts::into_counts) {
            match value {
                Value::Integer(number) => self.counts.numbers.add(number as f64, count),
                Value::Float(number) => self.counts.numbers.add(number, count),
                _ => {}
            }
            self.add_cell(Cell::of(Some(&value)), count);
        }
    }

    /// Leaves rare values out where there are too many.
    fn prune(&mut self) {
        if self.counts.n_values() > VALUES_MAX {
            self.counts.prune();
            self.n_bytes = self.counts.n_bytes();
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        self.counts.merge(other.counts);
    }

    pub(super) fn finish(mut self) -> FieldCounts {
        self.settle();
        self.counts
    }
}
