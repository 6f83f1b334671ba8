//! Texts that many segments have, each in memory once.
//!
//! The dictionaries of a segment of samples have the labels of every series. Those of the next segment have the same texts, and a
//! range of a day takes many segments. Who evicts dictionaries sweeps the pool.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use types::{Hold, Value};

use crate::heap;

/// Values from which on a dictionary shares its texts; a smaller one takes little memory.
const SHARED_FROM: usize = 1_000;

/// Values that are looked at while others wait.
const AT_ONCE: usize = 1_000;

/// Length of a text from which on it is not shared.
const LONG_BYTES: usize = 1_024;

/// What a place in the table takes, where two thirds of them are taken.
const PLACE_BYTES: usize = 26;

/// The texts of large dictionaries.
#[derive(Debug, Default)]
pub(crate) struct TextPool {
    // A set is whole between any two statements that can panic.
    texts: Mutex<HashSet<Arc<str>, RandomState>>,
    n_bytes: AtomicUsize,
}

fn bytes_of(text: &str) -> usize {
    heap::of_text(text) + PLACE_BYTES
}

impl TextPool {
    /// Returns what its texts take.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes.load(Ordering::Relaxed)
    }

    /// Replaces the texts of a dictionary by the same ones of others. Returns what the values take that are the dictionary's own,
    /// and what was added here: nothing beyond `bytes_max`.
    pub(crate) fn share(&self, values: &mut [Value], bytes_max: usize) -> (usize, usize) {
        let (is_small, mut n_own, mut n_added) = (values.len() < SHARED_FROM, 0, 0);
        for some in values.chunks_mut(AT_ONCE) {
            let mut known = (!is_small).then(|| self.texts.hold());
            let has_room = self.n_bytes() + n_added < bytes_max;
            for value in some {
                match (value, &mut known) {
                    (Value::String(text), Some(known)) if text.len() < LONG_BYTES => match known.get(&**text) {
                        Some(shared) => *text = shared.clone(),
                        None if has_room => {
                            n_added += bytes_of(text);
                            known.insert(text.clone());
                        }
                        None => n_own += heap::of_text(text),
                    },
                    (value, _) => n_own += heap::of_value(value),
                }
            }
        }
        self.n_bytes.fetch_add(n_added, Ordering::Relaxed);
        (n_own, n_added)
    }

    /// Removes texts that nobody has any more; returns what they took.
    pub(crate) fn sweep(&self) -> usize {
        let mut texts = self.texts.hold();
        let mut n_removed = 0;
        texts.retain(|text| {
            let is_used = Arc::strong_count(text) > 1;
            n_removed += if is_used { 0 } else { bytes_of(text) };
            is_used
        });
        texts.shrink_to_fit();
        self.n_bytes.fetch_sub(n_removed, Ordering::Relaxed);
        n_removed
    }
}

#[cfg(test)]
mod tests;
