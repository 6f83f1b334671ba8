//! Bins where clocks are put forward and back.

use super::*;

fn check(zone: Tz, time: &str, span: Length, expected: (&str, &str)) {
    let instant = Timestamp::parse_rfc3339(time).expect("a valid time").0;
    let shown = |nanos: Option<i64>| nanos.map(|n| Timestamp(n).to_string()).unwrap_or_default();
    let (low, high) = (shown(floor(zone, instant, span)), shown(ceil(zone, instant, span)));
    assert_eq!((low.as_str(), high.as_str()), expected, "{time} {span:?} {zone}");
}

#[test]
fn bins_align_to_epoch_monday_and_calendar() {
    let sunday = "2015-11-22T23:59:59Z";
    check(
        Tz::UTC,
        sunday,
        Length::Nanoseconds(300 * Timestamp::SECOND),
        ("2015-11-22T23:55:00Z", "2015-11-23T00:00:00Z"),
    );
    check(Tz::UTC, sunday, Length::Nanoseconds(WEEK), ("2015-11-16T00:00:00Z", "2015-11-23T00:00:00Z"));
    check(Tz::UTC, sunday, Length::Months(3), ("2015-10-01T00:00:00Z", "2016-01-01T00:00:00Z"));
    check(Tz::UTC, sunday, Length::Months(12), ("2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z"));
    check(Tz::UTC, "2015-12-01T00:00:00Z", Length::Months(1), ("2015-12-01T00:00:00Z", "2015-12-01T00:00:00Z"));
}

#[test]
fn buckets_of_hours_begin_where_the_clocks_of_a_zone_say() {
    let berlin = |time: &str, minutes: i64| {
        let instant = Timestamp::parse_rfc3339(time).expect("a valid time").0;
        let start = wall_floor(Tz::Europe__Berlin, instant, minutes * Timestamp::MINUTE, 0);
        start.map(|start| Timestamp(start).to_string()).unwrap_or_default()
    };
    for (time, minutes, expected) in [
        ("2026-07-01T03:00:00Z", 720, "2026-06-30T22:00:00Z"),
        ("2026-07-01T10:30:00Z", 720, "2026-07-01T10:00:00Z"),
        ("2026-01-01T02:30:00Z", 180, "2026-01-01T02:00:00Z"),
        // Clocks go from 2:00 to 3:00 at 1:00Z.
        ("2026-03-29T01:30:00Z", 180, "2026-03-29T01:00:00Z"),
        ("2026-03-29T01:10:00Z", 120, "2026-03-29T01:00:00Z"),
        ("2026-03-29T08:00:00Z", 720, "2026-03-28T23:00:00Z"),
        // Clocks go from 3:00 back to 2:00 at 1:00Z.
        ("2026-10-25T00:30:00Z", 60, "2026-10-25T00:00:00Z"),
        ("2026-10-25T01:30:00Z", 60, "2026-10-25T01:00:00Z"),
        ("2026-10-25T01:30:00Z", 180, "2026-10-24T22:00:00Z"),
        ("2026-10-25T01:10:00Z", 45, "2026-10-25T00:15:00Z"),
        ("2026-10-25T02:10:00Z", 180, "2026-10-25T02:00:00Z"),
    ] {
        assert_eq!(berlin(time, minutes), expected, "{time} {minutes}m");
    }
}

#[test]
fn days_start_at_local_midnight_even_when_clocks_change() {
    let day = Length::Nanoseconds(Timestamp::DAY);
    check(Tz::Asia__Jakarta, "2026-11-20T16:59:59Z", day, ("2026-11-19T17:00:00Z", "2026-11-20T17:00:00Z"));
    check(Tz::Europe__Berlin, "2026-03-29T12:00:00Z", day, ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
    // Clocks go from 0:00 to 1:00, so that a day begins at 1:00 and the one after it at 0:00.
    check(Tz::Africa__Cairo, "2026-04-23T21:30:00Z", day, ("2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z"));
    check(Tz::Africa__Cairo, "2026-04-24T20:30:00Z", day, ("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"));
    check(Tz::Africa__Cairo, "2026-04-24T21:30:00Z", day, ("2026-04-24T21:00:00Z", "2026-04-25T21:00:00Z"));
    check(
        Tz::America__Asuncion,
        "2017-10-15T00:00:00Z",
        Length::Months(1),
        ("2017-10-01T04:00:00Z", "2017-11-01T03:00:00Z"),
    );
    check(
        Tz::Asia__Beirut,
        "2026-03-29T10:00:00Z",
        Length::Nanoseconds(WEEK),
        ("2026-03-22T22:00:00Z", "2026-03-29T21:00:00Z"),
    );
    // Clocks go from 1:00 back to 0:00.
    check(Tz::America__Havana, "2026-11-01T05:30:00Z", day, ("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"));
    // Clocks go from 0:01 back to 23:01.
    check(Tz::America__St_Johns, "2010-11-07T03:00:00Z", day, ("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"));
    // The day before was skipped.
    check(Tz::Pacific__Apia, "2011-12-30T12:00:00Z", day, ("2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"));
    let hour = Length::Nanoseconds(Timestamp::HOUR);
    check(Tz::Asia__Kolkata, "2026-11-20T06:45:00Z", hour, ("2026-11-20T06:30:00Z", "2026-11-20T07:30:00Z"));
    check(Tz::Asia__Jakarta, "2026-11-20T06:45:00Z", hour, ("2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"));
    // Clocks go from 2:00 to 2:30.
    check(Tz::Australia__Lord_Howe, "2026-10-03T15:20:00Z", hour, ("2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z"));
    check(Tz::Australia__Lord_Howe, "2026-10-03T15:40:00Z", hour, ("2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"));
}

#[test]
fn all_instants_of_a_span_have_its_bounds() {
    use chrono_tz::Tz::*;
    let day = Timestamp::DAY;
    let spans = [3_600, 10_800, 43_200].map(|seconds| Length::Nanoseconds(seconds * Timestamp::SECOND));
    let days = [day, 2 * day, WEEK].map(Length::Nanoseconds);
    let spans: Vec<Length> = spans.into_iter().chain(days).chain([1, 3, 12].map(Length::Months)).collect();
    let zones = [
        Africa__Cairo, Asia__Beirut, America__Havana, America__Santiago, Atlantic__Azores, America__Asuncion,
        America__St_Johns, Australia__Lord_Howe, Pacific__Apia, Europe__Berlin,
    ];
    let years = [2010, 2011, 2017, 2026].map(|year| days_from_civil(year, 1, 1).expect("a day") * day);
    for (zone, span) in zones.iter().flat_map(|zone| spans.iter().map(move |span| (*zone, *span))) {
        for year in years {
            let mut last: Option<(i64, i64)> = None;
            for instant in (year..year + 365 * day).step_by((17 * Timestamp::MINUTE) as usize) {
                let found = bounds(zone, instant, span).expect("in range");
                assert!((found.0..found.1).contains(&instant), "{zone} {span:?} {}", Timestamp(instant));
                if let Some(before) = last {
                    let is_next = found == before || found.0 == before.1;
                    assert!(is_next, "{zone} {span:?} {}", Timestamp(instant));
                }
                last = Some(found);
            }
        }
    }
}
