//! Codes of dictionary columns, counted.

use std::sync::Arc;

use types::Value;

use super::field::VALUE_BYTES;

/// Counts by the codes of one dictionary.
#[derive(Clone)]
pub(super) struct DictionaryCounts {
    values: Arc<Vec<Value>>,
    counts: Vec<u64>,
}

impl DictionaryCounts {
    pub(super) fn new(values: Arc<Vec<Value>>) -> Self {
        let counts = vec![0; values.len()];
        Self { values, counts }
    }

    /// Reports whether these are the counts of a dictionary.
    pub(super) fn is_of(&self, values: &Arc<Vec<Value>>) -> bool {
        Arc::ptr_eq(&self.values, values)
    }

    /// Returns the bytes that it takes, roughly: its values are its own once the run lets go of them.
    pub(super) fn n_bytes(&self) -> usize {
        (8 + VALUE_BYTES) * self.counts.len()
    }

    /// Counts codes; returns how many rows have a value.
    pub(super) fn add(&mut self, codes: &[u32]) -> u64 {
        let mut n_present = 0;
        for code in codes {
            // Rows without a value have a code that no dictionary has.
            if let Some(count) = self.counts.get_mut(*code as usize) {
                *count += 1;
                n_present += 1;
            }
        }
        n_present
    }

    /// Adds counts of the same dictionary; `false` where they are of another one.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        let is_same = self.is_of(&other.values);
        if is_same {
            self.counts.iter_mut().zip(&other.counts).for_each(|(mine, count)| *mine += count);
        }
        is_same
    }

    /// Returns the values that came, and how often.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&Value, u64)> {
        self.values.iter().zip(&self.counts).filter(|(_, count)| **count > 0).map(|(value, count)| (value, *count))
    }
}
