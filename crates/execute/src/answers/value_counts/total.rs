//! What was counted of all parts together that never change: kept, so that another selection among the same events finds the
//! whole of them counted, whatever became of the counts of single parts.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::field_counter::FieldSum;
use super::sum::Sum;
use crate::request::cache::{CacheEntry, PartialCache};
use crate::scan::fingerprint::{Fingerprint, key_of_several};
use crate::scan::parts::RunPart;
use crate::scan::scanner::Scan;
use evaluate::Result;

/// Bytes of a name next to its text, roughly.
const NAME_BYTES: usize = 32;

/// Which fields there are; the values of each have an entry of their own.
struct Head {
    n_events: u64,
    n_scanned: u64,
    names: Vec<Arc<str>>,
}

/// Where the counts of some parts together are kept.
pub(super) struct TotalKeeper<'a> {
    cache: &'a PartialCache,
    key: u128,
}

impl<'a> TotalKeeper<'a> {
    /// Returns where the counts of `parts` together are kept, all of which have a key.
    pub(super) fn of(scan: &Scan<'a>, fingerprint: Option<Fingerprint>, parts: &[RunPart]) -> Option<Self> {
        let cache = scan.request.support.cache?;
        let keys = parts.iter().map(|part| part.key(scan, fingerprint?)).collect::<Option<Vec<u128>>>()?;
        // Those of parts are not told apart from that of one part alone.
        let key = key_of_several([keys, vec![TOTAL]].concat())?;
        (!parts.is_empty()).then_some(Self { cache, key })
    }

    fn key_of(&self, name: &str) -> u128 {
        xxh3_128_with_seed(name.as_bytes(), 0) ^ self.key.rotate_left(64)
    }

    /// Finds the counts, where those of all fields are still there.
    pub(super) fn find(&self, scan: &Scan<'_>) -> Result<Option<Sum>> {
        let Some(head) = self.cache.part_counts::<Head>(self.key) else { return Ok(None) };
        let mut sum = Sum { n_events: head.n_events, ..Sum::default() };
        for name in &head.names {
            let Some(field) = self.cache.part_counts::<FieldSum>(self.key_of(name)) else { return Ok(None) };
            scan.hold(field.n_bytes())?;
            sum.fields.insert(name.clone(), field);
        }
        scan.count_kept(scan.sources.len(), head.n_scanned, head.n_events);
        Ok(Some(sum))
    }

    /// Keeps the counts.
    pub(super) fn keep(&self, sum: &Sum, n_scanned: u64) {
        let names: Vec<Arc<str>> = sum.fields.keys().cloned().collect();
        for (name, field) in &sum.fields {
            self.cache.put(self.key_of(name), CacheEntry::Counts(field.clone(), field.n_bytes()));
        }
        let n_bytes = names.iter().map(|name| name.len() + NAME_BYTES).sum();
        let head = Head { n_events: sum.n_events, n_scanned, names };
        self.cache.put(self.key, CacheEntry::Counts(Arc::new(head), n_bytes));
    }
}

/// Stands for "together" among the keys of parts.
const TOTAL: u128 = 0x746f_7461_6c00_0000_0000_0000_0000_0001;
