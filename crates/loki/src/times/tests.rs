//! Instants, ranges and steps as Loki reads them.

use super::*;

#[test]
fn instants_are_read_as_loki_reads_them() {
    let check = |text: &str, expected: Option<i64>| assert_eq!(instant(text).map(|t| t.0), expected, "{text}");
    check("4000000000", Some(4_000_000_000_000_000_000));
    check("1763618400000000001", Some(1_763_618_400_000_000_001));
    check("1763618400.25", Some(1_763_618_400_250_000_000));
    check("2026-11-20T06:00:00Z", Some(1_795_154_400_000_000_000));
    check("9999999999999999999999", None);
    check("1e300", None);
    check("yesterday", None);
    check("", None);
}

#[test]
fn ranges_are_rounded_outwards_to_steps() {
    let check = |(from, to): (i64, i64), step_ns: i64, expected: (i64, i64)| {
        let aligned = aligned(TimeRange { from: Timestamp(from), to: Timestamp(to) }, step_ns);
        assert_eq!((aligned.from.0, aligned.to.0), expected, "{from} {to} {step_ns}");
    };
    check((7, 23), 5, (5, 25));
    check((10, 20), 5, (10, 20));
    check((-7, 1), 5, (-10, 5));
    check((0, i64::MAX), 1000, (0, i64::MAX));
}

#[test]
fn steps_are_seconds_or_durations_and_bounded() {
    let range = TimeRange { from: Timestamp(0), to: Timestamp(1000 * Timestamp::SECOND) };
    let check = |text: &str| step(&Parameters(vec![("step".into(), text.into())]), range).ok();
    assert_eq!(check("500ms"), Some(500_000_000));
    assert_eq!(check("2"), Some(2_000_000_000));
    assert_eq!(check("1m"), Some(60_000_000_000));
    assert_eq!(check(""), Some(4_000_000_000));
    assert_eq!(check("0"), None);
    assert_eq!(check("1ns"), None);
    assert_eq!(check("-5"), None);
}
