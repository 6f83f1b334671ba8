//! Spellings of times, and dates.

use super::*;

fn check(input: &str, expected: Option<&str>) {
    let shown = Timestamp::parse_rfc3339(input).map(|t| t.to_string());
    assert_eq!(shown.as_deref(), expected, "{input}");
}

#[test]
fn rfc_3339_times_are_read_and_shown_with_the_digits_they_need() {
    check("2026-11-20T06:47:13.123456789Z", Some("2026-11-20T06:47:13.123456789Z"));
    check("2026-11-20T06:47:13.120Z", Some("2026-11-20T06:47:13.12Z"));
    check("2026-11-20 06:47:13+07:00", Some("2026-11-19T23:47:13Z"));
    check("1969-12-31T23:59:59.5Z", Some("1969-12-31T23:59:59.5Z"));
    check("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00Z"));
}

#[test]
fn impossible_times_are_refused() {
    check("2023-02-29T00:00:00Z", None);
    check("2026-13-01T00:00:00Z", None);
    check("2026-11-20T24:00:00Z", None);
    check("2300-01-01T00:00:00Z", None);
    check("2026-11-20T06:47:13", None);
    check("2026-11-20T06:47:13.Z", None);
    check("", None);
}

#[test]
fn days_and_dates_are_inverse() {
    for days in (-200_000..200_000).step_by(37) {
        let (year, month, day) = civil_from_days(days);
        assert_eq!(days_from_civil(year, month, day), Some(days));
    }
}
