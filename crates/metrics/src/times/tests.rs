//! Times and durations of requests.

use super::*;

#[test]
fn times_are_seconds_or_rfc_3339() {
    assert_eq!(time("1435781430.781"), Some(1_435_781_430_781));
    assert_eq!(time("2015-07-01T20:10:30.781Z"), Some(1_435_781_430_781));
    assert_eq!(time("-1"), Some(-1_000));
    assert_eq!(time("1e300"), Some(TIME_MAX));
    assert_eq!(time(TEXT_MIN), Some(-TIME_MAX));
    assert_eq!([time("NaN"), time("inf"), time("yesterday")], [None; 3]);
}

#[test]
fn durations_are_seconds_or_text() {
    assert_eq!([duration("15"), duration("0.5"), duration("5m")], [Some(15_000), Some(500), Some(300_000)]);
    assert_eq!([duration("1y"), duration("1w2d")], [Some(31_536_000_000), Some(777_600_000)]);
    assert_eq!([duration("NaN"), duration("a while"), duration(""), duration("1.5h")], [None; 4]);
}
