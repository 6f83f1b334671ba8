//! Labels of series as senders spell them: a sender spells those of a series the same way in each request, and reading, checking
//! and sorting them costs more than the sample.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use ingest::sample::SeriesLabels;

/// Bytes that spellings and labels take at most; a series takes some 700.
const BYTES_MAX: usize = 128 << 20;

/// Bytes of an entry besides texts.
const ENTRY_BYTES: usize = 200;

/// Labels by the bytes that mean them, compared as a whole: nobody can make others' series look like their own.
#[derive(Debug, Default)]
pub(crate) struct SeriesCache {
    known: HashMap<Box<[u8]>, Arc<SeriesLabels>, RandomState>,
    n_bytes: usize,
}

impl SeriesCache {
    /// Returns the labels that some bytes mean.
    pub(crate) fn get(&self, spelled: &[u8]) -> Option<Arc<SeriesLabels>> {
        self.known.get(spelled).cloned()
    }

    /// Keeps what some bytes mean. If there is no room left, everything else is forgotten, as series that ended are.
    pub(crate) fn put(&mut self, spelled: &[u8], labels: &Arc<SeriesLabels>) {
        let n_bytes = spelled.len() + 3 * labels.text().len() + ENTRY_BYTES;
        if self.n_bytes + n_bytes > BYTES_MAX {
            *self = Self::default();
        }
        if n_bytes <= BYTES_MAX / 16 && self.known.insert(spelled.into(), labels.clone()).is_none() {
            self.n_bytes += n_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use types::Limits;

    use super::*;

    #[test]
    fn memory_is_bounded() {
        let labels = |value: String| {
            let pairs = [("__name__".into(), "up".into()), ("a".into(), value.into())];
            Arc::new(SeriesLabels::new(pairs, &Limits::default()).expect("labels"))
        };
        let mut cache = SeriesCache::default();
        for n in 0..3000u32 {
            let text = format!("{n:>20000}");
            cache.put(text.as_bytes(), &labels(text.clone()));
            assert!(cache.get(text.as_bytes()).is_some());
            assert!(cache.n_bytes <= BYTES_MAX && cache.known.len() * 80_000 <= BYTES_MAX);
        }
        assert_eq!(cache.get(b"other"), None);
    }
}
