//! Tests of `histogram`.

use super::*;

#[test]
fn lengths_are_readable_and_cover_the_range() {
    let check = |seconds: i64, n_buckets, expected_ms: i64| {
        let range = TimeRange { from: Timestamp(0), to: Timestamp(seconds * Timestamp::SECOND) };
        assert_eq!(length_ns(range, n_buckets), expected_ms * 1_000_000, "{seconds} s in {n_buckets}");
    };
    check(3600, 60, 60_000);
    check(3600, 100, 60_000);
    check(86_400, 100, 900_000);
    check(1, 50, 20);
    check(0, 0, 1);
    let two_hours = TimeRange { from: Timestamp(0), to: Timestamp(2 * Timestamp::HOUR + 1) };
    assert_eq!(length_ns(two_hours, 4), 30 * Timestamp::MINUTE);
}
