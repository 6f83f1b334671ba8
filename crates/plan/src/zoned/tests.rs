//! One instant in several zones.

use super::*;

#[test]
fn an_instant_is_the_same_in_every_zone_and_says_where_its_clock_stands() {
    let instant = Timestamp::parse_rfc3339("2026-11-20T23:30:00.000000001Z").expect("a constant");
    let shown = |zone: Tz| {
        let mut text = String::new();
        write_zoned(instant, zone, &mut text);
        assert_eq!(Timestamp::parse_rfc3339(&text), Some(instant), "{text}");
        text
    };
    assert_eq!(shown(Tz::UTC), "2026-11-20T23:30:00.000000001Z");
    assert_eq!(shown(Tz::Asia__Jakarta), "2026-11-21T06:30:00.000000001+07:00");
    assert_eq!(shown(Tz::America__St_Johns), "2026-11-20T20:00:00.000000001-03:30");
    assert_eq!(shown(Tz::Europe__London), "2026-11-20T23:30:00.000000001+00:00");
}
