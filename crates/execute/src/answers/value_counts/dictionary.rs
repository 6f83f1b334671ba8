//! Codes of dictionary columns, counted.

use std::sync::Arc;

use types::Value;

/// Counts by the codes of one dictionary.
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

    /// Returns the values that came, and how often.
    pub(super) fn into_counts(self) -> impl Iterator<Item = (Value, u64)> {
        let counted = self.counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        let values = self.values;
        counted.map(move |(code, count)| (values[code].clone(), count))
    }
}
