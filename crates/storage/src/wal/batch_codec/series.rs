//! Streams of samples: each by what differs from the one before, since a sender names its series in order.
//!
//! ```text
//! varint count, then for each
//!   varint  bytes at its beginning that are those of the one before
//!   varint  bytes at its end that are those of the one before, none of them counted already
//!   varint length, bytes in between
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use segment::bytes::{Cursor, Damage, Decoded, put_varint};
use types::{Hold, Series, ensure};

/// Bytes that streams are kept in as they are written. Beyond it those that no batch has any more are forgotten, or else all.
const KNOWN_BYTES_MAX: usize = 16 << 20;

/// Bytes of a list that is kept besides its streams.
const LIST_BYTES: usize = 128;

/// Streams of lists that several batches share: their texts are mostly in no cache of the processor, and are read once.
#[derive(Debug, Default)]
// Lists are whole between any two statements; of a panic between two only the count of bytes would suffer.
pub(super) struct KnownStreams(Mutex<KnownLists>);

#[derive(Debug, Default)]
struct KnownLists {
    /// By the address of a list: as long as it is known here, that of no other.
    by_address: HashMap<usize, KnownList>,
    n_bytes: usize,
}

/// Streams as they are written.
#[derive(Clone, Debug)]
struct KnownList {
    series: Weak<Vec<Arc<Series>>>,
    written: Arc<[u8]>,
    /// Bytes of the streams as texts.
    n_bytes: usize,
}

impl KnownStreams {
    /// Writes the streams of some series and returns how many bytes they have as texts.
    pub(super) fn put(&self, out: &mut Vec<u8>, series: &Arc<Vec<Arc<Series>>>) -> usize {
        if let Some(known) = self.find(series) {
            out.extend_from_slice(&known.written);
            return known.n_bytes;
        }
        let from = out.len();
        let n_bytes = put_streams(out, series);
        if Arc::strong_count(series) > 1 {
            self.note(series, KnownList { series: Arc::downgrade(series), written: out[from..].into(), n_bytes });
        }
        n_bytes
    }

    fn find(&self, series: &Arc<Vec<Arc<Series>>>) -> Option<KnownList> {
        self.0.hold().by_address.get(&(Arc::as_ptr(series) as usize)).cloned()
    }

    fn note(&self, series: &Arc<Vec<Arc<Series>>>, list: KnownList) {
        let n_bytes = list.memory_bytes();
        if n_bytes > KNOWN_BYTES_MAX {
            return;
        }
        let mut lists = self.0.hold();
        if lists.n_bytes + n_bytes > KNOWN_BYTES_MAX {
            lists.by_address.retain(|_, known| known.series.strong_count() > 0);
            lists.n_bytes = lists.by_address.values().map(KnownList::memory_bytes).sum();
        }
        if lists.n_bytes + n_bytes > KNOWN_BYTES_MAX {
            *lists = KnownLists::default();
        }
        let replaced = lists.by_address.insert(Arc::as_ptr(series) as usize, list);
        lists.n_bytes += n_bytes - replaced.map_or(0, |known| known.memory_bytes());
    }
}

impl KnownList {
    fn memory_bytes(&self) -> usize {
        self.written.len() + LIST_BYTES
    }
}

/// Writes the streams of some series and returns how many bytes they have as texts.
fn put_streams(out: &mut Vec<u8>, series: &[Arc<Series>]) -> usize {
    put_varint(out, series.len() as u64);
    let mut before: &[u8] = &[];
    let mut n_bytes = 0;
    for stream in series.iter().map(|series| series.stream().as_bytes()) {
        let (n_first, n_last) = common_ends(before, stream);
        let between = &stream[n_first..stream.len() - n_last];
        for length in [n_first, n_last, between.len()] {
            put_varint(out, length as u64);
        }
        out.extend_from_slice(between);
        n_bytes += stream.len();
        before = stream;
    }
    n_bytes
}

/// Reads the series of some streams, which have at most `bytes_max` bytes.
pub(super) fn take_streams(cursor: &mut Cursor<'_>, bytes_max: usize) -> Decoded<Vec<Arc<Series>>> {
    let count = cursor.count(3)?;
    let (mut series, mut stream, mut n_bytes) = (Vec::new(), Vec::new(), 0usize);
    for _ in 0..count {
        let (n_first, n_last) = (cursor.varint()? as usize, cursor.varint()? as usize);
        let length = cursor.count(1)?;
        let between = cursor.take(length)?;
        let until = stream.len().checked_sub(n_last).filter(|until| n_first <= *until);
        stream.splice(n_first..until.ok_or(Damage("a length is out of range"))?, between.iter().copied());
        n_bytes += stream.len();
        ensure!(n_bytes <= bytes_max, Damage("streams are too long"));
        let text = std::str::from_utf8(&stream).map_err(|_| Damage("a text is not UTF-8"))?;
        series.push(Arc::new(Series::of_labels(text).ok_or(Damage("a stream is that of no series"))?));
    }
    Ok(series)
}

/// Returns how many bytes at the beginning two texts have in common, and how many of the rest at the end.
fn common_ends(a: &[u8], b: &[u8]) -> (usize, usize) {
    let equal = |a: &[[u8; 8]], b: &[[u8; 8]]| a.iter().zip(b).take_while(|(a, b)| a == b).count() * 8;
    let chunks = equal(a.as_chunks().0, b.as_chunks().0);
    let n_first = chunks + a[chunks..].iter().zip(&b[chunks..]).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[n_first..], &b[n_first..]);
    let (chunks_a, chunks_b): (&[[u8; 8]], &[[u8; 8]]) = (a.as_rchunks().1, b.as_rchunks().1);
    let chunks = chunks_a.iter().rev().zip(chunks_b.iter().rev()).take_while(|(a, b)| a == b).count() * 8;
    let (a, b) = (&a[..a.len() - chunks], &b[..b.len() - chunks]);
    let n_last = chunks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (n_first, n_last)
}

#[cfg(test)]
mod tests;
