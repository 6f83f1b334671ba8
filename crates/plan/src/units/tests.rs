//! Durations and sizes.

use super::*;

#[test]
fn durations_are_those_of_go() {
    let check = |text: &str, expected: Option<i64>| assert_eq!(duration_ns(text), expected, "{text}");
    check("1.5s", Some(1_500_000_000));
    check("1h2m3s4ms5us6ns", Some(3_723_004_005_006));
    check("-1.5h", Some(-5_400_000_000_000));
    check(".5s", Some(500_000_000));
    check("1µs", Some(1_000));
    check("0", Some(0));
    for wrong in ["", "5", "1d", "s", "1.s.", "1 s", "99999999999h", "1s ", "é"] {
        check(wrong, None);
    }
}

#[test]
fn sizes_have_units_in_any_case_or_none() {
    let check = |text: &str, expected: Option<u64>| assert_eq!(size_bytes(text), expected, "{text}");
    check("117kb", Some(117_000));
    check("1.5 GiB", Some(1_610_612_736));
    check("42", Some(42));
    check("42B", Some(42));
    check("1,024 b", Some(1024));
    check("10KI", Some(10_240));
    check("2m", Some(2_000_000));
    for wrong in ["", "kb", "5 apples", "1.2.3", "-5kb", "99eb", "ib", "5ib"] {
        check(wrong, None);
    }
}
