//! Dates without their last parts.

use super::*;

#[test]
fn a_date_without_its_last_parts_is_the_day_that_elasticsearch_takes() {
    let check = |text: &str, zone: Tz, expected: (&str, &str)| {
        let now = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a time");
        let read = read_text(text, None, now, zone).expect("a date");
        let shown = [read.first, read.last + 1].map(|instant| Timestamp(instant).to_string());
        assert_eq!((shown[0].as_str(), shown[1].as_str()), expected, "{text} {zone}");
    };
    check("2026", Tz::UTC, ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"));
    check("2026-11", Tz::UTC, ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"));
    check("2026-11", Tz::Europe__Berlin, ("2026-10-31T23:00:00Z", "2026-11-01T23:00:00Z"));
    check("2026-11||/M", Tz::UTC, ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
    check("2026||/y", Tz::UTC, ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
    check("2026-11-20T06", Tz::UTC, ("2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"));
    check("2026-11-20T06:30", Tz::UTC, ("2026-11-20T06:30:00Z", "2026-11-20T06:31:00Z"));
    check("2026-11-20T06:30:05Z", Tz::UTC, ("2026-11-20T06:30:05Z", "2026-11-20T06:30:06Z"));
    // Clocks go from 0:00 to 1:00.
    check("2026-04-24", Tz::Africa__Cairo, ("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"));
    check("2026-04-24T12:00:00||/d", Tz::Africa__Cairo, ("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"));
    check("2026-04-24T12:00:00||/w", Tz::Africa__Cairo, ("2026-04-19T22:00:00Z", "2026-04-26T21:00:00Z"));
}
