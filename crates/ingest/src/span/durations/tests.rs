//! Durations as texts.

use super::*;

#[test]
fn durations_have_three_digits_and_a_unit() {
    let check = |ns, expected: &str| assert_eq!(duration(ns), expected);
    check(0, "0 µs");
    check(1, "0 µs");
    check(12, "0.01 µs");
    check(999, "1 µs");
    check(1_000, "1 µs");
    check(41_250, "41.2 µs");
    check(999_499, "999 µs");
    check(999_500, "1 ms");
    check(285_000_000, "285 ms");
    check(999_499_999, "999 ms");
    check(999_500_000, "1 s");
    check(1_500_000_000, "1.5 s");
    check(90_000_000_000, "90 s");
    check(u64::MAX, "18446744074 s");
}
