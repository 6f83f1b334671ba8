//! Sizes, windows and durations as they are spelled.

use plan::units::size_bytes;

use super::*;

#[test]
fn sizes_are_read_and_spelled() {
    let check = |text: &str, spelled: Option<&str>| {
        assert_eq!(size_bytes(text).map(spell_size).as_deref(), spelled, "{text}");
    };
    check("12KiB", Some("12kB"));
    check("117kb", Some("117kB"));
    check("1 kB", Some("1.0kB"));
    check("1.5MB", Some("1.5MB"));
    check("900B", Some("900B"));
    check("5b", Some("5B"));
    check("1,000", Some("1.0kB"));
    check("1kbb", None);
    check("", None);
}

#[test]
fn windows_and_durations_are_spelled_as_prometheus_and_go_do() {
    assert_eq!(spell_window(90 * SECOND_NS), "1m30s");
    assert_eq!(spell_window(86_400 * SECOND_NS), "1d");
    assert_eq!(spell_window(0), "0s");
    let check = |ns: i64, expected: &str| assert_eq!(spell_duration(ns), expected);
    check(500_000_000, "500ms");
    check(1_500_000_000, "1.5s");
    check(60 * SECOND_NS, "1m0s");
    check(-3_661 * SECOND_NS, "-1h1m1s");
    check(1_500, "1.5µs");
}
