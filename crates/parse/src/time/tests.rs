//! Times of every written form, and texts that only look like one.

use types::Limits;

use super::*;
use crate::Zone;

fn received(limits: &Limits) -> ArrivalContext<'_> {
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    ArrivalContext { at, modified: None, zone: Zone::UTC, limits }
}

fn check(line: &str, expected: Option<&str>) {
    let limits = Limits::default();
    let shown = find_time(line.as_bytes(), &received(&limits)).map(|found| match found.time {
        ResolvedTime::At(instant) => instant.to_string(),
        ResolvedTime::OutOfRange => "out of range".into(),
    });
    assert_eq!(shown.as_deref(), expected, "{line}");
}

#[test]
fn the_time_at_the_head_of_a_line_is_found_in_every_form() {
    check("2026-11-20T06:47:13.123456789Z started", Some("2026-11-20T06:47:13.123456789Z"));
    check("2026-11-20 06:47:13,123 [main] INFO x", Some("2026-11-20T06:47:13.123Z"));
    check("[2026-11-20 06:47:13.5 +0700] x", Some("2026-11-19T23:47:13.5Z"));
    check("2026/11/20 06:47:13 [error] 7#7: x", Some("2026-11-20T06:47:13Z"));
    check("20261120T064713Z x", Some("2026-11-20T06:47:13Z"));
    check("20261120-6:47:3:606|Step|1|x", Some("2026-11-20T06:47:03.606Z"));
    check("20261120-06:47:3:606|Step|1|x", Some("2026-11-20T06:47:03.606Z"));
    check("9.9.9.9 - bob [20/Nov/2026:06:47:13 +0100] \"GET / HTTP/1.1\" 200 5", Some("2026-11-20T05:47:13Z"));
    check("Nov 20 06:47:13 host app[1]: x", Some("2026-11-20T06:47:13Z"));
    check("<34>Nov  2 06:47:13 host app: x", Some("2026-11-02T06:47:13Z"));
    check("<165>1 2026-11-20T06:47:13Z host app - - - x", Some("2026-11-20T06:47:13Z"));
    check("E1120 06:47:13.123456   12 file.go:7] x", Some("2026-11-20T06:47:13.123456Z"));
    check("[Fri Nov 20 06:47:13 2026] [error] x", Some("2026-11-20T06:47:13Z"));
    check("[Fri Nov 20 06:47:13.250000 2026] [core:error] x", Some("2026-11-20T06:47:13.25Z"));
    check("081109 203615 148 INFO x", Some("2008-11-09T20:36:15Z"));
    check("17/06/09 20:10:40 INFO x", Some("2017-06-09T20:10:40Z"));
    check("11-20 06:47:13.811  1702  2395 D Tag: x", Some("2026-11-20T06:47:13.811Z"));
    check("[10.30 16:49:06] app.exe - x", Some("2026-10-30T16:49:06Z"));
    check("7:M 20 Nov 2026 06:47:13.5 * ready", Some("2026-11-20T06:47:13.5Z"));
    check("Fri, 20 Nov 2026 06:47:13 GMT x", Some("2026-11-20T06:47:13Z"));
    check("1763618400.25 x", Some("2025-11-20T06:00:00.25Z"));
    check("- 1763618400 2025.11.20 R02 x", Some("2025-11-20T06:00:00Z"));
    check("level=info ts=1763618400.25 msg=x", Some("2025-11-20T06:00:00.25Z"));
    check("level=info msg=x time=\"2026-11-20T06:47:13Z\"", Some("2026-11-20T06:47:13Z"));
    check("11/20/2026 6:47:13 PM x", Some("2026-11-20T18:47:13Z"));
    check("11/20/2026, 12:07:13 AM x", Some("2026-11-20T00:07:13Z"));
    check("1/2/2026 06:47:13", Some("2026-01-02T06:47:13Z"));
    check("20/11/2026 06:47:13 x", Some("2026-11-20T06:47:13Z"));
    check("20-Nov-2026 06:47:13.123 INFO x", Some("2026-11-20T06:47:13.123Z"));
    check("Nov 20, 2026 6:47:13 AM org.acme.App main", Some("2026-11-20T06:47:13Z"));
    check("Nov 2, 2026, 06:47:13 x", Some("2026-11-02T06:47:13Z"));
    check("app.log 2026-11-20 06:47:13.008 7 INFO x", Some("2026-11-20T06:47:13.008Z"));
}

#[test]
fn numbers_and_prose_are_no_times() {
    check("", None);
    check("hello world", None);
    check("10.0.0.1 connected", None);
    check("user 1763618400123456 logged in at 9", None);
    check("Monday is a day", None);
    check("2026-13-01 06:47:13 x", None);
    check("the backup of the day 2026-11-01 00:00:00 is done", None);
    check("12 monkeys", None);
    check("13/13/2026 06:47:13 x", None);
    check("11/20/2026 13:47:13 AM x", None);
    check("1/2 of it at 3", None);
    check("Nov 20, 2026", None);
    check("Marching 20 06:47:13", None);
    check("é2026-11-20", None);
}

#[test]
fn times_outside_the_bounds_are_told_apart_from_no_time() {
    check("1969-12-31T23:59:59Z x", Some("out of range"));
    check("2300-01-01T00:00:00Z x", Some("out of range"));
    check("2026-11-21T12:00:00Z x", Some("2026-11-21T12:00:00Z"));
    check("2026-11-21T12:00:00.000000001Z x", Some("out of range"));
}

#[test]
fn a_missing_year_is_the_one_nearest_to_arrival_and_at_most_a_day_after() {
    check("Nov 21 11:59:59 host x", Some("2026-11-21T11:59:59Z"));
    check("Nov 21 12:00:01 host x", Some("2025-11-21T12:00:01Z"));
    check("Dec 31 00:00:00 host x", Some("2025-12-31T00:00:00Z"));
    check("Feb 29 00:00:00 host x", Some("2024-02-29T00:00:00Z"));
    let limits = Limits::default();
    let modified = Timestamp::parse_rfc3339("2019-01-02T00:00:00Z");
    let old = ArrivalContext { modified, ..received(&limits) };
    let found = find_time(b"Dec 31 00:00:00 host x", &old).map(|found| found.time);
    assert_eq!(found, Timestamp::parse_rfc3339("2018-12-31T00:00:00Z").map(ResolvedTime::At));
}

#[test]
fn a_time_without_zone_is_in_the_senders_zone() {
    let limits = Limits::default();
    let jakarta = ArrivalContext { zone: Zone::Fixed(7 * 3600), ..received(&limits) };
    let found = find_time(b"2026-11-20 06:47:13 x", &jakarta).map(|found| found.time);
    assert_eq!(found, Timestamp::parse_rfc3339("2026-11-19T23:47:13Z").map(ResolvedTime::At));
}

#[test]
fn epoch_numbers_go_by_magnitude_and_decimals_are_exact() {
    let limits = Limits::default();
    let check = |text: &str, expected: &str| {
        let expected = Timestamp::parse_rfc3339(expected).map(ResolvedTime::At);
        assert_eq!(parse_time(text, &received(&limits)), expected, "{text}");
    };
    check("1763618400", "2025-11-20T06:00:00Z");
    check("1763618400123", "2025-11-20T06:00:00.123Z");
    check("1763618400123456", "2025-11-20T06:00:00.123456Z");
    check("1763618400123456789", "2025-11-20T06:00:00.123456789Z");
    check("1763618400.123456789123", "2025-11-20T06:00:00.123456789Z");
    check("1763618400123.5", "2025-11-20T06:00:00.1235Z");
    assert_eq!(parse_time("-5", &received(&limits)), Some(ResolvedTime::OutOfRange));
    assert_eq!(parse_time("5 parsecs", &received(&limits)), None);
    assert_eq!(parse_time("9999999999999999999", &received(&limits)), Some(ResolvedTime::OutOfRange));
    assert_eq!(parse_time("1.", &received(&limits)), None);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_looked_at_without_panic(line in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
        let limits = Limits::default();
        let _ = find_time(&line, &received(&limits));
        let _ = find_time_strictly_at_start(&line, &received(&limits));
    }

    #[test]
    fn texts_near_times_are_read_without_panic(line in "[0-9TZ:.,/ +A-Fa-fNov\\[-]{0,40}") {
        let limits = Limits::default();
        let _ = find_time(line.as_bytes(), &received(&limits));
        let _ = parse_time(&line, &received(&limits));
    }
}
