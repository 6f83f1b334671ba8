//! Texts that many segments have, each in memory once.
//!
//! The dictionaries of a segment of samples have the labels of every series. Those of the next segment have the same texts, and a
//! range of a day takes many segments. The pool may have texts that no segment has any more: as many as others, or [`SWEPT_FROM`].

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use types::Value;

/// Values from which on a dictionary shares its texts; a smaller one takes little memory.
const SHARED_FROM: usize = 1_000;

/// Values that are looked at while others wait.
const AT_ONCE: usize = 1_000;

/// Length of a text from which on it is not shared: the pool is bounded by the number of texts.
const LONG_BYTES: usize = 1_024;

/// Number of texts from which unused ones are removed.
const SWEPT_FROM: usize = 1 << 16;

/// The texts of large dictionaries.
#[derive(Debug, Default)]
pub(crate) struct TextPool(Mutex<KnownTexts>);

#[derive(Debug, Default)]
struct KnownTexts {
    texts: HashSet<Arc<str>, RandomState>,
    /// Number of texts after the last sweep.
    n_left: usize,
}

impl TextPool {
    /// Replaces the texts of a dictionary by the same ones of others.
    pub(crate) fn share(&self, values: &mut [Value]) {
        if values.len() < SHARED_FROM {
            return;
        }
        for some in values.chunks_mut(AT_ONCE) {
            // A set is whole between any two statements that can panic.
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for value in some {
                let Value::String(text) = value else { continue };
                if text.len() >= LONG_BYTES {
                    continue;
                }
                match known.texts.get(&**text) {
                    Some(shared) => *text = shared.clone(),
                    None => drop(known.texts.insert(text.clone())),
                }
            }
            known.sweep();
        }
    }
}

impl KnownTexts {
    /// Removes unused texts, if many have come since the last sweep.
    fn sweep(&mut self) {
        if self.texts.len() >= SWEPT_FROM.max(self.n_left.saturating_mul(2)) {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.texts.shrink_to_fit();
            self.n_left = self.texts.len();
        }
    }
}

#[cfg(test)]
mod tests;
