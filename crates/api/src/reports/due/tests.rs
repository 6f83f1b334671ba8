//! Times of reports where clocks are put forward and back.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

fn schedule(on: &str, time: &str, zone: Tz) -> Schedule {
    Schedule::new(Days::try_from(on.to_owned()).expect("days"), time, zone).expect("a schedule")
}

#[test]
fn times_are_those_of_the_clock_of_the_zone() {
    // 2026-11-25 is a Wednesday; 17:30 UTC is 00:30 of the 26th in Jakarta.
    let now = at("2026-11-25T17:30:00Z");
    for (on, time, before, after) in [
        ("day", "07:00", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"),
        ("day", "00:30", "2026-11-25T17:30:00Z", "2026-11-26T17:30:00Z"),
        ("monday", "07:00", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
        ("weekday", "07:00", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"),
        ("1", "07:00", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("28", "07:00", "2026-10-28T00:00:00Z", "2026-11-28T00:00:00Z"),
    ] {
        let schedule = schedule(on, time, Tz::Asia__Jakarta);
        assert_eq!((schedule.before(now), schedule.after(now)), (Some(at(before)), Some(at(after))), "{on} {time}");
    }
}

#[test]
fn a_time_that_the_clocks_skip_or_repeat_comes_once() {
    let berlin = schedule("day", "02:30", Tz::Europe__Berlin);
    // The clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    assert_eq!(berlin.after(at("2026-03-28T23:00:00Z")), Some(at("2026-03-29T01:30:00Z")));
    assert_eq!(berlin.after(at("2026-10-24T23:00:00Z")), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(berlin.after(at("2026-10-25T00:30:00Z")), Some(at("2026-10-26T01:30:00Z")));
}

#[test]
fn other_days_and_times_are_refused() {
    for on in ["", "0", "29", "Monday", "mon", "never"] {
        assert!(Days::try_from(on.to_owned()).is_err(), "{on}");
    }
    for time in ["", "7:00", "24:00", "07:00:00", "7am"] {
        assert!(Schedule::new(Days::Every, time, Tz::UTC).is_err(), "{time}");
    }
    for on in ["day", "weekday", "sunday", "14"] {
        assert_eq!(String::from(Days::try_from(on.to_owned()).expect("days")), on);
    }
}
