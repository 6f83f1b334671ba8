//! Ranges in all of their forms, in zones whose clocks are put forward and back.

use chrono_tz::Tz;
use types::Timestamp;

use super::super::TimeMistake;
use super::*;

const NOW: &str = "2026-11-20T09:30:15Z";

fn range_at(now: &str, zone: Tz, text: &str) -> Result<WrittenRange, TimeError> {
    parse_range(text, Timestamp::parse_rfc3339(now).expect("a constant"), zone)
}

/// Checks the ends as they are kept, and the instants that they mean.
fn check_in(zone: Tz, now: &str, text: &str, kept: (&str, &str), meant: (&str, &str)) {
    let range = range_at(now, zone, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((&*range.from.text, &*range.to.text), kept, "{text}");
    assert_eq!((&*range.from.time.to_string(), &*range.to.time.to_string()), meant, "{text}");
}

fn relative(text: &str, kept: (&str, &str), meant: (&str, &str)) {
    check_in(Tz::UTC, NOW, text, kept, meant);
}

fn fixed(text: &str, from: &str, to: &str) {
    check_in(Tz::UTC, NOW, text, (from, to), (from, to));
}

#[test]
fn what_counts_from_now_keeps_doing_so() {
    let two_hours = ("2026-11-20T07:30:15Z", NOW);
    for text in [
        "2h", "last 2 hours", "Last 2 Hours", "past 2h", "2 hours ago", "-2h", "since 2h", "now-2h", " now - 2 h ",
        "120m..now",
    ] {
        let range = range_at(NOW, Tz::UTC, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((&*range.from.time.to_string(), &*range.to.time.to_string()), two_hours, "{text}");
        assert!(range.from.text.starts_with("now-") && range.to.text == "now", "{text}: {range:?}");
    }
    relative("2h", ("now-2h", "now"), two_hours);
    relative("2h30m", ("now-2h-30m", "now"), ("2026-11-20T07:00:15Z", NOW));
    relative("last hour", ("now-1h", "now"), ("2026-11-20T08:30:15Z", NOW));
    relative("last month", ("now-1mo", "now"), ("2026-10-20T09:30:15Z", NOW));
    relative("now-1h/h", ("now-1h/h", "now"), ("2026-11-20T08:00:00Z", NOW));
    relative("now-2d..now-1d", ("now-2d", "now-1d"), ("2026-11-18T09:30:15Z", "2026-11-19T09:30:15Z"));
    relative("today", ("now/d", "now"), ("2026-11-20T00:00:00Z", NOW));
    relative("Yesterday", ("now-1d/d", "now/d"), ("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"));
    relative("all time", ("1970-01-01T00:00:00Z", "now"), ("1970-01-01T00:00:00Z", NOW));
}

#[test]
fn what_is_fixed_stays() {
    fixed("2026-11-20 06:00..07:00", "2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z");
    fixed("2026-11-20 06:00 .. 2026-11-20 07:00", "2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z");
    fixed("06:00 to 07:30:05.25", "2026-11-20T06:00:00Z", "2026-11-20T07:30:05.25Z");
    fixed("yesterday 14:00..15:00", "2026-11-19T14:00:00Z", "2026-11-19T15:00:00Z");
    fixed("yesterday 23:00 until today 01:00", "2026-11-19T23:00:00Z", "2026-11-20T01:00:00Z");
    fixed("2026-11-18", "2026-11-18T00:00:00Z", "2026-11-18T23:59:59.999999999Z");
    fixed("2026-02", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59.999999999Z");
    fixed("2025", "2025-01-01T00:00:00Z", "2025-12-31T23:59:59.999999999Z");
    relative("yesterday 14:00", ("2026-11-19T14:00:00Z", "now"), ("2026-11-19T14:00:00Z", NOW));
    relative("08:15", ("2026-11-20T08:15:00Z", "now"), ("2026-11-20T08:15:00Z", NOW));
}

#[test]
fn numbers_since_the_epoch_are_read_by_their_size() {
    let (from, to) = ("2025-11-20T06:00:00Z", "2025-11-20T06:00:01.5Z");
    fixed("1763618400..1763618401.5", from, to);
    fixed("1763618400000..1763618401500", from, to);
    fixed("1763618400000000..1763618401500000", from, to);
    fixed("1763618400000000000..1763618401500000000", from, to);
    relative("1763618400000000001", ("2025-11-20T06:00:00.000000001Z", "now"), ("2025-11-20T06:00:00.000000001Z", NOW));
}

#[test]
fn days_are_as_long_as_their_zone_makes_them() {
    let berlin = Tz::Europe__Berlin;
    // The day on which the clock is put back has 25 hours, the one on which it is put forward 23.
    let (from, to) = ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999999Z");
    check_in(berlin, NOW, "2026-10-25", (from, to), (from, to));
    let (from, to) = ("2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999999Z");
    check_in(berlin, NOW, "2026-03-29", (from, to), (from, to));
    // Of 02:30 twice the first; of 02:30 not at all the first instant after.
    let (from, to) = ("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z");
    check_in(berlin, NOW, "2026-10-25 02:30..03:00", (from, to), (from, to));
    let (from, to) = ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z");
    check_in(berlin, NOW, "2026-03-29 02:30..04:00", (from, to), (from, to));
    let morning_after = "2026-10-26T07:00:00Z";
    check_in(
        berlin,
        morning_after,
        "yesterday",
        ("now-1d/d", "now/d"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    );
    check_in(berlin, morning_after, "1d", ("now-1d", "now"), ("2026-10-25T07:00:00Z", morning_after));
    check_in(berlin, morning_after, "24h", ("now-24h", "now"), ("2026-10-25T07:00:00Z", morning_after));
    check_in(berlin, "2026-10-25T20:00:00Z", "1d", ("now-1d", "now"), ("2026-10-24T19:00:00Z", "2026-10-25T20:00:00Z"));
    check_in(
        Tz::Asia__Jakarta,
        NOW,
        "06:00..07:00",
        ("2026-11-19T23:00:00Z", "2026-11-20T00:00:00Z"),
        ("2026-11-19T23:00:00Z", "2026-11-20T00:00:00Z"),
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    let wrong = |text: &str| {
        let error = range_at(NOW, Tz::UTC, text).expect_err(text);
        (error.text.clone(), error.place.clone(), error.kind)
    };
    assert_eq!(wrong("soon"), ("soon".into(), 0..4, TimeMistake::NoTime));
    assert_eq!(wrong("yesterday .. sñon "), ("sñon".into(), 13..18, TimeMistake::NoTime));
    assert_eq!(wrong("..07:00"), (String::new(), 0..0, TimeMistake::NoTime));
    assert_eq!(wrong(""), (String::new(), 0..0, TimeMistake::NoTime));
    assert_eq!(wrong("now-1h..now-2h").2, TimeMistake::Backwards);
    assert_eq!(wrong("now+1h").2, TimeMistake::Backwards);
    assert_eq!(wrong("1..2..3").2, TimeMistake::TooManyEnds);
    for text in
        ["25:00", "2026-13-01", "last", "h", "2.x", "now-2", "2 parsecs", "yesterday 25:00", "– –", "é..é", "last é"]
    {
        assert!(matches!(wrong(text).2, TimeMistake::NoTime | TimeMistake::Backwards), "{text}");
    }
}
