//! Instants in all of their forms.

use super::*;

const NOW: &str = "2026-11-20T06:47:13.5Z";

fn check_in(zone: Tz, text: &str, expected: Option<&str>) {
    let now = Timestamp::parse_rfc3339(NOW).expect("a constant");
    let shown = parse(text, now, zone).ok().map(|time| time.to_string());
    assert_eq!(shown.as_deref(), expected, "{text}");
}

fn check(text: &str, expected: Option<&str>) {
    check_in(Tz::UTC, text, expected);
}

#[test]
fn times_of_ranges_without_an_end_are_the_ends_of_time() {
    check("9999-12-31T23:59:59Z", Some("2262-01-01T00:00:00Z"));
    check("0001-01-01T00:00:00Z", Some("1970-01-01T00:00:00Z"));
    check("9999-13-31T23:59:59Z", None);
}

#[test]
fn relative_times_count_from_now() {
    check("now", Some(NOW));
    check(" now-1h ", Some("2026-11-20T05:47:13.5Z"));
    check("-15m", Some("2026-11-20T06:32:13.5Z"));
    check("15m", Some("2026-11-20T06:32:13.5Z"));
    check("2 Hours ago", Some("2026-11-20T04:47:13.5Z"));
    check("now-1h30m", Some("2026-11-20T05:17:13.5Z"));
    check("1M", Some("2026-10-20T06:47:13.5Z"));
    check("yesterday 14:00", Some("2026-11-19T14:00:00Z"));
    check("today", Some("2026-11-20T00:00:00Z"));
    check("06:30:15.5", Some("2026-11-20T06:30:15.5Z"));
    check("now+1d", Some("2026-11-21T06:47:13.5Z"));
    check("now/d", Some("2026-11-20T00:00:00Z"));
    check("now-1d/d", Some("2026-11-19T00:00:00Z"));
    check("now-1d/d+6h", Some("2026-11-19T06:00:00Z"));
    check("now/w", Some("2026-11-16T00:00:00Z"));
    check("now-1M/M", Some("2026-10-01T00:00:00Z"));
    check("now/q", Some("2026-10-01T00:00:00Z"));
    check("now/y", Some("2026-01-01T00:00:00Z"));
    check("now-9m/m", Some("2026-11-20T06:38:00Z"));
    for wrong in ["now-", "now-1", "now-h", "now/5d", "now-1parsec", "nowhere", "now-999999999999999999y", "now-1h)"] {
        check(wrong, None);
    }
}

#[test]
fn days_and_months_are_those_of_the_zone() {
    check_in(Tz::Asia__Jakarta, "now/d", Some("2026-11-19T17:00:00Z"));
    check_in(Tz::Asia__Jakarta, "2026-11-20", Some("2026-11-19T17:00:00Z"));
    check_in(Tz::Asia__Kolkata, "now/h", Some("2026-11-20T06:30:00Z"));
    check_in(Tz::Europe__Berlin, "2026-03-29 02:30", Some("2026-03-29T01:00:00Z"));
    check_in(Tz::Europe__Berlin, "2026-10-25 02:30", Some("2026-10-25T00:30:00Z"));
}

#[test]
fn absolute_times_have_many_forms() {
    check("2026-11-20T06:47:13+07:00", Some("2026-11-19T23:47:13Z"));
    check("2026-11-20T06:47", Some("2026-11-20T06:47:00Z"));
    check("2026-11-20 06:47:13.25", Some("2026-11-20T06:47:13.25Z"));
    check("2026-11", Some("2026-11-01T00:00:00Z"));
    check("2026", Some("2026-01-01T00:00:00Z"));
    check("0", Some("1970-01-01T00:00:00Z"));
    check("1793520000", Some("2026-11-01T08:00:00Z"));
    check("1793520000.25", Some("2026-11-01T08:00:00.25Z"));
    check("1793520000123", Some("2026-11-01T08:00:00.123Z"));
    check("1793520000123456", Some("2026-11-01T08:00:00.123456Z"));
    check("1793520000123456789", Some("2026-11-01T08:00:00.123456789Z"));
    for wrong in ["", "x", "2026-13-01", "99999999999999999999", "1.2.3", "12e5", "2026-11-20T25:00"] {
        check(wrong, None);
    }
}
