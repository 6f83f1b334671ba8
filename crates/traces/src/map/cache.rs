//! A cache of slices, by the runs that they were read from.
//!
//! The key of a slice has its range and the identity of all runs that overlap it. Runs never change: a late span, a deletion, a
//! flush or a compaction makes other runs and so another key. A caller with access to other groups has other runs, too.
//! Slices of events in segments are on disk as well, under the same keys ([`file`](super::file)).

use std::fmt;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use types::{Hold, Run, TimeRange, Timestamp};
use xxhash_rust::xxh3::xxh3_128;

use super::slices::Slice;

/// Limit on the bytes of all cached slices: enough for several maps of an hour of 5 million spans.
const BYTES_MAX: usize = 64 << 20;

/// The range of a slice, and the hash of the runs that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SliceKey {
    from: i64,
    to: i64,
    runs: u128,
}

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

impl SliceKey {
    /// Returns the range of its slice.
    pub(crate) fn range(&self) -> TimeRange {
        TimeRange { from: Timestamp(self.from), to: Timestamp(self.to) }
    }

    /// Returns its bytes, from which [`of_bytes`](Self::of_bytes) makes it again.
    pub(crate) fn to_bytes(self) -> [u8; KEY_BYTES] {
        let mut bytes = [0; KEY_BYTES];
        bytes[..8].copy_from_slice(&self.from.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.to.to_le_bytes());
        bytes[16..].copy_from_slice(&self.runs.to_le_bytes());
        bytes
    }

    /// Returns the key with these bytes.
    pub(crate) fn of_bytes(bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        let (from, rest) = bytes.split_first_chunk::<8>()?;
        let (to, rest) = rest.split_first_chunk::<8>()?;
        let runs = u128::from_le_bytes(*rest.first_chunk::<16>()?);
        Some(Self { from: i64::from_le_bytes(*from), to: i64::from_le_bytes(*to), runs })
    }
}

/// Returns the key of a slice of some runs; `None` if none overlaps it, so that it is empty.
pub(crate) fn key(range: TimeRange, runs: &[Arc<dyn Run>]) -> Option<SliceKey> {
    let mut identities: Vec<[u8; 64]> = overlapping(range, runs).map(|run| identity(&**run)).collect();
    identities.sort_unstable();
    let hash = xxh3_128(identities.as_flattened());
    (!identities.is_empty()).then_some(SliceKey { from: range.from.0, to: range.to.0, runs: hash })
}

/// Returns the segments that a slice of some runs was read from, each once; `None` if it has events that are in no segment.
pub(crate) fn segments(range: TimeRange, runs: &[Arc<dyn Run>]) -> Option<Vec<u128>> {
    let segment = |run: &Arc<dyn Run>| Some(run.info().key?.segment);
    let mut segments = overlapping(range, runs).map(segment).collect::<Option<Vec<u128>>>()?;
    segments.sort_unstable();
    segments.dedup();
    Some(segments)
}

fn overlapping(range: TimeRange, runs: &[Arc<dyn Run>]) -> impl Iterator<Item = &Arc<dyn Run>> {
    runs.iter().filter(move |run| range.overlaps(run.info().first, run.info().last))
}

/// Returns what distinguishes a run from all others: its place in a segment or, for hot events, the number of the last
/// one.
fn identity(run: &dyn Run) -> [u8; 64] {
    let info = run.info();
    let (segment, number, version) = info.key.map_or((0, 0, 0), |key| (key.segment, key.run, key.version));
    let mut bytes = [0; 64];
    let parts: [&[u8]; 8] = [
        &segment.to_be_bytes(),
        &number.to_be_bytes(),
        &version.to_be_bytes(),
        &info.group_id.to_be_bytes(),
        &info.n_events.to_be_bytes(),
        &info.first.0.to_be_bytes(),
        &info.last.0.to_be_bytes(),
        &run.last_sequence().to_be_bytes(),
    ];
    let mut at = 0;
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    bytes
}

/// Cached slices.
pub(crate) struct SliceCache(Mutex<Slices>);

struct Slices {
    /// Slices with their bytes.
    by_key: LruCache<SliceKey, (Arc<Slice>, usize)>,
    n_bytes: usize,
}

impl Default for SliceCache {
    fn default() -> Self {
        Self(Mutex::new(Slices { by_key: LruCache::unbounded(), n_bytes: 0 }))
    }
}

impl fmt::Debug for SliceCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceCache").finish_non_exhaustive()
    }
}

impl SliceCache {
    /// Returns a cached slice.
    pub(crate) fn get(&self, key: &SliceKey) -> Option<Arc<Slice>> {
        self.0.hold().by_key.get(key).map(|(slice, _)| slice.clone())
    }

    /// Adds a slice, and drops the least recently used ones if there are too many.
    pub(crate) fn put(&self, key: SliceKey, slice: Arc<Slice>) {
        let n_bytes = slice.n_bytes();
        let mut slices = self.0.hold();
        let before = slices.by_key.put(key, (slice, n_bytes));
        slices.n_bytes = slices.n_bytes + n_bytes - before.map_or(0, |(_, n_bytes)| n_bytes);
        while slices.n_bytes > BYTES_MAX
            && let Some((_, (_, n_bytes))) = slices.by_key.pop_lru()
        {
            slices.n_bytes -= n_bytes;
        }
    }
}
