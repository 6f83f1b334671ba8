//! Streams of samples: each by what differs from the one before, since a sender names its series in order.
//!
//! ```text
//! varint count, then for each
//!   varint  bytes at its beginning that are those of the one before
//!   varint  bytes at its end that are those of the one before, none of them counted already
//!   varint length, bytes in between
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use segment::bytes::{Cursor, Damage, Decoded, put_varint};
use types::Series;

/// Bytes that streams are kept in as they are written. Beyond it those that no batch has any more are forgotten, or else all.
const KNOWN_BYTES_MAX: usize = 16 << 20;

/// Bytes of a list that is kept besides its streams.
const LIST_BYTES: usize = 128;

/// Streams of lists that several batches share: their texts are mostly in no cache of the processor, and are read once.
#[derive(Debug, Default)]
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

    fn lists(&self) -> MutexGuard<'_, KnownLists> {
        // Lists are whole between any two statements; of a panic between two only the count of bytes would suffer.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, series: &Arc<Vec<Arc<Series>>>) -> Option<KnownList> {
        self.lists().by_address.get(&(Arc::as_ptr(series) as usize)).cloned()
    }

    fn note(&self, series: &Arc<Vec<Arc<Series>>>, list: KnownList) {
        let n_bytes = list.memory_bytes();
        if n_bytes > KNOWN_BYTES_MAX {
            return;
        }
        let mut lists = self.lists();
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
        if n_bytes > bytes_max {
            return Err(Damage("streams are too long"));
        }
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(values: &[String]) -> Vec<Arc<Series>> {
        let stream = |value: &String| format!(r#"{{"__name__":"up","job":"{value}","n":"1"}}"#);
        values.iter().map(|value| Arc::new(Series::of_labels(&stream(value)).expect("labels"))).collect()
    }

    proptest! {
        #[test]
        fn ends_are_as_long_as_they_can_be(a in "[ab]{0,30}", b in "[ab]{0,30}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let (n_first, n_last) = common_ends(a, b);
            let shorter = a.len().min(b.len());
            prop_assert_eq!(&a[..n_first], &b[..n_first]);
            prop_assert_eq!(&a[a.len() - n_last..], &b[b.len() - n_last..]);
            prop_assert!(n_first == shorter || a[n_first] != b[n_first]);
            prop_assert!(n_first + n_last == shorter || a[a.len() - n_last - 1] != b[b.len() - n_last - 1]);
        }

        #[test]
        fn streams_come_back_and_no_more_than_is_allowed(values in proptest::collection::vec("[aé\u{1F600}😁]{0,9}", 0..20)) {
            let (series, mut bytes) = (series(&values), Vec::new());
            let n_bytes = put_streams(&mut bytes, &series);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(take_streams(&mut cursor, n_bytes), Ok(series.clone()));
            prop_assert!(cursor.is_at_end());
            let refused = take_streams(&mut Cursor::new(&bytes), n_bytes.saturating_sub(1));
            prop_assert_eq!(refused.is_err(), !series.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = take_streams(&mut Cursor::new(&bytes), 1000);
        }
    }

    #[test]
    fn a_shared_list_is_written_as_the_first_time() {
        let known = KnownStreams::default();
        let written = |series: &Arc<Vec<Arc<Series>>>| {
            let mut bytes = vec![7];
            let n_bytes = known.put(&mut bytes, series);
            (bytes, n_bytes)
        };
        let lists = [["a", "b"], ["a", "c"]].map(|values| Arc::new(series(&values.map(str::to_owned))));
        let alone = lists.each_ref().map(written);
        assert!(known.find(&lists[0]).is_none(), "nobody shares it");
        let shared = lists.clone();
        for _ in 0..2 {
            assert_eq!(lists.each_ref().map(written), alone);
        }
        assert!(known.find(&shared[1]).is_some());
        let mut plain = vec![7];
        assert_eq!((put_streams(&mut plain, &lists[1]), &plain), (alone[1].1, &alone[1].0));
    }

    #[test]
    fn known_lists_are_bounded() {
        let known = KnownStreams::default();
        // Streams that have little in common with the one before.
        let long = series(&["a", "b"].map(|letter| letter.repeat(10_000)));
        let (mut kept, mut n_forgotten) = (Vec::new(), 0);
        for _ in 0..40 {
            let list: Arc<Vec<Arc<Series>>> = Arc::new(long.iter().cycle().take(100).cloned().collect());
            let before = known.lists().by_address.len();
            kept.push(list.clone());
            known.put(&mut Vec::new(), &list);
            assert!(known.find(&list).is_some());
            let lists = known.lists();
            n_forgotten += usize::from(lists.by_address.len() < before);
            let n_bytes: usize = lists.by_address.values().map(KnownList::memory_bytes).sum();
            assert!(lists.n_bytes == n_bytes && n_bytes <= KNOWN_BYTES_MAX, "{n_bytes}");
        }
        assert!(n_forgotten > 0);
        let huge = Arc::new(long.iter().cycle().take(2_000).cloned().collect());
        kept.push(Arc::clone(&huge));
        known.put(&mut Vec::new(), &huge);
        assert!(known.find(&huge).is_none(), "one list takes no more than all");
    }

    #[test]
    fn series_that_differ_in_one_label_take_few_bytes() {
        let mut bytes = Vec::new();
        let values: Vec<String> = (100..200).map(|n| n.to_string()).collect();
        let n_bytes = put_streams(&mut bytes, &series(&values));
        assert!(bytes.len() < 100 * 6 && n_bytes == 100 * series(&values)[0].stream().len(), "{}", bytes.len());
    }

    #[test]
    fn ends_that_the_stream_before_does_not_have_are_damage() {
        let refused = |numbers: &[u8]| take_streams(&mut Cursor::new(numbers), 1000).err();
        assert_eq!(refused(&[1, 1, 0, 0]), Some(Damage("a length is out of range")));
        assert_eq!(refused(&[1, 0, 1, 0]), Some(Damage("a length is out of range")));
        assert_eq!(refused(&[1, 0, 0, 1, b'x']), Some(Damage("a stream is that of no series")));
        assert_eq!(refused(&[1, 0, 0, 1, 0xff]), Some(Damage("a text is not UTF-8")));
    }
}
