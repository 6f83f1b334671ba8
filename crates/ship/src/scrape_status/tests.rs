//! Targets beyond the limits.

use super::*;

#[test]
fn targets_beyond_the_limit_are_counted() {
    let mut status = ScrapeStatus::new(vec!["a".to_owned()], REPORT_BYTES_MAX);
    let dropped = |address: String| DroppedTarget {
        pool: "a".to_owned(),
        discovered: BTreeMap::from([("__address__".to_owned(), address)]),
    };
    (0..4_000).for_each(|n| status.add_dropped(dropped(format!("host-{n}:9100"))));
    let n_listed = status.dropped.len();
    assert!((1_900..=2_000).contains(&n_listed), "{n_listed}");
    assert_eq!((status.left_out, status.n_dropped["a"]), (4_000 - n_listed as u64, 4_000));
    let mut room = 100_000;
    let cut = Arc::new(status).within(&mut room);
    assert!(cut.dropped.len() > 300 && room < 300, "{} {room}", cut.dropped.len());
    assert_eq!((cut.left_out + cut.dropped.len() as u64, cut.n_dropped["a"]), (4_000, 4_000));
}

#[test]
fn long_texts_leave_room_for_fewer_targets() {
    let mut status = ScrapeStatus::new(Vec::new(), REPORT_BYTES_MAX);
    for _ in 0..10 {
        let discovered = BTreeMap::from([("x".to_owned(), "é".repeat(60 << 10))]);
        status.add_dropped(DroppedTarget { pool: "a".to_owned(), discovered });
    }
    assert_eq!((status.dropped.len(), status.left_out), (4, 6));
}
