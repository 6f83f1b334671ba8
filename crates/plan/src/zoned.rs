//! Instants as clocks of a zone show them, with the zone's distance from UTC.

use chrono_tz::Tz;
use types::Timestamp;

use crate::calendar::offset_ns;

/// Writes an instant by the clock of a zone: RFC 3339 with the offset, `Z` in UTC, as many fraction digits as it needs.
///
/// Offsets are of whole minutes, as RFC 3339 has no others; the instant is the same whatever the zone.
pub fn write_zoned(instant: Timestamp, zone: Tz, out: &mut String) {
    use std::fmt::Write;
    let minutes = offset_ns(zone, instant.0) / Timestamp::MINUTE;
    let local = Timestamp(instant.0.saturating_add(minutes * Timestamp::MINUTE));
    // Writing into a String cannot fail.
    let _ = write!(out, "{local}");
    if zone == Tz::UTC {
        return;
    }
    out.pop();
    let sign = if minutes < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
}

#[cfg(test)]
mod tests {
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
}
