//! Ranges of slices.

use super::*;

#[test]
fn a_range_is_widened_to_slices_that_begin_before_its_end() {
    let check = |from: i64, to: i64, expected: (i64, i64)| {
        let (range, step) = aligned(TimeRange { from: Timestamp(from), to: Timestamp(to) });
        assert_eq!(
            (range.from.0, range.to.0, step),
            (expected.0, expected.1, 30 * Timestamp::SECOND),
            "{from} to {to}"
        );
    };
    let (hour, slice) = (Timestamp::HOUR, 30 * Timestamp::SECOND);
    check(5 * hour, 6 * hour, (5 * hour, 6 * hour));
    // With the instant of its end, which texts of a request include.
    check(5 * hour, 6 * hour + 1, (5 * hour, 6 * hour));
    check(5 * hour, 6 * hour + 2, (5 * hour, 6 * hour + slice));
    check(5 * hour - 1, 6 * hour - 1, (5 * hour - slice, 6 * hour));
    check(5 * hour + 1, 6 * hour + slice, (5 * hour, 6 * hour + slice));
}
