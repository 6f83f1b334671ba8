//! Lists of series in the log.

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
        let before = known.0.hold().by_address.len();
        kept.push(list.clone());
        known.put(&mut Vec::new(), &list);
        assert!(known.find(&list).is_some());
        let lists = known.0.hold();
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
