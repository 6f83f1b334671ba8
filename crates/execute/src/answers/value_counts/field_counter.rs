//! The values of one field while they are counted: of the blocks of a part, and of parts together.

use std::sync::Arc;

use types::{Column, RowSet, Strings, Value};

use super::dictionary::DictionaryCounts;
use super::field::{FieldCounts, TEXT_BYTES_MAX, VALUES_MAX};
use super::numbers::NumberTally;
use evaluate::Cell;

/// Of a column with too many values every so many rows are looked at.
pub(super) const SAMPLE_STEP: usize = 16;

/// Whole numbers from 0 up to this are counted by their place in a table: codes, ports, short durations.
const SMALL_N: usize = 4_096;

/// The values of one field in several blocks or parts, counts by the codes of the dictionary seen last apart: blocks of a run
/// share one.
#[derive(Clone, Default)]
pub(super) struct FieldSum {
    counts: FieldCounts,
    dictionary: Option<DictionaryCounts>,
}

impl FieldSum {
    pub(super) fn n_events(&self) -> u64 {
        self.counts.n_events
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.counts.n_bytes() + self.dictionary.as_ref().map_or(0, DictionaryCounts::n_bytes)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(dictionary) = &other.dictionary
            && !self.dictionary.as_mut().is_some_and(|mine| mine.merge(dictionary))
        {
            self.settle();
            self.dictionary = Some(dictionary.clone());
        }
        self.counts.merge(&other.counts);
        self.counts.prune();
    }

    /// Counts the values of the dictionary seen last among the others.
    fn settle(&mut self) {
        if let Some(dictionary) = self.dictionary.take() {
            dictionary.counted().for_each(|(value, count)| self.counts.add(value, count));
        }
    }

    /// Counts what is apart among the others, and leaves rare values out where there are too many.
    pub(super) fn settle_all(&mut self) {
        self.settle();
        self.counts.prune();
    }

    pub(super) fn finish(mut self) -> FieldCounts {
        self.settle_all();
        self.counts
    }

    fn add_codes(&mut self, codes: &[u32], values: &Arc<Vec<Value>>) {
        if !self.dictionary.as_ref().is_some_and(|known| known.is_of(values)) {
            self.settle();
            self.dictionary = Some(DictionaryCounts::new(values.clone()));
        }
        if let Some(dictionary) = &mut self.dictionary {
            self.counts.n_events += dictionary.add(codes);
        }
    }
}

/// The values of one field while the blocks of a part are counted.
#[derive(Default)]
pub(super) struct FieldCounter {
    sum: FieldSum,
    numbers: NumberTally,
    /// How often each small whole number came; none before the first whole number.
    small: Vec<u32>,
}

impl FieldCounter {
    /// Reports whether a sample of the rows will do: there are too many values, and no numbers, whose distribution has all.
    pub(super) fn is_sparse(&self) -> bool {
        self.sum.counts.is_cut && self.numbers.n_numbers() + self.sum.counts.numbers.n_numbers() == 0
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.sum.n_bytes() + self.numbers.n_bytes() + 4 * self.small.len()
    }

    pub(super) fn count_present(&mut self, n_events: u64) {
        self.sum.counts.n_events += n_events;
    }

    /// Counts all rows of a column.
    pub(super) fn add(&mut self, column: &Column) {
        match column {
            Column::Missing { .. } => {}
            // Every event has a time of its own.
            Column::Timestamps(times) => self.sum.counts.n_events += times.len() as u64,
            Column::Dictionary { codes, values } => self.sum.add_codes(codes, values),
            Column::Integers { values, present } => {
                self.small.resize(SMALL_N, 0);
                each(present.as_ref(), values.len(), |row| self.add_integer(row, values[row]));
            }
            Column::Floats { values, present, integers: None } => {
                each(present.as_ref(), values.len(), |row| self.numbers.add(values[row]));
                self.count_present(present.as_ref().map_or(values.len(), RowSet::count) as u64);
            }
            Column::Strings { values, present } => {
                each(present.as_ref(), values.len(), |row| self.add_text(row, values));
                self.count_present(present.as_ref().map_or(values.len(), RowSet::count) as u64);
            }
            column => {
                for row in 0..column.n_rows() {
                    self.add_cell(row, Cell::at(column, row));
                }
            }
        }
        self.prune();
    }

    /// Counts rows each of which stands for several; how many events have a value is counted elsewhere.
    pub(super) fn add_sample(&mut self, column: &Column) {
        for row in 0..column.n_rows() {
            self.count_cell(Cell::at(column, row), SAMPLE_STEP as u64);
        }
        self.prune();
    }

    /// Returns what one row adds to the count of its value: of a column with too many values most rows are left out.
    fn weight(&self, row: usize) -> Option<usize> {
        match self.sum.counts.is_cut {
            false => Some(1),
            true => row.is_multiple_of(SAMPLE_STEP).then_some(SAMPLE_STEP),
        }
    }

    #[inline]
    fn add_integer(&mut self, row: usize, number: i64) {
        self.sum.counts.n_events += 1;
        self.numbers.add(number as f64);
        let Some(weight) = self.weight(row) else { return };
        match self.small.get_mut(number as usize) {
            Some(count) => *count += weight as u32,
            None => {
                *self.sum.counts.integers.entry(number).or_insert(0) += weight as u64;
                self.sum.counts.prune();
            }
        }
    }

    #[inline]
    fn add_text(&mut self, row: usize, texts: &Strings) {
        let Some(weight) = self.weight(row) else { return };
        let text = texts.get(row);
        if text.len() > TEXT_BYTES_MAX {
            return;
        }
        match self.sum.counts.texts.get_mut(text) {
            Some(count) => *count += weight as u64,
            None => {
                self.sum.counts.texts.insert(Arc::from(text), weight as u64);
                self.sum.counts.prune();
            }
        }
    }

    fn add_cell(&mut self, row: usize, cell: Cell<'_>) {
        if !cell.is_present() {
            return;
        }
        self.sum.counts.n_events += 1;
        match cell {
            Cell::Integer(number) => self.numbers.add(number as f64),
            Cell::Float(number) => self.numbers.add(number),
            _ => {}
        }
        if let Some(weight) = self.weight(row) {
            self.count_cell(cell, weight as u64);
        }
    }

    fn count_cell(&mut self, cell: Cell<'_>, weight: u64) {
        let counts = &mut self.sum.counts;
        match cell {
            Cell::Text(text) if text.len() <= TEXT_BYTES_MAX => match counts.texts.get_mut(text) {
                Some(count) => *count += weight,
                None => drop(counts.texts.insert(Arc::from(text), weight)),
            },
            Cell::Integer(number) => *counts.integers.entry(number).or_insert(0) += weight,
            Cell::Boolean(truth) => counts.booleans[usize::from(truth)] += weight,
            _ => {}
        }
    }

    /// Leaves rare values out where there are too many, small numbers among them.
    fn prune(&mut self) {
        let n_small = self.small.iter().filter(|count| **count > 0).count();
        if self.sum.counts.n_values() + n_small > VALUES_MAX {
            self.settle_small();
        }
        self.sum.counts.prune();
    }

    fn settle_small(&mut self) {
        for (number, count) in self.small.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
            *self.sum.counts.integers.entry(number as i64).or_insert(0) += u64::from(std::mem::take(count));
        }
    }

    pub(super) fn finish(mut self) -> FieldSum {
        self.settle_small();
        self.sum.counts.prune();
        if self.sum.counts.is_cut {
            self.sum.counts.keep_frequent();
        }
        self.sum.counts.numbers.merge(&self.numbers.into_histogram());
        self.sum
    }
}

/// Calls `work` for each row that has a value.
fn each(present: Option<&RowSet>, n_rows: usize, work: impl FnMut(usize)) {
    match present {
        None => (0..n_rows).for_each(work),
        Some(present) => present.iter().for_each(work),
    }
}
